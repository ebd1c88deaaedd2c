"""What is made of a chat server's answers: thoughts, refusals, nothing at all, and parameters that it doesn't take."""

import base64
import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.checkpoints import resolve
from harness.checkpoints.served.echo import read_echo
from harness.core.errors import CheckpointError, ModelError
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.core.text.hashing import canonical_json
from harness.engine.kinds.remote import RemoteModel
from harness.engine.writing.thoughts import answer_behind
from tests.served import Served, serving

ASKED = GenerateUntil(context="Is water wet?", max_tokens=16, until=("\n",))
UNSUPPORTED = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)
ONE_VALUE = (
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def chatting(answer):
    """A chat server that gives `answer(body)`: a message and why it ended, or an error's status and words."""
    served = Served()

    def before(path, _call):
        if path.endswith("/models"):
            return None
        if not path.endswith("/chat/completions"):
            return 404, {"error": {"message": "no such path"}}, {}
        first, second = answer(served.bodies[-1])
        if isinstance(first, int):
            return first, {"error": {"message": second}} if isinstance(second, str) else {"detail": second}, {}
        choice = {"message": {"role": "assistant", **first}, "finish_reason": second}
        return 200, {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}, {}

    served.before = before
    return served


def asked(answer, request=ASKED):
    with serving(chatting(answer)) as served:
        checkpoint = resolve(f"openai:{served.url}#tiny")
        (response,) = respond(RemoteModel(checkpoint), [request])
        return response, served.bodies[-1], checkpoint


@pytest.mark.parametrize(
    ("message", "ended", "text"),
    [
        ({"content": "yes\nindeed"}, "stop", "yes"),
        ({"content": ""}, "stop", ""),
        ({"content": "yes", "reasoning_content": "Let me think\n"}, "stop", "yes"),
        ({"content": "<think>Maybe no.\nOr yes.</think>\n\nyes\nno"}, "stop", "yes"),
        ({"content": "\n<thinking>no\n</thinking>yes"}, "stop", "yes"),
        ({"content": "Maybe no.\nOr yes.\n</think>\n\nyes"}, "stop", "yes"),
        ({"content": "<think>\n\n</think>\n\nye"}, "length", "ye"),
        ({"content": "the tag <think> begins thoughts\n"}, "stop", "the tag <think> begins thoughts"),
        ({"content": None, "refusal": "I can't help with that."}, "stop", "I can't help with that."),
        ({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "yes"}]}, "stop", "yes"),
    ],
)
def test_the_text_is_what_the_model_answers_behind_its_thoughts(message, ended, text):
    response, *_ = asked(lambda _: (message, ended))
    assert (response.text, response.invalid) == (text, None)


@pytest.mark.parametrize(
    ("message", "ended", "reason"),
    [
        ({"content": None, "reasoning_content": "Let me think"}, "length", "allowed tokens for its thoughts"),
        ({"content": "", "reasoning": "Let me think"}, "length", "allowed tokens for its thoughts"),
        ({"content": ""}, "length", "used before the answer began"),
        ({"content": "<think>Maybe no.\nOr"}, "length", "allowed tokens for its thoughts"),
        ({"content": "<think>Maybe no.</think>\n"}, "length", "allowed tokens for its thoughts"),
        ({"content": "<think>Maybe no."}, "stop", "gave thoughts but no answer"),
        ({"content": None}, "stop", "gave no answer"),
        ({"reasoning_content": "Let me think"}, "length", "allowed tokens for its thoughts"),
        ({"content": None, "reasoning_content": "Let me think"}, "stop", "gave thoughts but no answer"),
        ({"content": None}, "content_filter", "filter withheld"),
        ({"content": None, "tool_calls": [{"id": "1"}]}, "tool_calls", "called a tool"),
    ],
)
def test_an_answer_that_never_began_is_invalid_and_not_empty(message, ended, reason):
    response, *_ = asked(lambda _: (message, ended))
    assert response.text is None
    assert reason in response.invalid


