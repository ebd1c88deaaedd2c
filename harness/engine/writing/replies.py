"""What a served chat model answered: the text behind its thoughts, or why there is none."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["answer_behind", "read_reply"]

_OPENED = re.compile(r"\s*<(think|thinking|thought|reasoning)>")
_SPACE = re.compile(r"\s*")
_THOUGHTS = ("reasoning_content", "reasoning")
"""Under which names servers give a model's thoughts beside its answer."""
_THOUGHT_TOO_LONG = (
    "the model used all allowed tokens for its thoughts, before its answer began: allow more with max_tokens"
)
_CUT_BEFORE_ANSWER = "all allowed tokens were used before the answer began: allow more with max_tokens"


def read_reply(choice: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The text of one choice of a chat, or the reason why it holds none; a refusal of the model's own is its text.

    Raises `KeyError`, `TypeError` or `AttributeError` for what is no choice.
    """
    message = choice["message"]
    # Some servers leave out what is null.
    content, ended = _content(message.get("content")), choice.get("finish_reason")
    if isinstance(message.get("refusal"), str) and not content:
        return message["refusal"], None
    text = None if content is None else answer_behind(content)
    if text or (text is not None and not _is_cut(message, ended)):
        return text, None
    thought = content or any(message.get(name) for name in _THOUGHTS)
    if ended == "length":
        return None, _THOUGHT_TOO_LONG if thought else _CUT_BEFORE_ANSWER
    if ended == "content_filter":
        return None, "the server's filter withheld the answer"
    if message.get("tool_calls"):
        return None, "the model called a tool instead of answering"
    return None, "the server gave thoughts but no answer" if thought else "the server gave no answer"


def answer_behind(text: str) -> str | None:
    """The text without thoughts in front of it (`<think>...</think>`); None where these have no end.

    Some chat templates open the thoughts themselves, so that only their end is in the text.
    """
    start = 0
    while True:
        opened = _OPENED.match(text, start)
        name = opened[1] if opened else "think"
        end = text.find(f"</{name}>", start)
        if end < 0 or (not opened and text.find(f"<{name}>", start, end) >= 0):
            return None if opened else text[start:]
        start = _SPACE.match(text, end + len(f"</{name}>")).end()  # type: ignore[union-attr]  # it matches anything


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
