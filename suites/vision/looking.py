"""What the questions about pictures share: each is asked with its picture and, as a control, with a grey one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar

from PIL import Image
from typing_extensions import override

from harness.core.media import OBJECT, Medium
from harness.core.metrics import Mean, Metric, Proportion
from harness.core.requests import MultimodalLoglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task
from harness.media.pictures import picture
from harness.metrics.standard import ACC, GOLD_BITS_PER_BYTE
from harness.tasks.choices import Choice, gold_cost, pick, unanswered

__all__ = [
    "ACC_BLIND",
    "MULTIMODAL_GAIN",
    "Looking",
    "PictureQuestion",
    "asked_about",
    "compared_metrics",
    "grey",
    "looked_metrics",
    "pictured",
]

ACC_BLIND = Proportion(
    name="acc_blind",
    unit="share",
    direction="lower",
    source="partial-input baseline: Goyal et al., Making the V in VQA matter (2017)",
    meaning="""
    In [0, 1], a control: as `acc`, with a grey picture of the same size in place of the question's own. What is right
    here was known from the question and the choices alone, or guessed.
    """,
)
MULTIMODAL_GAIN = Mean(
    name="multimodal_gain",
    unit="share",
    direction="higher",
    lowest=-1.0,
    highest=1.0,
    source="Chen et al., Are we on the right way for evaluating large vision-language models? (2024)",
    meaning="""
    In [-1, 1]: `acc` less `acc_blind`, paired by question: what seeing the picture adds. A model that doesn't look has
    0, however many questions it answers.
    """,
)
_GREY = (128, 128, 128)


def compared_metrics(by: Sequence[str] = ()) -> Sequence[Metric]:
    """The metrics of a task whose choices are compared, accuracy also by the groups `by`."""
    return (replace(ACC, by=tuple(by), smallest_group=1), MULTIMODAL_GAIN, ACC_BLIND)


def looked_metrics(by: Sequence[str] = ()) -> Sequence[Metric]:
    """As `compared_metrics`, of a task whose choices have likelihoods as texts."""
    return (*compared_metrics(by), GOLD_BITS_PER_BYTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureQuestion:
    """A picture and a question about it, with choices; `gold` is the index of the right one."""

    image: Image.Image
    question: str
    choices: tuple[str, ...]
    gold: int
    groups: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None


def asked_about(question: str) -> str:
    """The prompt of a question about one picture."""
    return f"{OBJECT}\nQuestion: {question}\nAnswer:"


@cache
def grey(size: tuple[int, int]) -> Medium:
    """The control: a grey picture of that width and height."""
    return picture(Image.new("RGB", size, _GREY))


def pictured(sample_id: str, look: PictureQuestion, **fields: Any) -> Sample:
    """The look as a sample."""
    return Sample(
        id=sample_id,
        prompt=asked_about(look.question),
        choices=look.choices,
        gold=look.gold,
        cluster=look.cluster,
        fields={
            "picture": picture(look.image),
            "grey": grey(look.image.size),
            "groups": dict(look.groups),
            **fields,
        },
    )


class Looking(Task):
    """A question about a picture, whose likeliest choice is the answer; asked about a grey picture, too.

    Questions that differ in their picture alone are asked about the grey one once. Samples are made by `pictured`.
    A task that is not `controlled` does without the grey picture, and has `acc` alone. Questions about media of another
    type say which fields hold a medium and its control (`shown`), what the control is, and what is scored of it.
    """

    controlled = True
    asked: ClassVar[type[MultimodalLoglikelihood]] = MultimodalLoglikelihood
    shown: ClassVar[tuple[str, str]] = ("picture", "grey")
    control: ClassVar[tuple[str, str]] = ("grey picture", "without the picture")
    blind: ClassVar[Metric] = ACC_BLIND
    gain: ClassVar[Metric] = MULTIMODAL_GAIN
    metrics: Sequence[Metric] = looked_metrics()
    asks: Sequence[type[Request]] = (MultimodalLoglikelihood,)
    supports_fewshot = False

    @override
    def requests(self, sample: Sample) -> Sequence[MultimodalLoglikelihood]:
        """One for each choice with the medium, then one for each with its control."""
        return [
            self.asked(context=sample.prompt, continuation=f" {choice}", media=(sample.fields[shown],))
            for shown in (self.shown if self.controlled else self.shown[:1])
            for choice in sample.choices
        ]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return "" if position < len(sample.choices) else self.control[0]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric; all are invalid where any answer can't be used."""
        assert isinstance(sample.gold, int)
        gold = sample.choices[sample.gold]
        blank = Score(sample_id=sample.id, metric="", gold=gold, cluster=sample.cluster, groups=sample.fields["groups"])
        if reason := self.unusable(responses):
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        seen, *hidden_from = self.chosen(sample, responses)
        found = replace(
            blank,
            metric=ACC.name,
            value=float(seen.index == sample.gold),
            predicted=sample.choices[seen.index],
            tie=seen.tie,
        )
        if not hidden_from:
            return [found]
        (blind,) = hidden_from
        guessed, hidden = float(blind.index == sample.gold), sample.choices[blind.index]
        gain = replace(
            found,
            value=(found.value or 0.0) - guessed,
            remark=f"{hidden} {self.control[1]}",
            tie=seen.tie or blind.tie,
        )
        others = {
            self.gain.name: gain,
            self.blind.name: replace(blank, value=guessed, predicted=hidden, tie=blind.tie),
        }
        cost = responses[sample.gold].loglikelihood if sample.gold < len(responses) else None
        if cost is not None:
            others[GOLD_BITS_PER_BYTE.name] = gold_cost(blank, cost, gold)
        # What else a task has is made of what was chosen, as `macro_f1` is.
        return [replace(others.get(metric.name, found), metric=metric.name) for metric in self.metrics]

    def unusable(self, responses: Sequence[Response]) -> str | None:
        """Why the answers can't be scored; None where they can."""
        return unanswered(responses)

    def chosen(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Choice]:
        """The answer with the medium, then that with its control where that is asked about, too."""
        count, nats = len(sample.choices), [response.loglikelihood or 0.0 for response in responses]
        return [
            pick(nats[start : start + count], sample.choices, normalised=False) for start in range(0, len(nats), count)
        ]
