"""What a server says of a prompt's own tokens: read where it can be, and named for what is wrong where it can't."""

import pytest

from harness.checkpoints.echo import Echo, read_echo

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
        (answer(["日本", 7], [None, -1.0], [None, {}]), "have an unknown form"),
        (answer(["日本", " is"], [None, "-1"], [None, {}]), "have an unknown form"),
        (answer(["日", " is"], [None, -1.0], [None, {}]), "don't spell the prompt"),
        (answer(["\ufffd", " is"], [None, -1.0], [None, {}], text_offset=[0, "2"]), "don't spell the prompt"),
        (answer(["\ufffd", " is"], [None, -1.0], [None, {}], text_offset=[0]), "don't spell the prompt"),
        (answer(["日本", " is"], [None, None], [None, {}]), "gives no log-probabilities"),
        (answer([PROMPT[:0], "<s>" + PROMPT], [None, -1.0], [None, {}], text_offset=None), "gives no log-prob"),
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
