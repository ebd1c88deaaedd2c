"""What a server says, such that it may be kept and shown: the one door by which its words come in."""

import json
from typing import Any

from harness.core.process.secrets import hidden
from harness.core.text.hashing import MAX_INTEGER

__all__ = ["parse_said", "plain_text"]

DEEPEST = 64
"""Lists and objects in each other; no answer of OpenAI's protocol has more than ten."""


def parse_said(content: bytes) -> Any:
    """The value of a server's JSON, with its texts `plain`; UTF-8 whatever the server says of it.

    Numbers that canonical JSON can't hold are floats, too large ones infinite, as servers in Python write them.
    Raises `ValueError` for what is no JSON, or nested more than `DEEPEST` deep.
    """
    try:
        return _plain(json.loads(content.decode("utf-8-sig", "replace"), parse_int=_number), DEEPEST)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def plain_text(text: str) -> str:
    """The text without secrets, and without halves of surrogate pairs, which JSON can hold and a record can't."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return hidden(text)


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return plain_text(value)
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, list):
        return [_plain(one, depth - 1) for one in value]
    return {plain_text(name): _plain(one, depth - 1) for name, one in value.items()}


def _number(digits: str) -> int | float:
    if len(digits) <= len(str(MAX_INTEGER)) + 1 and abs(number := int(digits)) <= MAX_INTEGER:
        return number
    return float(digits)