@pytest.mark.parametrize(
    ("message", "ended", "is_cut"),
    [
        ({"content": None, "reasoning_content": "hmm"}, "length", True),
        ({"content": None, "reasoning_content": "hmm"}, "stop", True),
        ({"content": "42", "reasoning_content": "hmm"}, "length", True),
        ({"content": "42", "reasoning_content": "hmm"}, "stop", False),
        ({"content": None, "reasoning_content": "hmm"}, "content_filter", False),
        ({"content": None, "reasoning_content": "hmm", "tool_calls": [{"id": "1"}]}, "tool_calls", False),
    ],
)
def test_an_answer_is_cut_where_it_might_have_come(message, ended, is_cut):
    response, *_ = asked(lambda _: (message, ended))
    assert response.is_cut is is_cut


def test_a_chat_is_sent_no_stop_strings():
    _, body, _ = asked(lambda _: ({"content": "yes"}, "stop"))
    assert "stop" not in body
    assert body["max_tokens"] == 16
    assert body["temperature"] == 0


def test_a_model_that_takes_another_limit_and_no_temperature_is_asked_so():
    def newer(body):
        if "max_tokens" in body:
            return 400, UNSUPPORTED
        if body.get("temperature", 1) != 1:
            return 400, ONE_VALUE
        return {"content": "yes"}, "stop"

    response, body, checkpoint = asked(newer)
    assert response.text == "yes"
    assert (body["max_completion_tokens"], "max_tokens" in body, "temperature" in body) == (16, False, False)
    assert any("takes no temperature" in note for note in checkpoint.notes)
    assert checkpoint.generation.followed == {"temperature": "server"}
    drawn = GenerateUntil(context="x", temperature=0.7)
    response, *_ = asked(newer, drawn)
    assert "accepts no temperature" in response.invalid


def test_a_model_that_takes_the_limit_but_no_temperature_keeps_the_limit():
    response, body, _ = asked(lambda body: (422, ONE_VALUE) if "temperature" in body else ({"content": "yes"}, "stop"))
    assert (response.text, body["max_tokens"]) == ("yes", 16)


def test_a_server_that_lists_the_fields_it_does_not_take_is_understood():
    listed = [{"type": "extra_forbidden", "loc": ["body", "max_tokens"], "msg": "Extra inputs are not permitted"}]
    response, body, _ = asked(lambda body: (422, listed) if "max_tokens" in body else ({"content": "yes"}, "stop"))
    assert (response.text, body["max_completion_tokens"]) == ("yes", 16)


@pytest.mark.parametrize(
    ("status", "words"), [(400, "messages must hold a system turn"), (400, UNSUPPORTED), (404, UNSUPPORTED)]
)
def test_a_server_that_refuses_in_the_end_is_named_with_its_last_words(status, words):
    with serving(chatting(lambda _: (status, words))) as served:
        with pytest.raises(CheckpointError) as refused:
            resolve(f"openai:{served.url}#tiny")
        assert words in str(refused.value)
        assert len(served.paths) <= 4


@given(st.text(alphabet="ab \n<>/think"), st.text(alphabet="ab\n"))
def test_thoughts_of_any_kind_leave_the_answer(thought, answer):
    """As lm-evaluation-harness cuts at `think_end_token`: what is behind, without space in front of it."""
    if "</think>" not in thought:
        assert answer_behind(f"<think>{thought}</think>{answer}") == answer.lstrip()
        assert answer_behind(f"<think>{thought}") is None
    assert answer_behind(answer) == answer


KEY = "sk-a-key-of-replies-0123456789"


