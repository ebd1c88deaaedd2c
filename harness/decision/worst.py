"""Samples that a run could not use, counted as the worst that could be."""

from collections.abc import Sequence

from harness.core.pairing import Pairs
from harness.core.scores import Direction, Score

__all__ = ["paired_worst", "worst_values"]


def worst_values(
    scores: Sequence[Score], *, direction: Direction | None, target: float | None, scale: float = 1.0
) -> list[float]:
    """The value of each score, the invalid ones as the worst: of zeros and ones the wrong one, else the worst seen.

    The worst is the lowest where higher is better and the other way round, and the farthest from the `target`, which is
    in parts of `scale`.
    """
    seen = [score.value for score in scores if score.invalid is None and score.value is not None]
    worst = _extreme(seen, direction, None if target is None else target / scale, best=False)
    return [worst if score.invalid is not None or score.value is None else score.value for score in scores]


def paired_worst(
    pairs: Pairs, *, direction: Direction | None, target: float | None, scale: float = 1.0
) -> tuple[list[float], list[float]]:
    """The values of both runs, where every sample has a score in each: what the first can't use counts as the best."""
    values = ([], [])  # type: tuple[list[float], list[float]]
    seen = [
        score.value
        for score in (*pairs.first, *pairs.second)
        if score is not None and score.invalid is None and score.value is not None
    ]
    aim = None if target is None else target / scale
    for found, side, best in zip(values, (pairs.first, pairs.second), (True, False), strict=True):
        other = _extreme(seen, direction, aim, best=best)
        found += [other if score is None or score.invalid or score.value is None else score.value for score in side]
    return values


def _extreme(seen: Sequence[float], direction: Direction | None, target: float | None, *, best: bool) -> float:
    ends = {0.0, 1.0} if set(seen) <= {0.0, 1.0} else set(seen)

    def badness(value: float) -> float:
        if target is not None:
            return abs(value - target)
        return value if direction == "lower" else -value

    return min(ends, key=badness) if best else max(ends, key=badness)
