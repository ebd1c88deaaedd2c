"""The rows of a curve over exemplars, trained on in place of being shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from random import Random
from types import MappingProxyType
from typing import Any, cast

from typing_extensions import override

from harness.checkpoints.loading.quantised import quantisation
from harness.core.checkpoints import Checkpoint
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.reasons import Reason
from harness.core.training.lessons import Lessons, LoraRecipe
from harness.core.training.requests import TunedLoglikelihood
from harness.tasks.wrapped import WrappedTask
from suites.adaptation.curve import Answer, answer_of, of_curve, point
from suites.adaptation.fewshot import FEWSHOT, FewshotCurve, fewshot_curve
from suites.adaptation.metrics import ROWS, TRAINED_ACC, as_rows, trained_metrics

__all__ = ["ALL_ROWS", "LoraCurve", "lora_curve"]

LORA = "lora_curve"
"""What stands before the colon: `lora_curve:piqa`."""
ALL_ROWS = (0, 8, 32, 128)
"""Numbers of rows that are trained on; with 0, the model itself is asked."""


class LoraCurve(WrappedTask[FewshotCurve]):
    """A task of choices, asked of the model itself and of the model trained on 8, 32 and 128 of its rows.

    What it measures. How accuracy grows with the number of rows that a small adapter is fitted to: the area under that
    curve, and the gain a doubling. Questions are those of `fewshot_curve:TASK`, and the rows are the exemplars of its
    first draw, then others: so learning within the context and training on the same rows stand side by side. An adapter
    of its own is fitted from the start for each number of rows, and dropped behind its questions.

    How it trains. LoRA (Hu et al., 2022) of rank 8 (alpha 16) on every linear layer but the output head, 4 times
    through the rows, a row a step, AdamW from 0.0005 down to 0 in a straight line; the loss counts the right answer's
    tokens alone. The same for every model and task: nothing is tuned, and nothing is drawn but by the run's seed.

    Why it matters. Whoever has a hundred rows can show some of them in every prompt, which costs at every question, or
    train on them once. Which is better hangs on the model.

    Limits. One recipe: a model that it doesn't suit may learn more from another. One draw of rows and one start of the
    adapter, so that intervals hold the error of the questions alone. Choices are compared by log-likelihood, without
    regard to their length. There is no control with random answers here: what rises may be the form of the task.
    """

    rows: Sequence[int] = ALL_ROWS
    told_by = "adaptation"
    supports_fewshot = False

    def __init__(self, curve: FewshotCurve) -> None:
        super().__init__(LORA, curve)
        self.name = f"{LORA}:{curve.name.removeprefix(f'{FEWSHOT}:')}"
        self.asks = (*curve.asks, TunedLoglikelihood)
        self.metrics = trained_metrics(self.rows[-1])
        self.recipe = LoraRecipe()

    @property
    @override
    def definition(self) -> Mapping[str, Any]:  # type: ignore[override]  # of the task inside, too
        inner = self.inner.definition
        nested = inner["inner"] if self.inner.name.startswith(f"{FEWSHOT}:") else inner
        return MappingProxyType({"rows": list(self.rows), "recipe": asdict(self.recipe), "inner": dict(nested)})

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        """The inner task's; adapters, and weights in a form that takes no gradients, aren't trained."""
        if checkpoint.adapter is not None:
            return Reason("an adapter isn't trained here: merge it into its base first")
        if quantisation(checkpoint.config):
            return Reason("a quantised model isn't trained here")
        return super().refusal(checkpoint)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The curve's questions; rows that are trained on aren't asked. Raises `TaskError` where none are left."""
        asked, (first, *_), others = self.inner.drawn(rows, settings, further=self.rows[-1])
        self.data_digest = self.inner.data_digest
        rng = Random(f"{settings.seed}:{self.name}:rows")
        taught = [*first, *rng.sample(others, len(others))]
        pairs = [self._pair(one) for one in taught[: self.rows[-1]]]
        lessons = {
            count: Lessons(task=self.name, seed=settings.seed, rows=tuple(pairs[:count]), recipe=self.recipe)
            for count in self.rows
            if 0 < count <= len(pairs)
        }
        return [_posed(sample, lessons) for sample in asked]

    def _pair(self, sample: Sample) -> tuple[str, str]:
        """A row as it is trained on: the prompt and the right answer, as they would be asked about."""
        right = self.inner.choices_of(sample)[cast(int, sample.gold)]
        return right.context, right.continuation

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """One for each choice, of the model itself and for each number of rows."""
        plain = self.inner.choices_of(sample)
        tuned = [_tuned(one, lessons) for lessons in sample.fields["lessons"].values() for one in plain]
        return [*plain, *tuned]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        count = [0, *sample.fields["lessons"]][position // len(sample.choices)]
        return f"trained on {count} rows" if count else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Scores by number of rows; those of the whole curve where it has more than one point."""
        size = len(sample.choices)
        parts = [responses[start : start + size] for start in range(0, len(responses), size)]
        counts = [0, *sample.fields["lessons"]]
        known = {count: answer_of(sample, 0, part) for count, part in zip(counts, parts, strict=True)}
        answers = {count: known.get(count) or _missing(count) for count in self.rows}
        gold = sample.choices[cast(int, sample.gold)]
        blank = Score(sample_id=sample.id, metric="", gold=gold, cluster=sample.cluster or sample.id)
        scores = [point(blank, TRAINED_ACC, one, {ROWS: as_rows(count)}) for count, one in answers.items()]
        return [*scores, *of_curve(blank, {("0" if count else "", count): one for count, one in answers.items()}, 1)]


def _posed(sample: Sample, lessons: Mapping[int, Lessons]) -> Sample:
    return replace(sample, fields={**sample.fields, "lessons": lessons})


def _tuned(request: Loglikelihood, lessons: Lessons) -> TunedLoglikelihood:
    return TunedLoglikelihood(**{one.name: getattr(request, one.name) for one in fields(request)}, lessons=lessons)


def _missing(count: int) -> Answer:
    return Answer(right=None, lacking=Reason("the data have fewer than {count} rows to train on", count=count))


def lora_curve(task: Task) -> LoraCurve:
    """The task over numbers of rows to train on. Raises `TaskError` for one that has no choices or no exemplars."""
    return LoraCurve(task if isinstance(task, FewshotCurve) else fewshot_curve(task))
