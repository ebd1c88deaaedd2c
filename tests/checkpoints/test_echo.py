"""What a server says of a prompt's own tokens: read where it can be, and named for what is wrong where it can't."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checkpoints.served.echo import Echo, read_echo

PROMPT = "日本 is"


def answer(tokens, values, top, **more):
    return {"choices": [{"logprobs": {"tokens": tokens, "token_logprobs": values, "top_logprobs": top, **more}}]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "gives no log-probabilities"),
        ({"choices": []}, "gives no log-probabilities"),
        ({"choices": [{"logprobs": None}]}, "gives no log-probabilities"),
        (answer(["日本", " is"], [None], [None, {}]), "gives no log-probabilities"),
        (answer(["日本", 7], [None, -1.0], [None, {}]), "in an unknown form"),
        (answer(["日本", " is"], [None, "-1"], [None, {}]), "in an unknown form"),
        (answer(["日", " is"], [None, -1.0], [None, {}]), "add up to the prompt"),
        (answer(["\ufffd", " is"], [None, -1.0], [None, {}], text_offset=[0, "2"]), "add up to the prompt"),
        (answer(["\ufffd", " is"], [None, -1.0], [None, {}], text_offset=[0]), "add up to the prompt"),
        (answer(["日本", " is"], [None, None], [None, {}]), "gives no log-probabilities"),
        (
            answer([PROMPT[:0], "<s>" + PROMPT], [None, -1.0], [None, {}], text_offset=None),
            "don't add up to the prompt",
        ),
    ],
)
def test_what_is_no_echo_is_said_to_be_none(given, words):
    assert words in read_echo(given, PROMPT)


def test_the_likeliest_token_is_greedy_however_the_server_lists_it():
    top = [None, {" is": -0.5, " was": -1.0}, "unknown", {}]
    found = read_echo(answer(["日本", " i", "s", "!"], [None, -0.5000001, -2.0, -1.0], top), PROMPT)
    assert isinstance(found, Echo)
    assert [token.is_greedy for token in found.tokens] == [False, True, False]
    assert [(token.start, token.end) for token in found.tokens] == [(0, 2), (2, 4), (4, 5)]
    assert [token.loglikelihood for token in found.tokens] == [None, -0.5000001, -2.0]


def test_a_character_cut_into_tokens_is_placed_by_the_servers_offsets():
    tokens = ["<s>", "\ufffd", "\ufffd", "本", " is"]
    found = read_echo(
        answer(tokens, [None, -1.0, -2.0, -3.0, -4.0], [None, {}, {}, {}, {}], text_offset=[-3, 0, 0, 1, 2]), PROMPT
    )
    assert isinstance(found, Echo)
    assert [(token.start, token.end) for token in found.tokens] == [(0, 0), (0, 1), (1, 2), (2, 5)]
    assert len(found.after(1)) == 2


def numbers(prompt, tokens, **more):
    """An answer with these tokens, of which each after the first has the same probability."""
    values = [None] + [-1.0] * (len(tokens) - 1)
    return answer(tokens, values, [None] + [{"?": -0.5}] * (len(tokens) - 1), **more)


HELLO = "Hello, wörld 日本"


@pytest.mark.parametrize(
    ("values", "top", "words"),
    [
        ([None, 0.5], {}, "a log-probability of 0.5, which is above 0"),
        ([None, 1e-3], {}, "which is above 0"),
        ([None, True], {}, "unknown form"),
        ([None, False], {}, "unknown form"),
        ([None, float("nan")], {}, "NaN or infinite"),
        ([None, float("-inf")], {}, "NaN or infinite"),
        ([None, [-1.0]], {}, "unknown form"),
        ([None, -1.0], {"a": "x"}, "unknown form"),
        ([None, -1.0], {"a": True}, "unknown form"),
        ([None, -1.0], {"a": 2.0}, "which is above 0"),
        ([None, -1.0], {"a": -9.0}, "a higher probability than the token"),
        ("ab", {}, "unknown form"),
    ],
)
def test_numbers_that_are_no_log_probabilities_are_refused(values, top, words):
    assert words in read_echo(answer(["日本", " is"], values, [None, top]), PROMPT)


@pytest.mark.parametrize(
    "tokens",
    [
        ["Good", "bye", ", wörld", " 日本", "!"],
        ["Hello", ",", " wörld", " 日本", " is", " far", " away"],
        [",", "Hello", " wörld", " 日本", "!"],
        ["You", " are", " evil", ".", "Hello", ",", " wörld", " 日本", "!"],
        ["Hello", ",", " wörld", "!"],
        ["Hello, wörld 日本 is"],
        ["Hello", ",", " w", "bytes:\\xc3", "bytes:\\xb7", "rld", " 日本", "!"],
        ["Hello", ",", " w\ufffdrld", " 日\ufffd\ufffd", "\ufffd\ufffd\ufffd", "!"],
        ["Hello", *[""] * 99, ",", " wörld", " 日本", "!"],
        ["\ufffd" * 20_000],
        [],
    ],
)
def test_tokens_of_another_text_are_refused_whatever_offsets_come_with_them(tokens):
    for more in (
        {},
        {"text_offset": list(range(len(tokens)))},
        {"text_offset": [0, 5, 6, 12, 15, 15, 15][: len(tokens)]},
    ):
        assert isinstance(read_echo(numbers(HELLO, tokens, **more), HELLO), str)


@pytest.mark.parametrize("offsets", [[15, 12, 6, 5, 0], [0, 5, 6, 6, 15], [0, 1, 2, 3, 4], [0, 5, 6, 12, 3], [0] * 5])
def test_offsets_that_run_backwards_or_overlap_are_refused(offsets):
    found = read_echo(numbers(HELLO, ["Hello", ",", " wörld", " 日本", "!"], text_offset=offsets), HELLO)
    assert "overlap" in found


@pytest.mark.parametrize(
    ("tokens", "offsets", "starts"),
    [
        (["Hello", ",", " wörld", " 日本", "!"], [0, 5, 6, 12, 15], [0, 5, 6, 12]),  # OpenAI's legacy completions
        (["Hello", ",", " w", "bytes:\\xc3", "bytes:\\xb6", "rld", " 日本", "!"], None, [0, 5, 6, 8, 8, 9, 12]),
        (["Hello", ",", " wörld", " 日本", "!"], [-1] * 5, [0, 5, 6, 12]),  # SGLang
        (["<s>", "Hello", ",", " w", "<0xC3>", "<0xB6>", "rld", " 日本", "!"], None, [0, 5, 6, 8, 8, 9, 12]),
        (["<|begin_of_text|>", "Hello", ",", " wörld", " 日本", "!"], [0, 17, 22, 23, 29, 32], [0, 5, 6, 12]),  # vLLM
        (["[gMASK]", "<sop>", "Hello", ",", " wörld", " 日本", "!"], None, [0, 5, 6, 12]),
        (["", "Hello", ",", " wörld", " 日本", ""], None, [0, 5, 6, 12]),
        (["Hello", ",", "wörld", "日本", "!"], None, [0, 5, 6, 12]),  # each token decoded by itself
        ([" Hello", ",", " wörld", " 日本", "!"], [0, 6, 7, 13, 16], [0, 5, 6, 12]),
        (["Hello", ",", " w", "", "ö", "rld", " 日本", "!"], None, [0, 5, 6, 8, 8, 9, 12]),
        # vLLM counts the characters of what it shows.
        (["Hello, wörld", " ", *["\ufffd"] * 4, "!"], [0, 12, 13, 14, 15, 16, 17], [0, 12, 13, 13, 14, 14]),
        (["Hello", ",", " wörld", " 日本"], None, [0, 5, 6, 12]),
        (["Hello", ",", " wörld", " 日本", "!", "</s>"], None, [0, 5, 6, 12]),
        (["Hello", ",", " wörld", " 日本", "!"], [0, 5, 6, 13, 20], [0, 5, 6, 12]),  # bytes
    ],
)  # fmt: skip
def test_what_servers_in_use_give_for_tokens_is_placed(tokens, offsets, starts):
    found = read_echo(numbers(HELLO, tokens, text_offset=offsets), HELLO)
    assert isinstance(found, Echo), found
    assert [token.start for token in found.tokens] == starts
    assert found.tokens[-1].end == len(HELLO)


def test_a_log_probability_above_0_by_rounding_is_0():
    found = read_echo(answer(["日本", " is"], [-1e-7, 9e-7], [{}, {" is": 8e-7}]), PROMPT)
    assert [token.loglikelihood for token in found.tokens] == [-1e-7, 0.0]


def test_where_a_continuation_begins_is_told_only_where_the_tokens_tell_it():
    """Five lost characters are six bytes of two characters: the middle one may belong to either."""
    prompt, tokens = "公平", ["\ufffd"] * 5
    assert read_echo(numbers(prompt, [*tokens, "!"]), prompt).after(1) is None
    for offsets, count in (([0, 0, 1, 1, 1, 2], 3), ([0, 0, 0, 1, 1, 2], 2)):
        assert len(read_echo(numbers(prompt, [*tokens, "!"], text_offset=offsets), prompt).after(1)) == count


@given(st.text(min_size=1, max_size=40), st.lists(st.integers(0, 160), max_size=12))
def test_any_text_cut_anywhere_is_placed_where_it_was_cut(prompt, cuts):
    """By bytes, each token decoded by itself, with the offsets that a tokenizer has."""
    content = prompt.encode("utf-8", "replace")
    prompt = content.decode()
    bounds = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    tokens = [content[start:end].decode("utf-8", "replace") for start, end in pairwise(bounds)]
    offsets = [len(content[:start].decode("utf-8", "ignore")) for start in bounds]
    found = read_echo(numbers(prompt, [*tokens, "!"], text_offset=offsets), prompt)
    assert isinstance(found, Echo), found
    assert [token.start for token in found.tokens] == offsets[:-1]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), min_size=1, max_size=12),
    st.lists(st.integers(0, 40), max_size=12),
    st.randoms(use_true_random=False),
)
def test_texts_that_are_held_until_a_character_is_whole_never_place_a_token_wrongly(prompt, cuts, random):
    """As vLLM gives them: the first as it is, then nothing for one that ends inside of a character, and with the last
    byte of it what was held, or the end of that."""
    content = prompt.encode()
    bounds = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    tokens, offsets, told, shown = [], [], 0, 0
    for start, end in pairwise(bounds):
        text = content[random.randint(told, min(start, told + random.choice([0, 8]))) : end].decode("utf-8", "replace")
        tokens.append(text if start == 0 or not text.endswith("\ufffd") else "")
        offsets.append(shown)
        told, shown = end if tokens[-1] else told, shown + len(tokens[-1])
    hints = random.choice([None, [*offsets, shown]])
    found = read_echo(numbers(prompt, [*tokens, "!"], text_offset=hints), prompt)
    assert isinstance(found, Echo), found
    ends = [len(content[:end].decode("utf-8", "ignore")) for end in bounds[1:]]
    starts = [len(content[:start].decode("utf-8", "ignore")) for start in bounds[:-1]]
    for place in range(len(prompt)):
        behind = found.after(place)
        true = sum(start >= place or end > place for start, end in zip(starts, ends, strict=True))
        assert behind is None or len(behind) == true
