"""A long run says how much is before it, and how long that takes at the pace of what was done."""

import pytest

from harness.core.models import Batch
from harness.core.process.progress import Quiet
from harness.core.requests import GenerateUntil, Loglikelihood
from harness.run.outlook.live import MANY_TOKENS, Outlook


class Listening(Quiet):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.left: list[float] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def foresee(self, seconds: float) -> None:
        self.left.append(seconds)


class Clock:
    """Moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


READING, WRITING = "quiz/loglikelihood", "essays/generate_until"


def reading(tokens: int) -> Batch:
    return Batch((Loglikelihood(context="a", continuation="b"),), computed_token_count=tokens)


def writing(*max_tokens: int) -> Batch:
    return Batch(tuple(GenerateUntil(context="a", max_tokens=most) for most in max_tokens), computed_token_count=9)


@pytest.fixture
def heard() -> Listening:
    return Listening()


def try_all(outlook: Outlook, clock: Clock, seconds: float) -> list[str]:
    """Where the batches come from that are tried, each of which takes so long."""
    tried = []
    for name, batch in outlook.trials():
        outlook.begin()
        clock.now += seconds
        outlook.done(name, batch)
        tried.append(name)
    return tried


def test_how_long_it_takes_is_told_after_a_batch_of_each_kind_and_kept_up_to_date(heard: Listening) -> None:
    clock = Clock()
    outlook = Outlook(heard, clock=clock)
    plan = {READING: [reading(20_000) for _ in range(4)], WRITING: [writing(1000, 500) for _ in range(10)]}
    outlook.expect(plan)
    assert heard.said.pop() == "80,090 tokens to read, at most 15,000 to write"
    assert sorted(try_all(outlook, clock, 10)) == sorted(plan)
    # 3 more batches at 10 s, and 9 more at 10 s.
    assert heard.said.pop() == "about 2.0 min to go on this machine, going by 2 batches"
    assert heard.left[-1] == 120
    outlook.begin()
    clock.now += 40
    outlook.done(READING, plan[READING][0])
    # Reading takes 50 s for 40,000 tokens now, and 40,000 are left.
    assert heard.left[-1] == 50 + 90
    assert not heard.said


def test_batches_are_tried_until_the_time_for_it_is_up(heard: Listening) -> None:
    clock = Clock()
    outlook = Outlook(heard, clock=clock)
    plan = {f"{name}/loglikelihood": [reading(30_000 - n) for _ in range(3)] for n, name in enumerate("abcdef")}
    outlook.expect(plan)
    tried = try_all(outlook, clock, 4)
    # The cheapest first, then where there is most to do: a fourth would end after 16 s, and 15 are allowed.
    assert tried == ["f/loglikelihood", "a/loglikelihood", "b/loglikelihood"]
    assert try_all(outlook, clock, 1) == []


def test_a_short_run_and_one_whose_workers_share_batches_try_none(heard: Listening) -> None:
    outlook = Outlook(heard, clock=Clock())
    outlook.expect({READING: [reading(MANY_TOKENS - 1)]})
    assert list(outlook.trials()) == []
    assert not heard.said
    shared = Outlook(heard, tries=False, clock=Clock())
    shared.expect({READING: [reading(MANY_TOKENS)]})
    assert list(shared.trials()) == []
    assert heard.said == ["20,000 tokens to read"]


def test_many_steps_of_few_texts_take_longer_than_few_steps_of_many(heard: Listening) -> None:
    clock = Clock()
    outlook = Outlook(heard, clock=clock)
    # As many tokens at most; seen on a processor, a step costs as much as 32 tokens that are read, and its tokens 2.
    wide, long = writing(*[16] * 200), writing(*[800] * 4)
    outlook.expect({WRITING: [wide, long] * 4})
    outlook.begin()
    clock.now += 6.921
    outlook.done(WRITING, wide)
    wide_work, long_work = 9 + 32 * 16 + 2 * 3200, 9 + 32 * 800 + 2 * 3200
    assert heard.left[-1] == pytest.approx(6.921 / wide_work * (3 * wide_work + 4 * long_work))
