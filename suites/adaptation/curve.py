"""A question asked after more and more exemplars, and what comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

import numpy as np
from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task, TaskSettings
from harness.core.text.reasons import Reason
from harness.tasks.choices import pick, unanswered
from harness.tasks.exemplars import after_exemplars, in_turns
from suites.adaptation.metrics import (
    ADAPTATION_AREA,
    DRAW,
    DRAW_SPREAD,
    GAIN_PER_DOUBLING,
    LABEL_EFFECT,
    ORDER_FLIP_RATE,
    RANDOM_LABEL_ACC,
    SHOTS,
    SHOTS_ACC,
    as_shots,
    curve_metrics,
)

__all__ = ["ALL_SHOTS", "AdaptationTask", "Answer", "answer_of", "arms_of", "of_curve", "point"]

ALL_SHOTS = (0, 1, 2, 4, 8, 16, 32)
"""Numbers of exemplars that are asked with, as far as data and window reach."""
_ALONE, _REORDERED, _RANDOM = "", "in another order", "with random answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A list of exemplars, of which the first so many as each of `shots` stand before the question.

    `name` is the number of a draw, or says what is done to the first draw.
    """

    name: str
    shots: tuple[int, ...]
    exemplars: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether an answer is right; where there is none, `lacking` says why: nothing is wrong with the model's answer."""

    right: float | None
    said: str = ""
    tie: bool = False
    invalid: str | None = None
    lacking: str | None = None


def arms_of(
    draws: Sequence[Sequence[tuple[str, str]]], random: Sequence[tuple[str, str]], shots: Sequence[int], rng: Random
) -> tuple[Arm, ...]:
    """The question alone, each draw of exemplars, the first draw in another order, and that with `random` answers.

    As many exemplars as the smallest draw has, at the most.
    """
    some = tuple(one for one in shots if 0 < one <= min(map(len, draws)))
    first = list(draws[0][: some[-1]])
    moved = rng.sample(first, len(first))
    if moved == first:
        moved = first[::-1]
    return (
        Arm(name=_ALONE, shots=(0,)),
        *(Arm(name=str(number), shots=some, exemplars=tuple(draw)) for number, draw in enumerate(draws)),
        Arm(name=_REORDERED, shots=some[-1:], exemplars=tuple(moved)),
        Arm(name=_RANDOM, shots=some, exemplars=tuple(random)),
    )


