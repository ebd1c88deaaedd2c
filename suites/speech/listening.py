"""What the questions about sounds share: each is asked with its sound and, as a control, with silence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.media import Medium
from harness.core.metrics import Mean, Metric, Proportion
from harness.core.requests import AudioLoglikelihood, Request
from harness.core.tasks import Sample
from harness.media.sounds import silence
from harness.metrics.standard import ACC
from suites.vision.looking import Looking, asked_about

__all__ = ["ACC_DEAF", "HEARING_GAIN", "Listening", "SoundQuestion", "heard_metrics", "sounded"]

ACC_DEAF = Proportion(
    name="acc_deaf",
    unit="share",
    direction="lower",
    source="partial-input baseline, as for pictures: Goyal et al., Making the V in VQA matter (2017)",
    meaning="""
    In [0, 1], a control: as `acc`, with as long a silence in place of the question's own sound. What is right here was
    known from the question and the choices alone, or guessed.
    """,
)
HEARING_GAIN = Mean(
    name="hearing_gain",
    unit="share",
    direction="higher",
    lowest=-1.0,
    highest=1.0,
    source="as for pictures: Chen et al., Are we on the right way for evaluating large vision-language models? (2024)",
    meaning="""
    In [-1, 1]: `acc` less `acc_deaf`, paired by question: what hearing the sound adds. A model that doesn't listen has
    0, however many questions it answers.
    """,
)


def heard_metrics(by: Sequence[str] = ()) -> Sequence[Metric]:
    """The metrics of a task, accuracy also by the groups `by`."""
    return (replace(ACC, by=tuple(by), smallest_group=1), HEARING_GAIN, ACC_DEAF)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundQuestion:
    """A sound and a question about it, with choices; `gold` is the index of the right one."""

    sound: Medium
    question: str
    choices: tuple[str, ...]
    gold: int
    groups: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None


def sounded(sample_id: str, heard: SoundQuestion, **fields: Any) -> Sample:
    """The question as a sample."""
    return Sample(
        id=sample_id,
        prompt=asked_about(heard.question),
        choices=heard.choices,
        gold=heard.gold,
        cluster=heard.cluster,
        fields={"sound": heard.sound, "silence": silence(heard.sound), "groups": dict(heard.groups), **fields},
    )


class Listening(Looking):
    """A question about a sound, whose likeliest choice is the answer; asked about as long a silence, too.

    Samples are made by `sounded`.
    """

    asked = AudioLoglikelihood
    shown = ("sound", "silence")
    control = ("silence", "without the sound")
    blind, gain = ACC_DEAF, HEARING_GAIN
    metrics = heard_metrics()
    asks: Sequence[type[Request]] = (AudioLoglikelihood,)
