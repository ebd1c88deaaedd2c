"""How values, and texts of unknown origin, are shown to people."""

import math
import unicodedata
from collections.abc import Sequence
from itertools import pairwise, takewhile

__all__ = ["aim", "apart", "duration", "elided", "interval", "number", "shown_error", "visible"]

_ARROWS = {"higher": "↑", "lower": "↓"}

_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: writing systems and emoji need them, and they move nothing."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what has no form of its own: controls, formats (bidi marks), surrogates, separators."""


def number(value: float | None) -> str:
    """Four significant digits, at least; whole from 10,000 up; empty for None."""
    if value is None:
        return ""
    if abs(value) >= 1e15:
        return f"{value:.3e}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1 or value == 0 else f"{value:.4f}" if abs(value) >= 1e-3 else f"{value:.2e}"


def duration(seconds: float) -> str:
    """About how long, with its unit: seconds, minutes, hours or days."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            count = seconds / length
            return f"{count:,.0f} {unit}" if count >= 10 else f"{count:.1f} {unit}"
    return f"{seconds:.0f} s"


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval; empty where there is none."""
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def shown_error(stderr: float | None, low: float | None, high: float | None) -> str:
    """The error as `number`; empty for one of 0 (none of four right) beside an interval, which tells more."""
    return "" if stderr == 0 and low is not None and high is not None and low < high else number(stderr)


def aim(direction: str | None, target: float | None, optimum: float | None = None) -> str:
    """Which way is better, as an arrow, with the `optimum` behind it, or which value is best.

    Empty where nothing is known (NaN counts as not).
    """
    if arrow := _ARROWS.get(direction or ""):
        return arrow if optimum is None or math.isnan(optimum) else f"{arrow} {number(optimum)}"
    return "" if target is None or math.isnan(target) else f"→ {number(target)}"


def visible(text: str) -> str:
    """The text with every character that hides, such as NUL or a mark that turns the direction, as its `\\u` escape.

    Line ends and tabs stay, and so do joiners.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(character) if _hides(character) else character for character in text)


def elided(text: str, limit: int = 60) -> str:
    """`visible` on one line, with at most `limit` characters: what is longer loses its middle."""
    # Cut before it is made visible: a text may have any length.
    line = " ".join(visible(text[: limit + 1] + text[max(limit + 1, len(text) - limit) :]).split())
    if len(line) <= limit and len(text) <= limit:
        return line
    head = (limit - 1) * 2 // 3
    return f"{line[:head]}…{line[head + 1 - limit :]}"


def apart(names: Sequence[str], limit: int = 60) -> list[str]:
    """Each as `elided`, but that different ones stay different: what they share is cut, never where they differ.

    Of a name that begins as another does, the words behind that beginning stay whole where they have room. Where even
    that doesn't tell them apart in so few characters, they are longer.
    """
    shared = _beginnings(names)
    shown = [_cut(name, shared[name], limit) for name in names]
    if len(set(shown)) == len(set(names)):
        return shown
    lines = [elided(name, max(map(len, names), default=0) + limit) for name in names]
    same = _alike(lines)
    kept = [elided(line[same:], max(limit - 4, 1)) for line in lines]
    cut = [f"{line[:3]}…{rest}" if same > 4 else line for line, rest in zip(lines, kept, strict=True)]
    return cut if len(set(cut)) == len(set(names)) else lines


def _alike(lines: Sequence[str]) -> int:
    """So many letters at the beginning are the same in all of them."""
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*lines, strict=False)))


_WORD_ENDS = " _-/.:"
_WIDE, _NARROWEST = "\u2e80", 12
"""The first of the wide characters, and how short a name of them is cut at most."""
_FEWEST = 3
"""Letters of a beginning that still say which it is."""


def _beginnings(names: Sequence[str]) -> dict[str, int]:
    """How many letters each name shares with the one that begins most like it, up to the end of a word."""
    ordered = sorted(set(names))
    shared = dict.fromkeys(ordered, 0)
    for one, other in pairwise(ordered):
        same = one[: _alike([one, other])]
        whole = 1 + max(same.rfind(end) for end in _WORD_ENDS)
        shared[one], shared[other] = max(shared[one], whole), max(shared[other], whole)
    return shared


def _cut(name: str, shared: int, limit: int) -> str:
    """The name in `limit` characters; a beginning of `shared` letters, which others have too, gives way first."""
    # A Chinese character takes the room of almost two letters.
    limit = min(limit, max(limit - round(0.75 * sum(one >= _WIDE for one in name)), _NARROWEST))
    tail = len(name) - shared
    head = limit - 1 - tail
    if len(name) <= limit or head < _FEWEST or tail <= limit - 1 - (limit - 1) * 2 // 3 or visible(name) != name:
        return elided(name, limit)
    return elided(f"{name[:head]}…{name[shared:]}", limit)


def _hides(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in "\n\t" and character not in _JOINERS


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
