"""A text cut into the units that an explanation is made of. Pure: no torch."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["cells_of", "segments_of", "token_ends", "units_of", "without"]


def token_ends(tokenizer: Any, text: str) -> list[int]:
    """Where each token of a fast tokenizer ends; one ends where tokens that share a character do."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    spans = [(start, end) for start, end in offsets if end > start]
    return [end for (_, end), (start, _) in pairwise([*spans, (len(text), len(text))]) if start >= end]


def cells_of(rows: int, columns: int) -> tuple[str, ...]:
    """The names of the cells of a grid over a picture, row by row."""
    return tuple(f"row {row + 1}, column {column + 1}" for row in range(rows) for column in range(columns))


def segments_of(count: int) -> tuple[str, ...]:
    """The names of the stretches of a sound, by the parts of its length between which they lie."""
    return tuple(f"from {place} to {place + 1} of {count}" for place in range(count))


def units_of(text: str, ends: Sequence[int], most: int) -> tuple[str, ...]:
    """The text cut at `ends`, in at most `most` pieces of nearly equal numbers of them; joined, they are the text.

    White space goes with what follows it, at the end of the text with what stands before.
    """
    if not ends:
        return ()
    chosen = [int(part[-1]) for part in np.array_split(np.asarray(ends), min(most, len(ends)))]
    return tuple(text[start:stop] for start, stop in pairwise([0, *chosen[:-1], len(text)]))


def without(units: Sequence[str], kept: Sequence[bool]) -> str:
    """The text of the units that are kept; if it starts with a later unit, it starts as the whole text does."""
    first = units[0][: len(units[0]) - len(units[0].lstrip())]
    text = "".join(unit for unit, keep in zip(units, kept, strict=True) if keep)
    return text if kept[0] or not text else first + text.lstrip()
