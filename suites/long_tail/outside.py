"""Does a model show that an input is none of those that a task is about?"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp, softmax
from typing_extensions import override

from harness.core.metrics import Metric, Undefined
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.statistics.auroc import area_under_roc, auroc
from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.tasks.choices import unanswered
from harness.tasks.rows import RowTask
from suites.accuracy.imdb import IMDB

__all__ = ["ENTROPY", "INSIDE", "PROBABILITY", "OutsideIMDB", "OutsideTask", "unsureness"]

INSIDE, OUTSIDE = "inside", "outside"


@dataclass(frozen=True, kw_only=True)
class DetectionAUROC(Metric):
    """The chance that an input from outside gets more of the detector's score than one from inside; ties count half.

    A score's `value` is the detector's, its group `source` says where the input is from.
    """

    @property
    @override
    def score_range(self) -> tuple[float | None, float | None]:
        """Any number: only their order counts."""
        return None, None

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values, outside = _columns(scores)
        if outside.all() or not outside.any():
            raise Undefined("all inputs are from inside, or all from outside")
        return auroc(values.tolist(), outside.tolist(), [score.cluster for score in scores], confidence)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values, outside = _columns(scores)
        return lambda rows: area_under_roc(values[rows], outside[rows])


def _columns(scores: Sequence[Score]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.array([score.value for score in scores], dtype=float)
    return values, np.array([score.groups["source"] == OUTSIDE for score in scores])


def _detector(name: str, shown: str, formula: str, source: str) -> DetectionAUROC:
    return DetectionAUROC(
        name=f"detection_{name}",
        unit="probability",
        direction="higher",
        lowest=0.0,
        highest=1.0,
        chance=0.5,
        source=source,
        meaning=f"""
        0 to 1: how well {shown} tells inputs from outside the task from those inside. Higher is better; 0.5 is chance,
        below it inputs from outside look more familiar than the task's own.

        Formula: the area under the ROC curve of {formula}, inputs from outside being the ones to find. Nothing is
        fitted. The two sorts also differ in length and style, which a detector may go by.
        """,
    )


PROBABILITY = _detector(
    "probability",
    "the probability of the likeliest answer",
    "one minus the largest probability among the answers",
    "Hendrycks and Gimpel (2017), A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural "
    "Networks, ICLR",
)
ENTROPY = _detector(
    "entropy",
    "the entropy of the answers",
    "the entropy of the probabilities of the answers",
    "as detection_probability, with the entropy of the same distribution",
)
ENERGY = _detector(
    "energy",
    "the energy",
    "the energy score, minus the logarithm of the sum of the exponentials of the answers' log-likelihoods, which is "
    "how unlikely any of the answers is to follow",
    "Liu, Wang, Owens and Li (2020), Energy-based Out-of-distribution Detection, NeurIPS; with log-likelihoods in the "
    "place of logits",
)


def unsureness(probabilities: NDArray[np.float64]) -> dict[str, float]:
    """What two detectors say of a distribution over answers or labels, by metric: the more, the less it is sure."""
    return {PROBABILITY.name: 1 - float(probabilities.max()), ENTROPY.name: float(entr(probabilities).sum())}


class OutsideTask(RowTask):
    """Asks what the task of the name `inside` asks, of its rows and of as many from elsewhere (a row's `class`)."""

    inside: ClassVar[str]

    @abstractmethod
    def detected(self, responses: Sequence[Response]) -> Mapping[str, float] | str:
        """What each detector says, by metric: the more, the less a row belongs here; or why none can say anything."""

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many of each source, at most half of `limit`: those from inside that the task `inside` asks about."""
        inside = [index for index, row in enumerate(rows) if row["class"] == INSIDE]
        outside = [index for index, row in enumerate(rows) if row["class"] == OUTSIDE]
        each = min(len(inside), len(outside))
        if settings.limit is not None:
            each = min(each, max(1, settings.limit // 2))
        half = replace(settings, limit=each, num_fewshot=0)
        asked = [inside[place] for place in choose(len(inside), half, salt=self.inside)[1]]
        asked += [outside[place] for place in choose(len(outside), half, salt=self.name)[1]]
        samples = [(self._read(index, rows), rows[index]["class"]) for index in asked]
        return [replace(one, fields={**one.fields, "groups": {"source": source}}) for one, source in samples]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """What each detector says of the sample."""
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, groups=sample.fields["groups"])
        found = self.detected(responses)
        if isinstance(found, str):
            return [replace(blank, metric=metric.name, invalid=found) for metric in self.metrics]
        return [replace(blank, metric=name, value=value) for name, value in found.items()]


class OutsideIMDB(OutsideTask, IMDB):
    """Sentences that are no film reviews among film reviews: does the model show that they don't belong there?

    What it measures. Reviews of IMDB and as many sentences from Wikipedia, all asked for the sentiment of "this
    review". How well three scores of the answers tell the two apart: the largest probability, the entropy, the
    energy. The reviews are those that `imdb` asks about, and are computed once.

    Why it matters. A system that meets what it was not made for ought to be less sure of itself, or else a filter in
    front of it has nothing to go by.

    Limits. What a language model was trained on isn't known; outside means outside this task. Sentences are much
    shorter than reviews, so a score that falls with length finds them without understanding anything. There are two
    answers, so probability and entropy order inputs alike. One pair of sources, in English.
    """

    name = "outside_imdb"
    data = "imdb_and_sentences"
    inside = IMDB.name
    default_limit = 200
    supports_fewshot = False
    metrics = (PROBABILITY, ENTROPY, ENERGY)

    @override
    def label(self, row: Row) -> str:
        """The sentiment; what is no review has none, and is never judged by it."""
        return super().label(row) if row["class"] == INSIDE else self.labels[0]

    @override
    def detected(self, responses: Sequence[Response]) -> Mapping[str, float] | str:
        """All three detectors, by the answers' log-likelihoods."""
        if reason := unanswered(responses):
            return reason
        likelihoods = np.array([response.loglikelihood for response in responses], dtype=float)
        return {**unsureness(softmax(likelihoods)), ENERGY.name: -float(logsumexp(likelihoods))}
