"""When in a sound a model hears what makes it decide."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.attributions import AttributionSettings
from harness.core.metrics import Metric
from harness.core.requests import Attribute, AttributeSound, AudioLoglikelihood, MultimodalLoglikelihood, Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task
from suites.explainability.metrics import COMPLETENESS_GAP, CONVERGED
from suites.explainability.pictures import PictureAttribution
from suites.explainability.wrapper import AttributionTask
from suites.speech.beeps import GeneratedBeeps

__all__ = ["AttributionBeeps", "SoundAttribution", "attribution"]

_SEGMENTS = 12


class SoundAttribution(PictureAttribution):
    """A task of choices about one sound, whose model is asked which moments of the sound made it decide.

    What it measures. As for texts: whether the moments that a method names are those that matter. One is taken out by
    silence in its place. Occlusion, Shapley sampling and KernelSHAP say what each is worth.

    Why it matters. A model may go by the click with which every recording of one kind begins.

    Limits. Silence is a mark of its own, and its edges click. Coarse segments hide what lies inside. No gradients are
    followed into sounds. Where the model doesn't listen at all, every value is near 0.
    """

    metrics: Sequence[Metric] = tuple(
        one for one in PictureAttribution.metrics if one not in (COMPLETENESS_GAP, CONVERGED)
    )
    medium = "sound"
    example = "generated_beeps"

    def __init__(self, inner: Task, *, segments: int = _SEGMENTS) -> None:
        super().__init__(inner)
        self.version = inner.version
        self.asks = (AttributeSound, *inner.asks)
        self.segments = segments
        self.definition: Mapping[str, Any] = MappingProxyType(
            {"methods": list(self.methods), "segments": segments, "inner": dict(inner.definition)}
        )

    @override
    def explained(self, choices: Sequence[MultimodalLoglikelihood], settings: AttributionSettings) -> Attribute:
        return AttributeSound(
            context=choices[0].context,
            continuations=tuple(one.continuation for one in choices),
            methods=self.methods,
            settings=settings,
            chat=choices[0].chat,
            media=choices[0].media,
            segments=self.segments,
        )

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Without what is said of methods that follow gradients alone."""
        kept = {one.name for one in self.metrics}
        return [one for one in super().score(sample, responses) if one.metric in kept]


class AttributionBeeps(SoundAttribution):
    """Which moments of a series of beeps make a model count them, or hear them rise, as it does.

    What it measures. Three methods give each of twelve stretches of a fifth of a second a worth for the answer that the
    model finds likeliest, right or wrong; then stretches are taken out, the most important first, and its probability
    is read again. `--task attribution:TASK` does the same with any task of choices about one sound, your own among
    them.

    Why it matters. Of these sounds it is known which moments can matter: those in which a beep sounds.

    Limits. A fifth of a second may hold a part of a beep. Six questions by default: an error of about 0.1 in the lift.
    """

    def __init__(self) -> None:
        super().__init__(GeneratedBeeps())
        self.name = "attribution_beeps"
        self.default_limit = 6


def attribution(task: Task) -> AttributionTask:
    """The task, explained: by the words of its text, or by the parts of its picture or sound. Raises `TaskError`."""
    if any(issubclass(asked, AudioLoglikelihood) for asked in task.asks):
        return SoundAttribution(task)
    if any(issubclass(asked, MultimodalLoglikelihood) for asked in task.asks):
        return PictureAttribution(task)
    return AttributionTask(task)
