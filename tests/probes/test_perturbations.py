"""Every registered perturbation keeps the contract, on texts of any sort."""

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from harness.core.perturbations import MAX_SEVERITY, Perturbation
from harness.core.requests import GenerateUntil, Loglikelihood, Request
from harness.core.tasks import Sample
from probes.perturbations.edits import PLACEHOLDER
from probes.perturbations.embeddings import GaussianEmbeddings
from probes.perturbations.letters import neighbours
from probes.perturbations.options import OptionOrder
from suites.robustness.variants import perturbations

ALL = {one.name: one for one in perturbations()}
ENGLISH = "Question: The 3 committees don't meet, do not vote, and 12500 wait.\nA. forty\nB. Fifty of them\nAnswer:"
CHINESE = "问题：请问中国的首都是哪个城市，你知道吗？\n答案："
KEPT = ("{0}", "{name}", "%s", "%(count)d", "https://example.org/a?b=c", "ann@example.org", "<br />", "$HOME")

PIECES = (
    "do",
    "not",
    "you're",
    "three",
    "12000",
    "4,500",
    "Clean",
    "the window.",
    "where?",
    "Question:",
    "中国",
    "学习，",
    "A.",
)
words = st.one_of(st.sampled_from(KEPT), st.sampled_from(PIECES), st.text(max_size=8))
texts = st.lists(words, max_size=12).map(" ".join)
either = pytest.mark.parametrize("one", ALL.values(), ids=ALL)


@either
@settings(max_examples=25, deadline=None)
@given(text=texts, seed=st.integers(), severity=st.integers(0, MAX_SEVERITY))
def test_it_stays_within_its_limit_and_is_the_same_each_time(
    one: Perturbation, text: str, seed: int, severity: int
) -> None:
    noisy = one.perturb(text, Random(seed), severity)
    assert noisy == one.perturb(text, Random(seed), severity)
    assert Levenshtein.distance(text, noisy) <= one.limit(text, severity)
    if severity == 0:
        assert noisy == text


@either
@settings(max_examples=25, deadline=None)
@given(text=texts, seed=st.integers(), severity=st.integers(1, MAX_SEVERITY))
def test_placeholders_and_addresses_survive(one: Perturbation, text: str, seed: int, severity: int) -> None:
    noisy = one.perturb(text, Random(seed), severity)
    for kept in {found[0] for found in PLACEHOLDER.finditer(text)}:
        assert noisy.count(kept) >= text.count(kept)


@either
def test_it_applies_to_the_language_that_it_is_made_for_alone(one: Perturbation) -> None:
    chinese, english = (one.perturb(text, Random(1), MAX_SEVERITY) != text for text in (CHINESE, ENGLISH))
    if one.name.endswith("_zh"):
        assert chinese
        assert not english
    else:
        assert english
        assert chinese == (one.name in {"filler_sentences", "prompt_template"})


@either
def test_lettered_options_stay_and_labels_but_for_the_one_that_is_about_them(one: Perturbation) -> None:
    noisy = one.perturb(ENGLISH, Random(3), MAX_SEVERITY)
    assert "\nA. forty\nB. Fifty of them\n" in noisy
    assert (noisy.startswith("Question: ") and noisy.endswith("\nAnswer:")) == (one.name != "prompt_template")


@pytest.mark.parametrize(
    ("name", "text", "noisy"),
    [
        ("contractions", "They do not sing.", "They don't sing."),
        ("contractions", "Don't sing.", "Do not sing."),
        ("number_format", "It took 12500 days.", "It took 12,500 days."),
        ("number_format", "It took 12,500 days.", "It took 12500 days."),
        ("number_format", "It took 3 days.", "It took three days."),
        ("number_format", "In 1984 it was 3.5 of version 2.0.1", "In 1984 it was 3.5 of version 2.0.1"),
        ("number_format", "About 5 people and 250000 birds came.", "About five people and 250,000 birds came."),
        ("number_format", "12500 people paid €12345.", "12,500 people paid €12,345."),
        ("number_format", "She ate three plums of 1,250,000", "She ate 3 plums of 1250000"),
        ("word_order", "red cat", "cat red"),
        ("word_order", "don't sit", "don't sit"),
        ("traditional_zh", "他学", "他學"),
        ("traditional_zh", "他學", "他学"),
        ("punctuation_width_zh", "好，3.5", "好,3.5"),
        ("letter_swaps", "cat", "cta"),
    ],
)
def test_what_little_a_text_offers_is_changed_as_stated(name: str, text: str, noisy: str) -> None:
    assert ALL[name].perturb(text, Random(0), MAX_SEVERITY) == noisy


