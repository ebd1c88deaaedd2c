"""Answers in a model's own words: what each counts as, the bounds around what was cut, and the estimators of draws."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import InputError
from harness.core.requests import Response
from harness.core.tasks import Sample
from harness.metrics.written import pass_at_k, pass_hat_k
from harness.tasks.extraction import behind_marker, canonical_answer, last_number, same_answer
from harness.tasks.sampling import Sampling
from harness.tasks.written import Written
from harness.testing import check_task


class Sums(Written):
    """Sums, for tests."""

    name = "sums"
    max_tokens = 64

    def sample(self, row):
        return Sample(id="", prompt=row["question"], gold=str(row["sum"]))

    def answer(self, sample):
        return sample.gold

    def extract(self, sample, text):
        found = behind_marker(text)
        return last_number(found.answer if found else text)

    def is_right(self, sample, answer):
        if answer == "13":
            raise ZeroDivisionError("unlucky")
        return float(answer) == float(sample.gold)


SAMPLE = Sample(id="1", prompt="2 + 2 =", gold="4")


def said(text, *, stop="end", tokens=8, **fields):
    return Response(request_id="", text=text, stop=stop, token_count=tokens, **fields)


def values(*responses, samples=1):
    task = Sums()
    if samples > 1:
        task.use_sampling(Sampling(samples=samples))
    found = task.score(SAMPLE, responses)
    return {(one.metric, *one.groups.values()): one for one in found}


@pytest.mark.parametrize(
    ("response", "remark", "expected"),
    [
        (said("It is 4."), "right (last number)", (1, 1, 1, 0, 0)),
        (said("It is 5."), "wrong (last number)", (0, 0, 0, 0, 0)),
        (said("It is four."), "unparsed", (0, 0, 1, 0, 1)),
        (said("It is 4 and", stop="length", tokens=64), "cut", (0, None, 1, 1, 0)),
        (
            said(None, raw_text="<think>2 and 2", thinking_token_count=8, stop="length", invalid="no answer"),
            "cut",
            (0, None, 1, 1, 0),
        ),
        (
            said(None, raw_text="<think>2 and 2", thinking_token_count=8, stop="end", invalid="no answer"),
            "cut",
            (0, None, 1, 1, 0),
        ),
    ],
)
def test_a_cut_answer_is_censored_and_an_unread_one_is_told(response, remark, expected):
    found = values(response)
    names = ("accuracy_all", "accuracy_finished", "accuracy_upper_bound", "cut", "unparsed")
    assert tuple(found[name,].value if (name,) in found else None for name in names) == expected
    assert {one.remark for one in found.values()} == {remark}
    assert not any(one.invalid for one in found.values())


def test_what_cannot_be_used_is_invalid_and_says_why():
    assert "no number" in values(said(None, invalid="no number"))["accuracy_all",].invalid
    assert "ZeroDivisionError: unlucky" in values(said("13"))["accuracy_all",].invalid
    assert all(one.value is None for one in values(said("13")).values())


def test_an_answer_counts_for_the_budgets_in_which_it_had_ended():
    found = values(said("4", tokens=17))
    assert {key[1]: one.value for key, one in found.items() if key[0] == "accuracy_at_budget"} == {
        "1/8": 0,
        "1/4": 0,
        "1/2": 1,
        "1": 1,
    }


@given(st.lists(st.tuples(st.integers(1, 120), st.booleans()), min_size=1, max_size=8))
def test_the_bounds_hold_the_score_of_the_run_that_is_not_cut(answers):
    """A model that writes for so many tokens, then gives its answer: cut at 64, and not cut."""
    draws = [said("4" if right else "5", tokens=length) for length, right in answers]
    cut = [one if one.token_count < 64 else said("4", stop="length", tokens=64) for one in draws]
    whole = sum(right for _, right in answers) / len(answers)
    found = values(*cut, samples=len(answers))
    assert found["accuracy_all",].value <= whole <= found["accuracy_upper_bound",].value
    assert found["accuracy_at_budget", "1"].value == found["accuracy_all",].value


@pytest.mark.parametrize("draws", [1, 2, 5])
def test_pass_at_k_is_the_share_of_all_ways_to_take_k_draws(draws):
    for right in range(draws + 1):
        outcomes = [place < right for place in range(draws)]
        for k in range(1, draws + 1):
            taken = list(combinations(outcomes, k))
            assert pass_at_k(draws, right, k) == pytest.approx(sum(map(any, taken)) / len(taken), abs=1e-12)
            assert pass_hat_k(draws, right, k) == pytest.approx(sum(map(all, taken)) / len(taken), abs=1e-12)


def test_several_draws_vote_and_share_their_prompt():
    found = values(said("4"), said("5"), said("4"), said("four"), samples=4)
    assert found["accuracy_all",].value == 0.5
    assert found["majority",].value == 1
    assert found["pass_at_k", "1"].value == 0.5
    assert found["pass_at_k", "4"].value == 1
    assert found["pass_hat_k", "2"].value == pytest.approx(1 / 6)
    assert found["accuracy_all",].predicted == "4 x 2 | 5"
    assert found["accuracy_all",].remark == "right (last number) x 2, wrong (last number), unparsed"
    assert values(said("4"), said("5"), samples=2)["majority",].value == 0.5
    task = Sums()
    task.use_sampling(Sampling(samples=3, top_k=5))
    asked = task.requests(SAMPLE)
    assert len({one.id for one in asked}) == 3
    assert {(one.context, one.temperature, one.top_k) for one in asked} == {("2 + 2 =", 0.8, 5)}


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(samples=3)])
def test_it_keeps_the_contract_of_tasks(sampling):
    task = Sums()
    task.use_sampling(sampling)
    rows = [{"question": f"{one} + 1 =", "sum": one + 1} for one in Random(0).sample(range(90), 9)]
    check_task(task, rows)


@pytest.mark.parametrize(
    "said_of_it",
    [
        {"samples": 0},
        {"samples": 10_000},
        {"samples": 2, "temperature": 0},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 0.9},
        {"top_k": 0, "temperature": 1},
        {"max_tokens": 0},
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(said_of_it):
    with pytest.raises(InputError, match="--"):
        Sampling(**said_of_it)


def test_draws_vote_for_what_they_say_and_not_for_how():
    class Fractions(Sums):
        def ballot(self, sample, answer):
            return canonical_answer(answer)

        def is_right(self, sample, answer):
            return same_answer(answer, sample.gold)

    task = Fractions()
    task.use_sampling(Sampling(samples=5))
    half = Sample(id="1", prompt="1 / 2 =", gold="1/2")
    found = task.score(half, [said(text) for text in ("0.5", "1/2", "0.50", "3", "3")])
    assert {one.metric: one.value for one in found}["majority"] == 1


def test_tokens_that_a_server_does_not_count_are_no_zero():
    found = values(said("4", tokens=0))
    for name in ("answer_tokens", "tokens_per_right_answer"):
        assert "doesn't count" in found[name,].invalid
    assert "doesn't count" in found["accuracy_at_budget", "1/8"].invalid
    assert found["accuracy_all",].value == 1
    thought = values(said("4", tokens=9, raw_text="<think>2</think>4"))
    assert "doesn't count" in thought["thinking_tokens",].invalid
