"""Whether a model says that it sees what isn't there."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import ClassVar

from typing_extensions import override

from harness.core.metrics import Mean, Metric
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.metrics.standard import ACC
from suites.vision.drawn import COLOURS, SHAPES, Drawn, Maker, scattered
from suites.vision.looking import PictureQuestion, looked_metrics
from suites.vision.scenes import another

__all__ = ["YES_RATE", "ObjectPresence"]

YES_RATE = Mean(
    name="yes_rate",
    unit="share",
    target=0.5,
    lowest=0.0,
    highest=1.0,
    source="Li et al., Evaluating object hallucination in large vision-language models (POPE, 2023)",
    meaning="""
    In [0, 1], best at 0.5: share of questions that are answered yes. Half of the objects are there. Far above 0.5 the
    model says that it sees whatever it is asked for.
    """,
)
_ANSWERS = ("yes", "no")


def _present(rng: Random) -> PictureQuestion:
    things = _things(rng)
    return _asked(rng, things, rng.choice(things), 0)


def _absent(rng: Random) -> PictureQuestion:
    things = _things(rng)
    while (asked := another(rng, things[0])) in things:
        pass
    return _asked(rng, things, asked, 1)


def _nearly(rng: Random) -> PictureQuestion:
    """Its colour is there, and its shape, in different things."""
    things = _things(rng)
    pairs = [(colour, shape) for colour, _ in things for _, shape in things if (colour, shape) not in things]
    return _asked(rng, things, rng.choice(pairs), 1)


def _things(rng: Random) -> list[tuple[str, str]]:
    return list(zip(rng.sample(list(COLOURS), 3), rng.sample(SHAPES, 3), strict=True))


def _asked(rng: Random, things: Sequence[tuple[str, str]], asked: tuple[str, str], gold: int) -> PictureQuestion:
    return PictureQuestion(
        image=scattered(rng, things, cells=3),
        question=f"Is there a {' '.join(asked)} in the picture?".replace("a orange", "an orange"),
        choices=_ANSWERS,
        gold=gold,
    )


class ObjectPresence(Drawn):
    """Asks for an object that is in the picture, or isn't, after POPE (Li et al., 2023).

    What it measures. Half of the questions ask for a shape that is there (`present`). A quarter ask for any other
    (`absent`), and a quarter for one whose colour and shape are both there, in different things (`nearly`): the
    adversarial questions of POPE. `yes_rate` tells a model that always says yes, whose `acc` is 0.5.

    Why it matters. To describe what isn't there is the commonest fault of vision-language models.

    Limits. Drawn shapes in place of the photographs of POPE, so the scores are not its scores. Chance is 0.5.
    """

    name = "object_presence"
    default_limit = 32
    metrics: Sequence[Metric] = (*looked_metrics(("kind",)), YES_RATE)
    kinds: ClassVar[Sequence[tuple[str, Maker]]] = (
        ("present", _present),
        ("absent", _absent),
        ("present", _present),
        ("nearly", _nearly),
    )

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """As for any picture, and whether the answer was yes."""
        found = [one for one in super().score(sample, responses) if one.metric != YES_RATE.name]
        answered = next(one for one in found if one.metric == ACC.name)
        value = None if answered.invalid else float(answered.predicted == _ANSWERS[0])
        return [*found, replace(answered, metric=YES_RATE.name, value=value)]