@pytest.mark.parametrize(
    "text",
    [
        "Call 13812345678 or 2125550187 before noon.",
        "Dial 020 7946 0958, (212) 5550187 or +442079460958 now.",
        "Our phone is 5550187 please ring twice.",
        "To DE89 3704 0044 0532 0130 00, or GB82 WEST 1234 5698 7654 32.",
        "Order 123456 went to Springfield, IL 62704 last week.",
        "On May 5, on 12 March and on the 3 of April 2024; 2024-01-15, 5/6/2024.",
        "Step 3: see chapter 12, room 7 and figure 2 on page 10.",
        "1. Mix the flour.\n2) Add water.",
        "At 10 am, or 7 o'clock, 5 % of 12% waited.",
        "It was 3.14159 of version 10.15.7, in 1984, at 12345.678.",
        "My laptop runs Windows 10 and a Boeing 747 landed.",
        "Between 1234,567 and 12 500 and 1 000 000 and 5-10.",
        "The serial number is XK12ABC9 and 00123456.",
        "The id of the user was 123456 at first.",
    ],
)
def test_numbers_that_say_no_quantity_keep_their_form(text: str) -> None:
    assert ALL["number_format"].perturb(text, Random(0), MAX_SEVERITY) == text


@given(number=st.integers(10_000, 10**9 - 1))
def test_a_quantity_in_another_format_is_the_same_number(number: int) -> None:
    once = ALL["number_format"].perturb(f"There were {number} birds.", Random(0), MAX_SEVERITY)
    assert once == f"There were {number:,} birds."
    assert ALL["number_format"].perturb(once, Random(0), MAX_SEVERITY) == f"There were {number} birds."


@either
def test_codes_and_bank_accounts_survive(one: Perturbation) -> None:
    codes = ("GB82 WEST 1234 5698 7654 32", "XKWQ12ABCD9", "DE89370400440532013000")
    noisy = one.perturb(f"She sent {codes[0]} and {codes[1]} and {codes[2]} to them.", Random(4), MAX_SEVERITY)
    assert all(code in noisy for code in codes)


def test_neighbouring_keys_are_those_of_the_keyboard() -> None:
    assert set(neighbours("g")) == set("ftyhbv")
    assert set(neighbours("Q")) == {"W", "A"}


def test_similar_shapes_share_a_component_and_homophones_a_sound() -> None:
    seen = {name: {ALL[name].perturb("请", Random(seed), 1) for seed in range(80)} for name in
            ("similar_shapes_zh", "homophones_zh")}  # fmt: skip
    assert {"情", "订"} < seen["similar_shapes_zh"]
    assert seen["homophones_zh"] == {"顷"}


QUESTION = "Question: Which of the animals flies at night over the house?\n{options}\nAnswer:"
ANIMALS = ("a red fox", "two bats", "the old owl", "a green parrot", "some moths")
letters = st.integers(2, 5)


def asked_by_letter(count: int, stem: str = "") -> tuple[Sample, list[Loglikelihood]]:
    lines = "\n".join(f"{letter}. {animal}" for letter, animal in zip("ABCDE"[:count], ANIMALS, strict=False))
    prompt = stem + QUESTION.format(options=lines)
    sample = Sample(id="1", prompt=prompt, question_start=len(stem), choices=tuple("ABCDE"[:count]), gold=1)
    return sample, [Loglikelihood(context=prompt, continuation=f" {letter}") for letter in "ABCDE"[:count]]


