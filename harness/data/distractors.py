"""Wrong answers for a question, drawn from the right answers of others: the same ones on every machine."""

import hashlib
from collections.abc import Callable, Sequence

__all__ = ["distractors", "place"]

_TURNS = 1_000


def place(key: str, size: int) -> int:
    """A position from 0 to `size` - 1 that hangs on the key alone."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % size


def distractors(key: str, pool: Sequence[str], count: int, fits: Callable[[str], bool]) -> tuple[str, ...]:
    """`count` different texts of the pool that fit, drawn by the key; fewer where a thousand draws don't find them.

    A text that stands in the pool more often is drawn more often. So, drawn from the right answers of all questions,
    wrong answers are as common as right ones, and whoever goes by how common an answer is gets nowhere.
    """
    found: list[str] = []
    for turn in range(_TURNS if pool else 0):
        if len(found) == count:
            break
        one = pool[place(f"{key}:{turn}", len(pool))]
        if one not in found and fits(one):
            found.append(one)
    return tuple(found)
