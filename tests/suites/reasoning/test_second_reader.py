"""Two readers of answers in maths: where they agree, where not, and what a text can't do to the second."""

from random import Random

import pytest

from harness.core import registry
from harness.core.metrics import Undefined
from harness.core.requests import Response
from harness.core.tasks import TaskSettings
from harness.data import fetch
from harness.metrics import second_reader
from harness.metrics.second_reader import DISAGREEMENT, second_verdict, unavailable

SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)
installed = pytest.mark.skipif(unavailable() is not None, reason="math-verify isn't installed")


@pytest.fixture(scope="module")
def samples():
    return registry.task("gsm8k").samples(fetch("gsm8k_100").rows, SETTINGS)


def scored(sample, text, stop="end", task="gsm8k"):
    return {
        one.metric: one
        for one in registry.task(task).score(sample, [Response(request_id="", text=text, stop=stop, token_count=9)])
    }


def test_every_worked_answer_of_gsm8k_is_right_and_another_number_is_not(samples):
    task = registry.task("gsm8k")
    assert len(samples) == 100
    for sample in samples:
        worked = task.answer(sample)
        assert "<<" not in worked
        found = task.extract(sample, worked)
        assert found is not None
        assert task.is_right(sample, found.answer), worked
        gold = int(sample.gold)
        for wrong in (gold + 1, -gold, gold * 10, gold / 7):
            near = task.extract(sample, worked.replace(f"Answer: {gold}", f"Answer: {wrong}"))
            assert near is None or not task.is_right(sample, near.answer)


@pytest.mark.parametrize(
    "text",
    [
        "Answer: {0}",
        "The answer is {0}.",
        r"So it is \boxed{{{0}}}.",
        "Answer: ${0}",
        "6 + 2, so {0}",
        "Answer: {0}.0",
        "**Answer:** {0} apples",
    ],
)
def test_a_number_is_found_however_it_is_given(samples, text):
    task = registry.task("gsm8k")
    for sample in samples[:5]:
        found = task.extract(sample, text.format(sample.gold))
        assert found is not None
        assert task.is_right(sample, found.answer)


@installed
def test_readers_agree_on_plain_answers(samples):
    task = registry.task("gsm8k")
    for sample in samples[:4]:
        for text in (task.answer(sample), f"Answer: {int(sample.gold) + 1}"):
            assert scored(sample, text)["extractor_disagreement"].value == 0


@installed
def test_a_disagreement_is_counted_and_stands_in_the_remark(samples):
    """The square root of the square is the answer to algebra, and no plain number to the strict rules."""
    sample = samples[0]
    found = scored(sample, rf"Answer: $\sqrt{{{int(sample.gold) ** 2}}}$")
    assert found["extractor_disagreement"].value == 1
    assert found["accuracy_all"].value == 0
    assert "math-verify: right" in found["accuracy_all"].remark


def test_a_cut_answer_has_no_second_reading(samples):
    found = scored(samples[0], "It is", stop="length").get("extractor_disagreement")
    assert found is None or found.value is None


@installed
@pytest.mark.parametrize("text", ["1e10000000", "$9^{9^{9^{9^9}}}$", "(" * 3000, "\x00\ud800"])
def test_no_text_hangs_the_run_or_is_right_by_accident(text):
    assert not second_verdict(text, "18").is_right


@installed
@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [("Answer: 1/2", "0.5", True), (r"\boxed{\frac{2}{4}}", "1/2", True), ("0.33", "1/3", False), ("12", "-12", False)],
)
def test_the_second_reader_knows_fractions(text, gold, right):
    assert second_verdict(text, gold).is_right is right


def test_without_the_library_it_is_absent_and_says_why(samples, monkeypatch):
    monkeypatch.setattr(second_reader, "_version", lambda: None)
    found = scored(samples[0], "Answer: 5")["extractor_disagreement"]
    assert (found.value, found.invalid) == (None, None)
    with pytest.raises(Undefined, match="math-verify isn't installed: `pip install"):
        DISAGREEMENT.reduce([found], Random(0))
    assert DISAGREEMENT.signature == "math-verify:none"


def test_puzzles_whose_answer_is_no_number_are_left_to_our_rules():
    task = registry.task("reasoning_arithmetic")
    by_family = {
        sample.fields["family"]: scored(sample, f"Answer: {sample.gold}", task="reasoning_arithmetic")
        for sample in task.samples([], TaskSettings(limit=3, num_fewshot=0, seed=0))
    }
    assert {name for name, found in by_family.items() if "extractor_disagreement" in found} == {
        "chain_sum",
        "fraction_sum",
    }
