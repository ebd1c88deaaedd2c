"""Reads the log-probabilities of a prompt's own tokens from a completions API's answer (`echo` and `logprobs`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.checkpoints.served.spelling import Spelling, spell
from harness.core.text.reasons import Reason

__all__ = ["Echo", "EchoedToken", "read_echo"]

_ROUNDING = 1e-6
"""Nats by which a token may seem likelier than certain, or the likeliest less likely than itself, written twice."""
_APART = 1e-3
"""Nats by which the likeliest token may seem less likely than another, where a server computes the two apart."""
_UNSUPPORTED = -1
"""The offset of every token where a server doesn't tell offsets."""

_NONE = "the server gives no log-probabilities of the prompt's tokens"
_UNKNOWN = "the server reports log-probabilities in an unknown form"


@dataclass(frozen=True, slots=True)
class EchoedToken:
    """A token of the prompt: where it begins and ends in it, in characters; its log-probability; if it's the likeliest.

    Of the tokens that a character is cut into, all but the last end where they begin. Both are the earliest place that
    the token's text allows for, and `latest` is how much later they may lie: 0 and 0 but for texts that are lost.
    `loglikelihood` is in nats, None for a first token that nothing stands before.
    """

    start: int
    end: int
    loglikelihood: float | None
    is_greedy: bool
    latest: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Echo:
    """The tokens of a prompt, in order, without special tokens before it and the token written after it."""

    tokens: tuple[EchoedToken, ...]

    def after(self, start: int) -> tuple[EchoedToken, ...] | None:
        """The tokens with a character at or behind `start`; one that lies across it counts as behind it.

        None where it can't be told which these are.
        """
        behind = [token for token in self.tokens if token.start >= start or token.end > start]
        at_most = [
            token
            for token in self.tokens
            if token.start + token.latest[0] >= start or token.end + token.latest[1] > start
        ]
        return tuple(behind) if len(behind) == len(at_most) else None


def read_echo(answer: Any, prompt: str) -> Echo | str:
    """The echo of `prompt` in an answer to a request for it, or what is wrong with it.

    Its tokens must spell the prompt in their order, and each number be the logarithm of a probability, no higher than
    the likeliest token's; what is above 0 by rounding is 0.
    """
    try:
        found = answer["choices"][0]["logprobs"]
        tokens, values, best = found["tokens"], found["token_logprobs"], found["top_logprobs"]
        rows = list(zip(tokens, values, best, strict=True))
    except (KeyError, IndexError, TypeError, ValueError):
        return _NONE
    if not (isinstance(tokens, list) and isinstance(values, list) and all(isinstance(token, str) for token in tokens)):
        return _UNKNOWN
    if fault := next(filter(None, (_fault(value, top) for _, value, top in rows)), None):
        return fault
    offsets = found.get("text_offset")
    spelling = spell(tokens, prompt, offsets if _are_whole(offsets, len(tokens)) else None)
    if spelling is None:
        return "the server's tokens don't add up to the prompt"
    if _are_whole(offsets, len(tokens)) and not _follow_each_other(offsets, tokens, spelling):
        return "the server's tokens overlap, or are not in the order of the prompt"
    return _echo(spelling, rows)


def _echo(spelling: Spelling, rows: Sequence[tuple[str, Any, Any]]) -> Echo | str:
    starts, ends = spelling.earliest, spelling.earliest[1:]
    late = [last - early for early, last in zip(starts, spelling.latest, strict=True)]
    kept = [
        EchoedToken(start, end, None if value is None else min(value, 0.0), _is_best(value, top), latest)
        for start, end, latest, (token, value, top) in zip(
            starts, ends, pairwise(late), rows[spelling.first : spelling.first + len(ends)], strict=False
        )
        # A beginning-of-text token may come without a text of its own.
        if token or value is not None or start > 0
    ]
    if not kept or any(token.loglikelihood is None for token in kept[1:]):
        return _NONE
    return Echo(tuple(kept))


def _fault(value: Any, top: Any) -> str | None:
    """What is wrong with one token's numbers."""
    likeliest = list(top.values()) if isinstance(top, dict) else []
    for number in (value, *likeliest):
        if number is None:
            continue
        if type(number) not in (int, float):
            return _UNKNOWN
        if not math.isfinite(number):
            return "the server's log-probabilities are NaN or infinite"
        if number > _ROUNDING:
            return Reason("the server gives a log-probability of {value}, which is above 0", value=f"{number:.6g}")
    if value is not None and likeliest and None not in likeliest and value > max(likeliest) + _APART:
        return "the server gives a token a higher probability than the token that it calls the likeliest"
    return None


def _are_whole(offsets: Any, count: int) -> bool:
    """Whether there are offsets at all; a list of anything else is none."""
    if not isinstance(offsets, list) or len(offsets) != count or any(type(offset) is not int for offset in offsets):
        return False
    return any(offset != _UNSUPPORTED for offset in offsets)


def _follow_each_other(offsets: Sequence[int], tokens: Sequence[str], spelling: Spelling) -> bool:
    """Whether no token begins before the one in front of it ends, by the server's own offsets.

    These count characters, or bytes, of the prompt or of the texts that the server gives for tokens.
    """
    bounds = spelling.earliest
    for place in range(min(len(bounds) - 1, len(tokens) - spelling.first - 1)):
        token = tokens[spelling.first + place]
        step = offsets[spelling.first + place + 1] - offsets[spelling.first + place]
        true = bounds[place + 1] - bounds[place]
        is_exact = "\ufffd" not in token and len(token) == true
        if step < (true if is_exact else 0) or step > max(len(token.encode()), true, 1):
            return False
    return True


def _is_best(value: float | None, top: Any) -> bool:
    likeliest = [number for number in top.values() if number is not None] if isinstance(top, dict) else []
    return value is not None and bool(likeliest) and value >= max(likeliest) - _ROUNDING