class AdaptationTask(Task):
    """A task whose questions are asked after 0, 1, 2, 4 and more exemplars.

    Fewer exemplars are the beginning of more, so that their texts are read once. A sample's fields hold the question
    itself (`asked`), the `arms` that stand before it, and the `settings` of the run.
    """

    shots: Sequence[int] = ALL_SHOTS
    draws = 1
    metrics: Sequence[Metric] = curve_metrics(ALL_SHOTS[-1], several_draws=False)
    asks: Sequence[type[Request]] = (Loglikelihood,)
    supports_fewshot = False

    def choices_of(self, sample: Sample) -> Sequence[Request]:
        """What is asked about a question with the exemplars in its prompt, one request a choice."""
        return [Loglikelihood(context=sample.prompt, continuation=f" {choice}") for choice in sample.choices]

    def posed(self, asked: Sample, arms: Sequence[Arm], settings: TaskSettings) -> Sample:
        """The question as a sample of this task."""
        return replace(asked, fields={"asked": asked, "arms": tuple(arms), "settings": settings})

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """One for each choice, for each arm and each of its numbers of exemplars."""
        asked, settings = sample.fields["asked"], sample.fields["settings"]
        found: list[Request] = []
        for arm, count in _ways(sample):
            (behind,) = after_exemplars(arm.exemplars[:count], [asked], settings)
            found += in_turns(behind, self.choices_of(behind))
        return found

    @override
    def variant(self, sample: Sample, position: int) -> str:
        arm, count = list(_ways(sample))[position // len(sample.choices)]
        if arm.name in (_REORDERED, _RANDOM):
            return f"{count} exemplars {arm.name}"
        return f"{count} exemplars, draw {int(arm.name) + 1}" if count else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Scores by number of exemplars and draw; those of the whole curve where it has more than one point."""
        size = len(sample.choices)
        parts = [responses[start : start + size] for start in range(0, len(responses), size)]
        answers = {
            (arm.name, count): answer_of(sample, count, part)
            for (arm, count), part in zip(_ways(sample), parts, strict=True)
        }
        blank = Score(sample_id=sample.id, metric="", gold=_gold(sample), cluster=sample.cluster or sample.id)
        some = [count for count in self.shots if count]
        scores = [_shot(blank, SHOTS_ACC, answers[_ALONE, 0], 0)]
        for count in some:
            drawn = [answers.get((str(draw), count)) or _missing(count) for draw in range(self.draws)]
            scores += [_shot(blank, SHOTS_ACC, answer, count, str(draw)) for draw, answer in enumerate(drawn)]
            if self.draws > 1 and not any(answer.lacking for answer in drawn):
                scores += [_shot(blank, DRAW_SPREAD, answer, count, str(draw)) for draw, answer in enumerate(drawn)]
            control = answers.get((_RANDOM, count)) or _missing(count)
            scores.append(_shot(blank, RANDOM_LABEL_ACC, control, count))
            scores.append(_difference(blank, drawn[0], control, count))
        last = max((count for _, count in answers), default=0)
        scores += _of_order(blank, answers["0", last], answers[_REORDERED, last])
        return [*scores, *of_curve(blank, answers, self.draws)]


def _ways(sample: Sample) -> Iterator[tuple[Arm, int]]:
    for arm in sample.fields["arms"]:
        yield from ((arm, count) for count in arm.shots)


def _gold(sample: Sample) -> str:
    assert isinstance(sample.gold, int)
    return sample.choices[sample.gold]


def answer_of(sample: Sample, count: int, responses: Sequence[Response]) -> Answer:
    """What the responses say, one a choice, after so many exemplars."""
    if count and any(response.unread_character_count for response in responses):
        return Answer(
            right=None,
            lacking=Reason("a prompt with {count} of the exemplars doesn't fit the model's window", count=count),
        )
    nats = [response.loglikelihood for response in responses if response.loglikelihood is not None]
    if reason := unanswered(responses):
        return Answer(right=None, invalid=reason)
    chosen = pick(nats, sample.choices, normalised=False)
    return Answer(right=float(chosen.index == sample.gold), said=sample.choices[chosen.index], tie=chosen.tie)


def _missing(count: int) -> Answer:
    return Answer(right=None, lacking=Reason("the data have fewer than {count} rows to show as exemplars", count=count))


def point(blank: Score, metric: Metric, answer: Answer, groups: Mapping[str, str]) -> Score:
    """The score of an answer, in these groups."""
    return replace(
        blank,
        metric=metric.name,
        value=answer.right,
        predicted=answer.said if answer.right is not None else None,
        tie=answer.tie,
        invalid=answer.invalid,
        remark=answer.lacking,
        groups=groups,
    )


def _shot(blank: Score, metric: Metric, answer: Answer, count: int, draw: str | None = None) -> Score:
    return point(blank, metric, answer, {SHOTS: as_shots(count), **({} if draw is None else {DRAW: draw})})


def _difference(blank: Score, own: Answer, control: Answer, count: int) -> Score:
    found = _shot(blank, LABEL_EFFECT, own, count)
    if own.right is None or control.right is None:
        return replace(_without(found, own, control), predicted=None)
    return replace(
        found,
        value=own.right - control.right,
        remark=f"{control.said} after random answers",
        tie=own.tie or control.tie,
    )


def _without(found: Score, *answers: Answer) -> Score:
    """The score without a value, and why."""
    invalid = next((one.invalid for one in answers if one.invalid), None)
    lacking = next((one.lacking for one in answers if one.lacking), None)
    return replace(found, value=None, invalid=invalid, remark=None if invalid else lacking)


def _of_order(blank: Score, first: Answer, moved: Answer) -> list[Score]:
    found = replace(blank, metric=ORDER_FLIP_RATE.name)
    if first.right is None or moved.right is None:
        return [_without(found, first, moved)]
    flipped = float(first.said != moved.said)
    return [replace(found, value=flipped, gold=first.said, predicted=moved.said, tie=first.tie or moved.tie)]


def of_curve(blank: Score, answers: Mapping[tuple[str, int], Answer], draws: int) -> list[Score]:
    """Area and slope over the numbers of exemplars that every draw has an answer for; answers go by draw and number."""
    curve: dict[int, float] = {}
    for count in sorted({count for _, count in answers}):
        names = [str(draw) for draw in range(draws)] if count else [_ALONE]
        rights = [answers[name, count].right for name in names]
        known = [right for right in rights if right is not None]
        if len(known) == len(rights):
            curve[count] = fmean(known)
    tie = any(answer.tie for answer in answers.values())
    if 0 not in curve or len(curve) < 2:
        return [
            _without(replace(blank, metric=one.name), *answers.values()) for one in (ADAPTATION_AREA, GAIN_PER_DOUBLING)
        ]
    places, heights = np.log2(1 + np.array(list(curve))), np.array(list(curve.values()))
    area = float(np.trapezoid(heights, places) / (places[-1] - places[0]))
    centred = places - places.mean()
    # Rounded, so that a flat curve has no slope.
    slope = round(float((centred * heights).sum() / (centred**2).sum()), 12)
    return [
        replace(blank, metric=ADAPTATION_AREA.name, value=min(1.0, area), tie=tie),
        replace(blank, metric=GAIN_PER_DOUBLING.name, value=slope, tie=tie),
    ]
