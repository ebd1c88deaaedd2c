"""Questions with choices, asked of a model and of its reference: which answers are still the same."""

from collections.abc import Sequence
from dataclasses import fields, replace

from typing_extensions import override

from harness.core.references.requests import ReferenceLoglikelihood
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.tasks.choices import MultipleChoice
from suites.fidelity.metrics import ACCURACY_CHANGE, CHOICE_AGREEMENT, CHOICE_METRICS, GAINED_ANSWERS, LOST_ANSWERS
from suites.fidelity.referred import ReferredTask

__all__ = ["FlipTask"]


class FlipTask(ReferredTask[MultipleChoice]):
    """A task with choices, asked of a reference too: which right answers were lost, and which gained.

    What it measures. The share of questions to which both models give the same answer, of the reference's right answers
    the share that the model gets wrong, of its wrong ones the share that the model gets right, and the difference of
    their accuracies with a paired interval. Answers are compared by the task's first metric.

    Why it matters. Equal accuracy hides flips: whoever relies on single answers meets another model.

    Limits. Those of the task. Where a model is at chance, its answers flip by little.
    """

    metrics = CHOICE_METRICS

    def __init__(self, inner: MultipleChoice) -> None:
        super().__init__(inner)
        self.asks = (*inner.asks, ReferenceLoglikelihood)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, so that a run which asks both asks the model once."""
        return self.inner.samples(rows, settings)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """Those of the task itself, then the same of the reference."""
        own = self.inner.requests(sample)
        return [*own, *(self._referred(request) for request in own)]

    def _referred(self, request: Loglikelihood) -> ReferenceLoglikelihood:
        values = {one.name: getattr(request, one.name) for one in fields(Loglikelihood)}
        return ReferenceLoglikelihood(**values, reference=self.reference)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric; of lost answers alone where the reference is right, of gained ones where it isn't.

        `gold` is the reference's answer, `predicted` the model's.
        """
        half = len(responses) // 2
        own, other = (self.inner.score(sample, part)[0] for part in (responses[:half], responses[half:]))
        blank = Score(
            sample_id=sample.id,
            metric="",
            cluster=sample.cluster,
            gold=other.predicted,
            predicted=own.predicted,
            tie=own.tie or other.tie,
        )
        if own.value is None or other.value is None:
            reason = own.invalid or other.invalid or "the model gave no answer"
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        values = {
            CHOICE_AGREEMENT.name: float(own.predicted == other.predicted),
            ACCURACY_CHANGE.name: own.value - other.value,
            (LOST_ANSWERS if other.value else GAINED_ANSWERS).name: 1 - own.value if other.value else own.value,
        }
        return [
            replace(blank, metric=metric.name, value=values[metric.name])
            for metric in self.metrics
            if metric.name in values
        ]
