"""Any multiple-choice or classification task, judged by how far its confidence can be believed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.errors import TaskError
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.tasks.choices import MultipleChoice, pick, unanswered
from harness.tasks.classification import Classification
from harness.tasks.wrapped import WrappedTask
from suites.calibration.metrics import BRIER, CALIBRATION_METRICS, CONFIDENCE_BIN, NLL, OVERCONFIDENCE

__all__ = ["CALIBRATION", "CalibrationTask", "calibration", "confidence_bin"]

CALIBRATION = "calibration"
"""What stands before the colon: `calibration:piqa`."""

_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    """What a model makes of one sample: the log-probability of each choice, the right one, and its own."""

    log_probabilities: NDArray[np.float64]
    gold: int
    chosen: int
    tie: bool


class CalibrationTask(WrappedTask[MultipleChoice | Classification]):
    """A task with choices or labels, whose samples are asked as ever and judged by the model's confidence.

    What it measures. Whether the probability that the model gives its choice is the share of such choices that are
    right (expected calibration error, Brier score, reliability by confidence), whether it is higher where the choice is
    right (AUROC, risk over coverage), and the temperature that would mend it. Among choices, probabilities are those
    of a softmax over their log-likelihoods; a classifier gives its own.

    Why it matters. Whoever acts on a model's answer, or hands the doubtful ones to people, needs to know how sure it
    is.

    Limits. The confidence of a comparison between the given choices, not what a model says of itself. Summed
    log-likelihoods favour short choices, and so may their confidence. Bins are coarse for small samples: read
    the debiased error.
    """

    metrics = CALIBRATION_METRICS

    def __init__(self, inner: MultipleChoice | Classification) -> None:
        super().__init__(CALIBRATION, inner)
        self.definition: Mapping[str, Any] = MappingProxyType(dict(inner.definition))

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        several = checkpoint.config.get("problem_type") == "multi_label_classification"
        if isinstance(self.inner, Classification) and several:
            return "it gives each label a separate probability, so there is no confidence in a single choice"
        return super().refusal(checkpoint)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, so that a run which asks both asks once."""
        return self.inner.samples(rows, settings)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the task itself, without its controls: what is asked behind the choices."""
        asked = self.inner.requests(sample)
        return asked if isinstance(self.inner, Classification) else asked[: len(sample.choices)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric; `predicted` and `gold` are indices of choices, but for the log-probabilities that
        the temperature reads.
        """
        judged = self._judged(sample, responses)
        if isinstance(judged, str):
            blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, invalid=judged)
            return [replace(blank, metric=metric.name) for metric in self.metrics]
        probabilities = np.exp(judged.log_probabilities)
        confidence = min(1.0, float(probabilities[judged.chosen]))
        right = float(judged.chosen == judged.gold)
        blank = Score(
            sample_id=sample.id,
            metric="",
            value=confidence,
            gold=str(judged.gold),
            predicted=str(judged.chosen),
            tie=judged.tie,
            cluster=sample.cluster,
            groups={CONFIDENCE_BIN: confidence_bin(confidence)},
        )
        truth = np.arange(len(probabilities)) == judged.gold
        own: Mapping[str, Mapping[str, Any]] = {
            "acc": {"value": right},
            OVERCONFIDENCE.name: {"value": confidence - right},
            BRIER.name: {"value": float(((probabilities - truth) ** 2).sum())},
            NLL.name: {"value": -float(judged.log_probabilities[judged.gold])},
            "temperature": {"predicted": json.dumps(judged.log_probabilities.tolist())},
        }
        return [replace(blank, metric=metric.name, **own.get(metric.name, {})) for metric in self.metrics]

    def _judged(self, sample: Sample, responses: Sequence[Response]) -> "_Judgement | str":
        """What the model makes of the sample, or why it can't be used."""
        if isinstance(self.inner, Classification):
            return _labelled(self.inner, sample, responses[0])
        likelihoods = [one.loglikelihood for one in responses if one.loglikelihood is not None]
        if reason := unanswered(responses):
            return reason
        assert isinstance(sample.gold, int)
        choice = pick(likelihoods, sample.choices, normalised=False)
        return _Judgement(
            log_probabilities=np.asarray(log_softmax(likelihoods), dtype=float),
            gold=sample.gold,
            chosen=choice.index,
            tie=choice.tie,
        )


def _labelled(task: Classification, sample: Sample, response: Response) -> "_Judgement | str":
    if response.label_scores is None:
        return response.invalid or "the model gave no label"
    labels = [task.known(label) for label in response.label_scores]
    # A probability that a 32-bit number can't hold is taken for the smallest that it can.
    probabilities = np.maximum(list(response.label_scores.values()), np.finfo(np.float32).tiny)
    return _Judgement(
        log_probabilities=np.log(probabilities / probabilities.sum()),
        gold=labels.index(str(sample.gold)),
        chosen=labels.index(task.predicted(response.label_scores)),
        tie=False,
    )


def confidence_bin(confidence: float) -> str:
    """The tenth of [0, 1] that a confidence lies in, such as `0.8-0.9`; a bin holds its upper end, the first both."""
    upper = max(1, math.ceil(round(confidence * _BINS, 9)))
    return f"{(upper - 1) / _BINS:.1f}-{upper / _BINS:.1f}"


def calibration(task: Task) -> CalibrationTask:
    """The multiple-choice or classification task, judged by its confidence. Raises `TaskError` for another sort."""
    if not isinstance(task, MultipleChoice | Classification):
        raise TaskError(
            "confidence is that of choices and of labels: the task has neither",
            place=f"{CALIBRATION}:{task.name}",
            fix="Use one such as piqa",
        )
    return CalibrationTask(task)
