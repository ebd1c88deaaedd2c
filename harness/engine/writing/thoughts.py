"""Where the thoughts of a reasoning model end and its answer begins, by the markers that models in use write."""

import re
from collections.abc import Mapping

__all__ = ["answer_behind", "answer_start", "opened_by"]

_MARKERS: Mapping[str, re.Pattern[str]] = {
    opening: re.compile(closing if opening.startswith("<|channel") else re.escape(closing))
    for opening, closing in {
        "<think>": "</think>",
        "<thinking>": "</thinking>",
        "<thought>": "</thought>",
        "<reasoning>": "</reasoning>",
        "<seed:think>": "</seed:think>",
        "[THINK]": "[/THINK]",
        "◁think▷": "◁/think▷",
        "<|begin_of_thought|>": "<|end_of_thought|>",
        "<|START_THINKING|>": "<|END_THINKING|>",
        "<|inner_prefix|>": "<|inner_suffix|>",
        "<|channel|>analysis<|message|>": r"<\|channel\|>final[^<]{0,80}(?:<\|constrain\|>[^<]{0,80})?<\|message\|>",
    }.items()
}
"""What opens thoughts, and what ends them. The last are channels of the harmony format."""
_OPENED = re.compile(r"\s*(" + "|".join(map(re.escape, _MARKERS)) + ")")
_OPENED_AT_END = re.compile(r"(" + "|".join(map(re.escape, _MARKERS)) + r")\s*\Z")
_SPACE = re.compile(r"\s*")


def opened_by(prompt: str) -> str | None:
    """The marker with which a prompt ends, so that the model begins inside its thoughts; None where there is none."""
    found = _OPENED_AT_END.search(prompt)
    return found[1] if found else None


def answer_start(text: str, opened: str | None = None) -> int | None:
    """The place in a text, special tokens shown, at which the answer begins; None where its thoughts have no end.

    `opened` is the marker that the prompt ended with. It is 0 where the text holds no thoughts in front.
    """
    start = 0
    while True:
        begun = None if opened else _OPENED.match(text, start)
        marker = opened or (begun[1] if begun else None)
        end = _end(text, start, marker)
        if end is None:
            return None if marker else start
        start = _SPACE.match(text, end).end()  # type: ignore[union-attr]  # it matches anything
        opened = None


def answer_behind(text: str) -> str | None:
    """The text without the thoughts in front of it; None where these have no end."""
    start = answer_start(text)
    return None if start is None else text[start:]


def _end(text: str, start: int, marker: str | None) -> int | None:
    """Behind the first marker that ends thoughts which `marker` opened, or the prompt; None where there is none."""
    for opening in (marker,) if marker else _MARKERS:
        found = _MARKERS[opening].search(text, start)
        if found and (marker or text.find(opening, start, found.start()) < 0):
            return found.end()
    return None
