"""Finds where tokens lie in the prompt that they spell, byte by byte; the texts that servers give them aren't exact."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

__all__ = ["Spelling", "spell"]

MOST_BEFORE = 4
"""Tokens without a text of the prompt's before it, for its beginning or of a template."""
MOST_AFTER = 2
"""Tokens behind it: the one that was asked for, and an end."""
_WIDEST = 128
"""Places at which one token may begin, beyond which nothing is told."""
_MOST_LOST = 16
"""Characters that a single token may have lost."""

_MOST_HELD = 48
"""Bytes of a token whose text is held, for it ends inside of a character."""
_MOST_SKIPPED = 8
"""Bytes of what was held that aren't told even then."""

_SPECIAL = re.compile(r"\s*(<[^<>]*>|\[[^\[\]]*\])?\s*")
_BYTES = re.compile(r"bytes:((?:\\x[0-9a-fA-F]{2})+)|<0x([0-9a-fA-F]{2})>")
_LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class Spelling:
    """`first` is the prompt's first token; from it on, the bounds between tokens, in characters of the prompt.

    Each bound has an `earliest` and a `latest` place, one more than there are tokens. They differ where characters are
    cut into tokens whose texts are lost, and nothing else tells how many each has.
    """

    first: int
    earliest: tuple[int, ...]
    latest: tuple[int, ...]


class _At(NamedTuple):
    """A byte of the prompt, and the one up to which texts have told it: less where the last ones are held."""

    byte: int
    told: int


def spell(tokens: Sequence[str], prompt: str, offsets: Sequence[int] | None) -> Spelling | None:
    """Where the tokens of the prompt lie in it; None where they don't spell it.

    A token's text may be exact, lack a space at its beginning, stand for bytes (`bytes:\\xe4`, `<0xE4>`) or have signs
    for what is lost where it is no whole character; then `offsets`, in characters, tell what texts don't. Or it is
    empty where it ends inside of a character, and the token that completes that one has all that was held, as in vLLM.
    Before the prompt there may be a few special tokens, behind it the one that was written.
    """
    content = prompt.encode()
    # The character that each byte belongs to, and the end.
    places = [*accumulate((byte & 0xC0) != 0x80 for byte in content), len(prompt) + 1]
    if len(tokens) > len(content) + MOST_BEFORE + MOST_AFTER:
        return None
    for hints in [offsets, None] if offsets else [None]:
        for first in range(min(MOST_BEFORE, len(tokens) - 1) + 1):
            if first and not _SPECIAL.fullmatch(tokens[first - 1]):
                break
            expected = None if hints is None else [offset - hints[first] for offset in hints[first:]]
            bounds = _bounds(tokens[first:], content, places, expected)
            if bounds is not None:
                found = [[places[position] - 1 for position in bound] for bound in bounds]
                return Spelling(first, tuple(map(min, found)), tuple(map(max, found)))
    return None


def _bounds(
    tokens: Sequence[str], content: bytes, places: Sequence[int], expected: Sequence[int] | None
) -> list[set[int]] | None:
    """The bytes at which each token may begin, and the end behind the last, over all ways to spell the content."""
    reached: list[dict[_At, list[_At]]] = []
    starts = {_At(0, 0)}
    for number, token in enumerate(tokens):
        if expected is not None:
            starts = {one for one in starts if places[one.told] - 1 == expected[number] or one.byte == len(content)}
        if not starts or len(starts) > _WIDEST:
            break
        reached.append({start: list(_ends(token, content, start)) for start in starts})
        starts = {end for ends in reached[-1].values() for end in ends}
    # The tokens that spell all of it: mostly but the last, which was written; or all; or but an end, too.
    end = _At(len(content), len(content))
    ends_at = [end in {one for ends in steps.values() for one in ends} for steps in reached]
    for count in (len(tokens) - 1, len(tokens), len(tokens) - MOST_AFTER):
        if 0 < count <= len(reached) and ends_at[count - 1]:
            return [{one.byte for one in bound} for bound in _backward(reached[:count], end)]
    return None


def _backward(reached: Sequence[dict[_At, list[_At]]], end: _At) -> list[set[_At]]:
    """Of what was reached, what leads to the end."""
    kept = [{end}]
    for steps in reversed(reached):
        kept.append({start for start, ends in steps.items() if not kept[-1].isdisjoint(ends)})
    return kept[::-1]


def _ends(token: str, content: bytes, at: _At) -> Iterator[_At]:
    """Where the token may end that begins there; more than one place only where some of its text is lost, or held."""
    if not token:
        yield at
        for byte in range(at.byte + 1, min(at.byte + _MOST_HELD, len(content) - 1) + 1):
            if _is_inside(content[byte]):
                yield _At(byte, at.told)
        if at.byte < len(content) and all(map(_is_inside, content[at.told :])):
            yield _At(len(content), len(content))
        return
    # Of what was held all is told with it, or what is behind a character that was cut.
    for start in range(at.told, min(at.byte, at.told + _MOST_SKIPPED) + 1):
        yield from (_At(end, end) for end in _spelt(token, content, start) if end > at.byte or start == at.byte)


def _is_inside(byte: int) -> bool:
    """Whether a character of UTF-8 doesn't begin with it, but goes on."""
    return byte & 0xC0 == 0x80


def _spelt(token: str, content: bytes, start: int) -> Iterator[int]:
    """Where a token ends whose own text it is."""
    if found := _BYTES.fullmatch(token):
        stood_for = bytes.fromhex((found[1] or found[2]).replace("\\x", ""))
        if content.startswith(stood_for, start):
            yield start + len(stood_for)
            return
    lost = token.count(_LOST)
    if lost:
        if lost <= _MOST_LOST:
            least = len(token.encode()) - 2 * lost
            ends = range(start + least, min(start + least + 2 * lost, len(content)) + 1)
            yield from (end for end in ends if _lossy(content[start:end]) == token)
        return
    text = token.encode()
    if content.startswith(text, start):
        yield start + len(text)
    # A token that begins a word is often given without its space, and the first one with one too many.
    elif content.startswith(b" " + text, start):
        yield start + 1 + len(text)
    elif start == 0 and text[:1] == b" " and content.startswith(text[1:]):
        yield len(text) - 1


@lru_cache(maxsize=4096)
def _lossy(part: bytes) -> str:
    return part.decode("utf-8", "replace")
