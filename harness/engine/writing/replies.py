"""What a model wrote: its answer behind its thoughts, or why there is none, and how the text ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.requests import Stop
from harness.engine.writing.thoughts import answer_behind

__all__ = ["ENDED_IN_THOUGHTS", "THOUGHTS_TOO_LONG", "Reply", "read_reply", "read_text"]

_THOUGHTS = ("reasoning_content", "reasoning")
"""Under which names servers give a model's thoughts beside its answer."""
THOUGHTS_TOO_LONG = (
    "the model used all allowed tokens for its thoughts, before its answer began: allow more with max_tokens"
)
ENDED_IN_THOUGHTS = "the model gave thoughts but no answer"
_CUT_BEFORE_ANSWER = "all allowed tokens were used before the answer began: allow more with max_tokens"
_CENSORED = (THOUGHTS_TOO_LONG, ENDED_IN_THOUGHTS)
"""Why there is no answer, though one may have come: see `Response.is_cut`."""
_STOPS: Mapping[str, Stop] = {"length": "length", "stop": "end"}
"""What OpenAI's protocol calls it; it has one word for the end of a text and for a stop string."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, with the fields of `Response` of the same names; `text` and `invalid` are never both there."""

    text: str | None
    raw_text: str | None = None
    stop: Stop | None = None
    invalid: str | None = None


def read_text(choice: Mapping[str, Any]) -> Reply:
    """What one choice of a completion says. Raises as `read_reply`."""
    written, stop = choice["text"] or "", _STOPS.get(str(choice.get("finish_reason")))
    text = answer_behind(written)
    if text is None:
        return Reply(None, written, stop, THOUGHTS_TOO_LONG if stop == "length" else ENDED_IN_THOUGHTS)
    return Reply(text, _unless_same(written, text), stop)


def read_reply(choice: Mapping[str, Any]) -> Reply:
    """What one choice of a chat says; a refusal of the model's own is its text.

    Thoughts that a server gives apart stand in the raw text in front of the answer, with an empty line between.
    Raises `KeyError`, `TypeError` or `AttributeError` for what is no choice.
    """
    message = choice["message"]
    # Some servers leave out what is null.
    content, ended = _content(message.get("content")), choice.get("finish_reason")
    stop = _STOPS.get(str(ended))
    if isinstance(message.get("refusal"), str) and not content:
        return Reply(message["refusal"], stop=stop)
    text = None if content is None else answer_behind(content)
    apart = next((message[name] for name in _THOUGHTS if isinstance(message.get(name), str) and message[name]), None)
    raw = "\n\n".join(part for part in (apart, content) if part is not None)
    if text or (text is not None and not _is_cut(message, ended)):
        return Reply(text, _unless_same(raw, text), stop)
    thought = content or any(message.get(name) for name in _THOUGHTS)
    why = _why_none(message, ended, bool(thought))
    return Reply(None, raw or None if why in _CENSORED else None, stop, why)


def _why_none(message: Mapping[str, Any], ended: Any, thought: bool) -> str:
    if ended == "length":
        return THOUGHTS_TOO_LONG if thought else _CUT_BEFORE_ANSWER
    if ended == "content_filter":
        return "the server's filter withheld the answer"
    if message.get("tool_calls"):
        return "the model called a tool instead of answering"
    return ENDED_IN_THOUGHTS if thought else "the server gave no answer"


def _unless_same(raw: str, text: str) -> str | None:
    return None if raw == text else raw


def _content(content: Any) -> str | None:
    """The text of a message's content, which may come in parts, thoughts among them."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise TypeError("a content that is no text")
    return content


def _is_cut(message: Mapping[str, Any], ended: Any) -> bool:
    """Whether an answer of no characters is none at all: something kept the model from answering."""
    return ended in ("length", "content_filter") or bool(message.get("tool_calls"))
