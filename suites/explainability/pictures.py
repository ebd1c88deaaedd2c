"""Where in a picture a model sees what makes it decide."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any, ClassVar

from typing_extensions import override

from harness.core import registry
from harness.core.attributions import AttributionSettings
from harness.core.checkpoints import Checkpoint
from harness.core.errors import TaskError
from harness.core.metrics import Metric
from harness.core.requests import Attribute, AttributePicture, MultimodalLoglikelihood
from harness.core.tasks import Row, Sample, Task, TaskSettings
from suites.explainability.metrics import (
    AOPC_COMPREHENSIVENESS,
    AOPC_SUFFICIENCY,
    COMPLETENESS_GAP,
    COMPREHENSIVENESS_LIFT,
    CONVERGED,
    DELETION_AREA,
    INFIDELITY,
    INSERTION_AREA,
    RANK_AGREEMENT,
    SUFFICIENCY_LIFT,
    TOP_AGREEMENT,
)
from suites.explainability.wrapper import ATTRIBUTION, AttributionTask
from suites.vision.digits import PlainDigits

__all__ = ["AttributionDigits", "PictureAttribution"]

_GRID = (4, 4)
_METHODS = "harness.attributions"


class PictureAttribution(AttributionTask):
    """A task of choices about one picture, whose model is asked which parts of the picture made it decide.

    What it measures. As for texts: whether the cells of a grid that a method names are those that matter. A cell is
    taken out by filling it with the picture's mean colour. Occlusion, Shapley sampling and KernelSHAP say what each is
    worth; integrated gradients and gradient x input follow the decision back to the pixels, from the picture filled
    with its mean colour, and a cell's worth is the sum over its pixels (read `completeness_gap`).

    Why it matters. A model may look at the corner where a logo always stood.

    Limits. A filled cell is a mark of its own, and coarse cells hide what lies inside. Where the model doesn't look at
    the picture at all, every value is near 0. Methods that follow gradients are left out where the weights are
    quantised, and where the model does more with a picture than read tokens in its place, as Gemma 3 and Qwen2-VL do.
    """

    metrics: Sequence[Metric] = (
        *(COMPREHENSIVENESS_LIFT, SUFFICIENCY_LIFT, AOPC_COMPREHENSIVENESS, AOPC_SUFFICIENCY),
        *(DELETION_AREA, INSERTION_AREA, INFIDELITY, COMPLETENESS_GAP, CONVERGED, RANK_AGREEMENT, TOP_AGREEMENT),
    )

    medium: ClassVar[str] = "picture"
    example: ClassVar[str] = "digits"

    def __init__(self, inner: Task, *, grid: tuple[int, int] = _GRID) -> None:
        super().__init__(inner)
        self.version = inner.version + 1
        self.asks = (AttributePicture, *inner.asks)
        self.grid = grid
        self.definition: Mapping[str, Any] = MappingProxyType(
            {"methods": list(self.methods), "grid": list(grid), "inner": dict(inner.definition)}
        )

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        return self.inner.refusal(checkpoint)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The task's samples. Raises `TaskError` where they aren't about one picture each."""
        for name in self.methods:
            registry.check(_METHODS, name)
        found = []
        for sample in self.inner.samples(rows, settings):
            seed = Random(f"{settings.seed}:{sample.id}:{ATTRIBUTION}").getrandbits(32)
            found.append(replace(sample, fields={"inner": sample, "seed": seed}))
            self._choices(sample)
        self.data_digest = self.inner.data_digest
        return found

    @override
    def requests(self, sample: Sample) -> Sequence[Attribute]:
        """One: the decision, what explains it, and what comes of trying that."""
        return [self.explained(self._choices(sample.fields["inner"]), AttributionSettings(seed=sample.fields["seed"]))]

    def explained(self, choices: Sequence[MultimodalLoglikelihood], settings: AttributionSettings) -> Attribute:
        """What is asked about a decision between these choices."""
        return AttributePicture(
            context=choices[0].context,
            continuations=tuple(one.continuation for one in choices),
            methods=self.methods,
            settings=settings,
            chat=choices[0].chat,
            media=choices[0].media,
            grid=self.grid,
        )

    def _choices(self, sample: Sample) -> list[MultimodalLoglikelihood]:
        """What is asked about the sample's own medium: controls have another one."""
        asked = [one for one in self.inner.requests(sample) if isinstance(one, MultimodalLoglikelihood)]
        own = [one for one in asked if (one.context, one.media) == (asked[0].context, asked[0].media)]
        if len(own) < 2 or len(own[0].media) != 1:
            raise TaskError(
                f"the task {self.inner.name} doesn't choose between answers about one {self.medium}",
                place=self.name,
                fix=f"Use a task that does, such as {self.example}",
            )
        return own


class AttributionDigits(PictureAttribution):
    """Which parts of a handwritten digit make a model read it as it does (Alpaydin and Kaynak, 1998).

    What it measures. Five methods give each of 16 cells of the picture a worth for the digit that the model finds
    likeliest, right or wrong; then cells are taken out, the most important first, and its probability is read again.
    `--task attribution:TASK` does the same with any task of choices about one picture, your own among them.

    Why it matters. On digits people can see whether a reason makes sense: what tells a 7 from a 1 lies on top.

    Limits. Cells of a quarter of each side. Six digits by default: an error of about 0.1 in the lift.
    """

    def __init__(self) -> None:
        super().__init__(PlainDigits())
        self.name = "attribution_digits"
        self.default_limit = 6
