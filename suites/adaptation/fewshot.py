"""Any task of choices, asked after more and more of its own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.errors import TaskError
from harness.core.requests import Loglikelihood
from harness.core.tasks import AdaptWay, Row, Sample, Task, TaskSettings
from harness.suitefiles.wrappers import wrapped
from harness.tasks.choices import MultipleChoice
from harness.tasks.wrapped import WrappedTask
from suites.accuracy.piqa import PIQA
from suites.adaptation.curve import AdaptationTask, arms_of
from suites.adaptation.metrics import curve_metrics

__all__ = ["FewshotCurve", "FewshotPIQA", "fewshot_curve"]

FEWSHOT = "fewshot_curve"
"""What stands before the colon: `fewshot_curve:piqa`."""
_KEPT = 2
"""Times as many rows as the longest list of exemplars are kept to draw from."""


class FewshotCurve(AdaptationTask, WrappedTask[MultipleChoice]):
    """A task of choices, asked after 0, 1, 2, 4, 8, 16 and 32 of its rows.

    What it measures. How accuracy grows with the number of exemplars: the area under that curve, and the gain a
    doubling. Exemplars are drawn several times from rows that aren't asked, the same for all questions, and fewer
    exemplars are the beginning of more. The same exemplars with random answers tell whether the model learns from them
    or only recognises the task (Min et al., 2022); in another order they tell how much hangs on that.

    Why it matters. A model that adapts from a few examples serves where nobody has thousands of them, and a score at
    one number of exemplars doesn't say whether it does.

    Limits. Choices are compared by log-likelihood, without regard to their length. Numbers of exemplars that the window
    doesn't hold are absent, with that reason. The exemplars of two or three draws are few of many: another run's seed
    draws others. Errors are clustered by question; that of the draws is told apart (`draw_spread`).
    """

    def __init__(self, inner: MultipleChoice, *, draws: int = 3) -> None:
        WrappedTask.__init__(self, FEWSHOT, inner)
        self.draws = draws
        self.metrics = curve_metrics(self.shots[-1], several_draws=draws > 1)
        self.supports_fewshot = False
        self.default_num_fewshot = 0
        self.default_limit = min(inner.default_limit, 24)

    @property
    @override
    def definition(self) -> Mapping[str, Any]:  # type: ignore[override]  # of the task inside, too
        return MappingProxyType({"shots": list(self.shots), "draws": self.draws, "inner": dict(self.inner.definition)})

    @override
    def choices_of(self, sample: Sample) -> Sequence[Loglikelihood]:
        """As the task asks, without its controls."""
        return self.inner.requests(sample)[: len(sample.choices)]

    def adapted(self, way: AdaptWay) -> Task:  # noqa: ARG002
        """The same questions after the same rows, trained on (`Adapts`)."""
        return wrapped("lora_curve", self)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The task's samples; rows that are kept for exemplars aren't asked. Raises `TaskError` where none are left."""
        asked, draws, _ = self.drawn(rows, settings)
        rng = Random(f"{settings.seed}:{self.name}:answers")
        answered = [[(one.prompt, self.inner.answer(one)) for one in draw] for draw in draws]
        randomly = [
            (one.prompt, self.inner.answer(replace(one, gold=rng.randrange(len(one.choices))))) for one in draws[0]
        ]
        arms = arms_of(answered, randomly, self.shots, rng)
        return [self.posed(sample, arms, settings) for sample in asked]

    def drawn(
        self, rows: Sequence[Row], settings: TaskSettings, further: int = 0
    ) -> tuple[list[Sample], list[list[Sample]], list[Sample]]:
        """The questions, the draws of exemplars, and other rows: those kept beside the first draw, and `further` more.

        Raises `TaskError` where there is nothing to ask or to show.
        """
        plain = replace(settings, num_fewshot=0, multiturn=False)
        asked, kept = self._parted(rows, plain)
        names = {sample.id for sample in asked}
        pool = [one for one in self.inner.samples(rows, replace(plain, limit=kept)) if one.id not in names]
        if not pool:
            raise TaskError(f"{self.inner.name} has no row to show as an exemplar", place=self.name)
        self.data_digest = self.inner.data_digest
        most = min(self.shots[-1], len(pool))
        draws = [Random(f"{settings.seed}:{self.name}:{draw}").sample(pool, most) for draw in range(self.draws)]
        names |= {one.id for one in draws[0]}
        wider = self.inner.samples(rows, replace(plain, limit=kept + len(asked) + further)) if further else pool
        return asked, draws, [one for one in wider if one.id not in names]

    def _parted(self, rows: Sequence[Row], plain: TaskSettings) -> tuple[list[Sample], int]:
        """The questions, and how many rows are kept for exemplars: fewer where there are few rows."""
        kept = _KEPT * self.shots[-1]
        while True:
            try:
                found = self.inner.samples(rows, replace(plain, num_fewshot=kept))
            except TaskError:
                if kept == 1:
                    raise
                kept //= 2
                continue
            return [replace(one, prompt=one.prompt[one.question_start :], question_start=0) for one in found], kept


class FewshotPIQA(FewshotCurve):
    """How far exemplars help a model with everyday physics: PIQA (Bisk et al., 2020) after up to 32 of its rows.

    What it measures. As `--task fewshot_curve:TASK` does for any task of choices, with two draws of exemplars: accuracy
    by number of exemplars, its area, the gain a doubling, and the same with random answers.

    Why it matters. PIQA is known to most models, so little is left to learn from exemplars but the form: held beside
    tasks that can't be known, it tells recognising from learning.

    Limits. As of `piqa`. 16 questions by default: an error of 0.1 for each number of exemplars.
    """

    def __init__(self) -> None:
        super().__init__(PIQA(), draws=2)
        self.name = "fewshot_piqa"
        self.default_limit = 16


def fewshot_curve(task: Task) -> FewshotCurve:
    """The task over numbers of exemplars. Raises `TaskError` for one that has no choices or no exemplars."""
    if not isinstance(task, MultipleChoice) or not task.supports_fewshot or set(task.asks) != {Loglikelihood}:
        raise TaskError(
            f"the task {task.name} is no choice between texts that takes exemplars",
            place=f"{FEWSHOT}:{task.name}",
            fix="Use a task of multiple choice, such as piqa",
        )
    return FewshotCurve(task)