@pytest.mark.parametrize(
    ("content", "text", "reason"),
    [
        (f"It is {KEY}.", "It is [key].", None),
        ([{"type": "text", "text": f"It is {KEY[:9]}"}, {"type": "text", "text": KEY[9:]}], "It is [key]", None),
        (f"It is {base64.b64encode(KEY.encode()).decode()}.", None, "contains the API key"),
        (f"It is {quote(quote(KEY.replace('-', '&#45;')))}.", None, "contains the API key"),
        ("\ud800".join(KEY), None, "contains the API key"),
    ],
)
def test_a_key_that_an_answer_repeats_is_in_no_answer(content, text, reason, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    response, _, _ = asked(lambda _body: ({"content": content}, "stop"))
    assert response.text == text
    assert reason in response.invalid if reason else response.invalid is None


@pytest.mark.parametrize(
    ("message", "usage", "words"),
    [
        ({"content": "yes " * 100_000}, None, "400,000 characters, but only 16 tokens were allowed"),
        ({"content": "yes"}, {"completion_tokens": 1_000_000}, "1,000,000 tokens written, but only 16 were allowed"),
        ({"content": "yes"}, {"prompt_tokens": 10**9}, "1,000,000,000 tokens read"),
        ({"content": "yes"}, {"prompt_tokens": -1}, "counts -1 tokens"),
        ({"content": "yes"}, {"completion_tokens": True}, "unknown form"),
        ({"content": "yes"}, {"completion_tokens": "5"}, "unknown form"),
        ({"content": "yes"}, {"completion_tokens": float("nan")}, "unknown form"),
        ({"content": "yes"}, {"completion_tokens": 10**400}, "unknown form"),
        ({"content": "yes"}, [1, 2], "unknown form"),
    ],
)
def test_an_answer_that_cannot_be_that_of_so_many_tokens_is_invalid(message, usage, words):
    response = said(message, usage)
    assert words in response.invalid
    assert (response.text, response.token_count, response.context_token_count) == (None, 0, 0)


@pytest.mark.parametrize(
    ("message", "usage", "wrote"),
    [
        ({"content": "yes"}, None, 0),
        ({"content": "yes"}, {"prompt_tokens": None, "completion_tokens": 16}, 16),
        ({"content": "yes"}, {"completion_tokens": 17}, 17),
        ({"content": " " * 2_000}, {"completion_tokens": 16}, 16),
        ({"content": "yes"}, {"completion_tokens": 900, "completion_tokens_details": {"reasoning_tokens": 897}}, 900),
        ({"content": "yes", "reasoning_content": "hm " * 200}, {"completion_tokens": 210}, 210),
    ],
)
def test_counts_as_servers_in_use_give_them_are_taken(message, usage, wrote):
    response = said(message, usage)
    assert (response.invalid, response.token_count) == (None, wrote)


def said(message, usage):
    """The response to an answer with this message and usage."""
    served = chatting(lambda _body: ({}, "stop"))
    choice = {"message": {"role": "assistant", **message}, "finish_reason": "stop"}
    with serving(served):
        model = RemoteModel(resolve(f"openai:{served.url}#tiny"))
        served.before = lambda *_: (200, {"choices": [choice], "usage": usage}, {})
        (response,) = respond(model, [ASKED])
        return response


def test_thoughts_without_number_take_no_stack_and_no_time():
    assert answer_behind("<think></think> " * 50_000 + "yes") == "yes"
    assert answer_behind("<think>" * 50_000) is None
    assert answer_behind("</think>" * 50_000 + "yes") == "yes"


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["text", "message"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
WHOLE = {
    "choices": [
        {
            "text": "yes",
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": "yes"}],
                "refusal": "",
                "tool_calls": [],
            },
            "logprobs": {
                "tokens": ["Is", " it", "!"],
                "token_logprobs": [None, -1.0, -2.0],
                "top_logprobs": [None, {" it": -1.0}, {"!": -2.0}],
                "text_offset": [0, 2, 5],
            },
        }
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 0}},
}


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def put(value, path, new):
    """The value with `new` in that place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """Ask a server that answers with any JSON."""
    served = Served()
    with serving(served), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        served.before = lambda path, _: None if path.endswith("/models") else (200, WHOLE, {})
        chat = RemoteModel(resolve(f"openai:{served.url}#tiny"))

        def ask(request, answer):
            served.before = lambda *_: (200, answer if isinstance(answer, dict | str) else json.dumps(answer), {})
            (response,) = respond(chat, [request])
            return response

        yield ask


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(places(WHOLE))), JSON)
def test_any_value_anywhere_in_an_answer_is_an_answer_an_invalid_one_or_one_error(changing, place, value):
    with suppress(ModelError):
        response = changing(ASKED, put(WHOLE, place, value))
        assert (response.text is None) == (response.invalid is not None)
        canonical_json({"text": response.text, "invalid": response.invalid, "n": response.token_count})


@given(st.sampled_from(list(places(WHOLE))), JSON)
@example(("choices", 0, "logprobs", "top_logprobs", 1, " it"), None)
def test_any_value_anywhere_in_an_echo_is_an_echo_or_a_reason(place, value):
    found = read_echo(put(WHOLE, place, value), "Is it")
    if not isinstance(found, str):
        assert all(token.loglikelihood is None or -9e99 < token.loglikelihood <= 0 for token in found.tokens)
        assert [token.start for token in found.tokens] == [0, 2]
