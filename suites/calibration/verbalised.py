"""Any task of multiple choice or of short answers, judged by the confidence that the model puts into words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.errors import TaskError
from harness.core.metrics import Mean, Metric, Proportion
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.metrics.calibration_distances import DebiasedECE, EqualWidthECE, ExpectedCalibrationError
from harness.metrics.confidence import AreaUnderRiskCoverage, ConfidenceAUROC
from harness.metrics.standard import EXACT_MATCH
from harness.tasks.choices import MultipleChoice, pick, unanswered
from harness.tasks.generation import Generation
from harness.tasks.wrapped import WrappedTask
from suites.calibration.metrics import ACCURACY, CONFIDENCE_BIN, OVERCONFIDENCE, RISKS
from suites.calibration.wrapper import confidence_bin

__all__ = ["BRIER_STATED", "STATED", "VERBALISED", "VerbalisedTask", "stated_confidence", "verbalised"]

VERBALISED = "verbalised"
"""What stands before the colon: `verbalised:piqa`."""

QUESTION = (
    "\n\nHow likely is it that the answer above is right? "
    "Say a number of percent from 0% to 100%, and nothing else.\nConfidence:"
)
MAX_TOKENS = 12

_NUMBER = re.compile(r"(?P<number>\d{1,3}(?:\.\d+)?)(?P<percent>\s?%)?\.?")

STATED = Proportion(
    name="confidence_stated",
    unit="share",
    direction="higher",
    source="count of answers that are a number of percent and nothing else",
    meaning="""
    Share of samples, in [0, 1], for which the model states a confidence that can be read. All other metrics are of
    these samples alone, and their n says how many they are.
    """,
)

BRIER_STATED = Mean(
    name="brier_stated",
    unit="squared probability",
    direction="lower",
    source="Brier (1950), of the answer being right, as in Tian et al. (2023)",
    lowest=0.0,
    highest=1.0,
    meaning="""
    Squared distance, from 0 to 1, between the stated confidence and the truth: 1 where the answer is right, else 0.

    A model that always says 50 % has 0.25.
    """,
)


class VerbalisedTask(WrappedTask[MultipleChoice | Generation]):
    """A task whose answers come as ever, and are then shown to the model, which says in percent how sure it is.

    What it measures. Whether the confidence that the model states (Lin, Hilton and Evans, 2022), asked for after it has
    answered (the two steps of Tian et al., 2023), is the share of such answers that are right, and whether it is higher
    where they are. The number is decoded greedily and read strictly: a number from 0 to 100, with or without a percent
    sign, and nothing else. `0.9` without a sign could mean two things, so it is not read.

    Why it matters. Models behind an interface show no probabilities, and people ask them how sure they are.

    Limits. Small models, and models without instruction tuning, hardly state a number, or always the same: read
    `confidence_stated` first. Of tasks of multiple choice, the answer shown is the likeliest choice, which the model
    did not write itself; short answers are right where they equal the reference.
    """

    metrics: Sequence[Metric] = (
        STATED,
        ACCURACY,
        OVERCONFIDENCE,
        ExpectedCalibrationError(),
        EqualWidthECE(),
        DebiasedECE(),
        BRIER_STATED,
        ConfidenceAUROC(),
        AreaUnderRiskCoverage(),
        *RISKS,
    )

    def __init__(self, inner: MultipleChoice | Generation) -> None:
        super().__init__(VERBALISED, inner)
        self.asks = tuple(dict.fromkeys([*inner.asks, GenerateUntil]))
        self.definition: Mapping[str, Any] = MappingProxyType(dict(inner.definition))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, so that a run which asks both asks once."""
        return self.inner.samples(rows, settings)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the task itself, without its controls: what is asked behind the choices."""
        asked = self.inner.requests(sample)
        return asked if isinstance(self.inner, Generation) else asked[: len(sample.choices)]

    @override
    def follow_up(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Request]:
        """How sure the model is of the answer it has given."""
        asked = len(self.requests(sample))
        answer = self._answer(sample, responses[:asked])
        if len(responses) > asked or isinstance(answer, str):
            return ()
        shown = f"{sample.prompt} {answer[0]}{QUESTION}"
        return [GenerateUntil(context=shown, until=("\n",), max_tokens=MAX_TOKENS)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric; for `confidence_stated` alone where no confidence can be read."""
        asked = len(self.requests(sample))
        answer = self._answer(sample, responses[:asked])
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster)
        if isinstance(answer, str):
            return [replace(blank, metric=metric.name, invalid=answer) for metric in self.metrics]
        (response,) = responses[asked:]
        if response.text is None:
            reason = response.invalid or "the model gave no text"
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        _, right, tie = answer
        confidence = stated_confidence(response.text)
        stated = replace(blank, metric=STATED.name, value=float(confidence is not None), predicted=response.text)
        if confidence is None:
            return [stated]
        read = replace(
            blank,
            value=confidence,
            gold="1",
            predicted=str(int(right)),
            tie=tie,
            groups={CONFIDENCE_BIN: confidence_bin(confidence)},
        )
        own = {
            ACCURACY.name: float(right),
            OVERCONFIDENCE.name: confidence - right,
            BRIER_STATED.name: (confidence - right) ** 2,
        }
        others = self.metrics[1:]
        return [stated, *(replace(read, metric=one.name, value=own.get(one.name, confidence)) for one in others)]

    def _answer(self, sample: Sample, responses: Sequence[Response]) -> tuple[str, bool, bool] | str:
        """The model's answer, whether it is right, and whether it hangs on rounding; or why it can't be used."""
        if isinstance(self.inner, Generation):
            (response,) = responses
            written = (response.text or "").strip()
            return (written, written == sample.gold, False) if written else response.invalid or "no answer was written"
        likelihoods = [one.loglikelihood for one in responses if one.loglikelihood is not None]
        if reason := unanswered(responses):
            return reason
        choice = pick(likelihoods, sample.choices, normalised=False)
        return sample.choices[choice.index], choice.index == sample.gold, choice.tie


def stated_confidence(text: str) -> float | None:
    """The confidence, in [0, 1], that a text states in percent and that is all it states; None where it doesn't.

    A number of at most 1 with a decimal point and no percent sign may be a share or a percentage: it is not read.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    number = float(found["number"])
    if number > 100 or ("." in found["number"] and number <= 1 and not found["percent"]):
        return None
    return number / 100


def verbalised(task: Task) -> VerbalisedTask:
    """The task, judged by the confidence that the model states. Raises `TaskError` for a task of another sort."""
    if isinstance(task, MultipleChoice) and set(task.asks) == {Loglikelihood}:
        return VerbalisedTask(task)
    if isinstance(task, Generation) and EXACT_MATCH.name in {metric.name for metric in task.metrics}:
        return VerbalisedTask(task)
    raise TaskError(
        "confidence is asked for after an answer that is right or wrong: the task has none",
        place=f"{VERBALISED}:{task.name}",
        fix="Use a task of multiple choice, or one that compares a written answer by exact_match",
    )
