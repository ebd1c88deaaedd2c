"""A long run says how much is before it, and how long that takes at the rate of what was done."""

import pytest

from harness.core.models import Batch
from harness.core.process.progress import Quiet
from harness.core.requests import GenerateUntil, Loglikelihood
from harness.run.outlook import MANY_TOKENS, Outlook


class Notes(Quiet):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


class Clock:
    """Moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(tokens: int) -> Batch:
    return Batch((Loglikelihood(context="a", continuation="b"),), computed_token_count=tokens)


def writing(*max_tokens: int) -> Batch:
    return Batch(tuple(GenerateUntil(context="a", max_tokens=most) for most in max_tokens), computed_token_count=9)


@pytest.fixture
def told() -> tuple[Outlook, list[str], Clock]:
    notes, clock = Notes(), Clock()
    return Outlook(notes, clock), notes.said, clock


def done(outlook: Outlook, clock: Clock, batch: Batch, seconds: float) -> None:
    outlook.begin()
    clock.now += seconds
    outlook.done(batch)


def test_each_rate_is_told_once_when_it_is_known(told: tuple[Outlook, list[str], Clock]) -> None:
    outlook, said, clock = told
    batches = [*(reading(200_000) for _ in range(4)), *(writing(1000, 500) for _ in range(10))]
    outlook.expect(batches)
    assert said.pop() == (
        "800,000 tokens to read, at most 15,000 to write: how long that takes is told when its rate is known"
    )
    done(outlook, clock, batches[0], 10)
    assert not said
    done(outlook, clock, batches[1], 30)
    assert said.pop() == "reading 10,000 tokens a second: 40 s more for the 400,000 that are left"
    done(outlook, clock, batches[2], 30)
    done(outlook, clock, batches[4], 100)
    assert said.pop() == "writing 15 tokens a second: at most 15 min more for the 13,500 that are left"
    for batch in batches[5:]:
        done(outlook, clock, batch, 100)
    assert not said


def test_a_short_run_and_what_is_asked_later_say_nothing(told: tuple[Outlook, list[str], Clock]) -> None:
    outlook, said, clock = told
    outlook.expect([reading(MANY_TOKENS - 1)])
    done(outlook, clock, reading(MANY_TOKENS - 1), 1000)
    assert not said
    outlook.expect([reading(MANY_TOKENS)])
    outlook.expect([reading(MANY_TOKENS)])
    assert len(said) == 1