def option_of(request: Loglikelihood) -> str:
    """The option that the request's letter stands before."""
    lines = dict(line.split(". ", 1) for line in request.context.rpartition("Question:")[2].splitlines()[1:-1])
    return lines[request.continuation.strip()]


@given(count=letters, seed=st.integers(), severity=st.integers(0, MAX_SEVERITY))
def test_options_change_places_and_each_answer_goes_with_its_option(count: int, seed: int, severity: int) -> None:
    stem = "Question: Which is a fruit?\nA. an apple\nB. a chair\nAnswer: A\n\n"
    sample, asked = asked_by_letter(count, stem)
    noisy = OptionOrder().disturb(sample, asked, Random(seed), severity)
    assert noisy == OptionOrder().disturb(sample, asked, Random(seed), severity)
    assert all(one.context.startswith(stem) for one in noisy)  # type: ignore[attr-defined]
    assert [option_of(one) for one in noisy] == list(ANIMALS[:count])  # type: ignore[arg-type]
    assert sorted(one.continuation for one in noisy) == sorted(one.continuation for one in asked)  # type: ignore[attr-defined]
    moved = sum(one != other for one, other in zip(noisy, asked, strict=True) if one.continuation != other.continuation)  # type: ignore[attr-defined]
    assert moved == (0 if severity == 0 else max(2, -(-severity * count // MAX_SEVERITY)))


def test_options_in_words_stay_the_same_answers() -> None:
    sample, asked = asked_by_letter(3)
    in_words = [replace(one, continuation=f" {animal}") for one, animal in zip(asked, ANIMALS, strict=False)]
    noisy = OptionOrder().disturb(sample, in_words, Random(1), MAX_SEVERITY)
    assert [one.continuation for one in noisy] == [one.continuation for one in in_words]  # type: ignore[attr-defined]
    assert len({one.context for one in (*noisy, *in_words)}) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "asked",
    [
        [Loglikelihood(context="Is it so?", continuation=f" {word}") for word in ("yes", "no")],
        [Loglikelihood(context="A. yes\nB. no\nC. maybe\nSo:", continuation=f" {word}") for word in ("yes", "no")],
        [Loglikelihood(context=f"A. yes\nB. no\n{word}", continuation=" A") for word in ("One", "Two")],
        [GenerateUntil(context="A. yes\nB. no\nSo:")],
    ],
    ids=["no options", "other options", "two questions", "to be written"],
)
def test_what_lists_no_choices_keeps_its_order(asked: list[Request]) -> None:
    assert OptionOrder().disturb(Sample(id="1", prompt=""), asked, Random(1), MAX_SEVERITY) == asked


@given(text=texts, seed=st.integers(), severity=st.integers(0, MAX_SEVERITY))
@settings(max_examples=50, deadline=None)
def test_noise_on_embeddings_keeps_the_text_and_spares_labels_placeholders_and_answers(
    text: str, seed: int, severity: int
) -> None:
    sample = Sample(id="1", prompt=text, question_start=len(text) // 2, choices=("Clean", "where"))
    asked = [GenerateUntil(context=text)]
    (noisy,) = GaussianEmbeddings().disturb(sample, asked, Random(seed), severity)
    assert [noisy] == GaussianEmbeddings().disturb(sample, asked, Random(seed), severity)
    assert isinstance(noisy, GenerateUntil)
    assert replace(noisy, noise=None) == asked[0]
    own = text[sample.question_start :]
    for start, end in noisy.noise.spans if noisy.noise else ():
        assert sample.question_start <= start < end <= len(text)
        part = text[start:end]
        assert not any(re.search(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])", own) and word in part.split()
                       for word in ("Clean", "where"))  # fmt: skip
        assert not PLACEHOLDER.fullmatch(part)
    if severity == 0:
        assert noisy.noise is None
    elif noisy.noise:
        assert noisy.noise.scale == pytest.approx(0.4 * severity)
