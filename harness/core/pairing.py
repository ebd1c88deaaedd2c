"""The samples of two runs side by side."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.core.scores import SampleGroup, Score
from harness.core.statistics import Statistic, Sums

__all__ = ["Pairs", "over_pairs", "pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The scores of one metric in two runs, sample by sample.

    None stands where a run has no score of the sample: a metric may look at some samples only, by the answers given.
    """

    first: tuple[Score | None, ...]
    second: tuple[Score | None, ...]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def clusters(self) -> list[str | None]:
        """What samples share, as in `Score.cluster`."""
        return [(one or other).cluster for one, other in self._either()]

    @property
    def invalid_counts(self) -> tuple[int, int]:
        """Scores of either run that can't be used."""
        return tuple(  # type: ignore[return-value]
            sum(score is not None and score.invalid is not None for score in side) for side in (self.first, self.second)
        )

    def changed(self) -> list[bool]:
        """Which samples have another score in the second run, or none in one of the two."""
        return [one != other for one, other in zip(map(_said, self.first), map(_said, self.second), strict=True)]

    def of_group(self, group: SampleGroup) -> "Pairs | None":
        """The pairs of a group; None where a sample's group depends on the answer."""
        groups = []
        for one, other in zip(self.first, self.second, strict=True):
            of_pair = {score.groups.get(group.attribute) for score in (one, other) if score is not None}
            if len(of_pair) > 1:
                return None
            groups.append(of_pair.pop())
        return self._only([member == group.value for member in groups])

    def valid(self) -> "Pairs":
        """Without scores that can't be used: a sample that one run can't use is left out on both sides."""
        return self._only(
            [
                not any(score is not None and score.invalid is not None for score in both)
                for both in zip(self.first, self.second, strict=True)
            ]
        )

    def _only(self, kept: Sequence[bool]) -> "Pairs":
        first, second = (
            tuple(score for score, keep in zip(side, kept, strict=True) if keep) for side in (self.first, self.second)
        )
        return replace(self, first=first, second=second)

    def _either(self) -> Iterator[tuple[Score, Score]]:
        for one, other in zip(self.first, self.second, strict=True):
            either = one or other
            assert either is not None
            yield one or either, other or either


def _said(score: Score | None) -> tuple[object, ...]:
    """What a score says of its sample."""
    return () if score is None else (score.value, score.weight, score.gold, score.predicted)


def pair(first: Sequence[Score], second: Sequence[Score]) -> Pairs:
    """Scores of the same samples side by side, by the sample's id and, where it has several, by their order."""
    one, other = _numbered(first), _numbered(second)
    keys = list(dict.fromkeys([*one, *other]))
    return Pairs(first=tuple(one.get(key) for key in keys), second=tuple(other.get(key) for key in keys))


def _numbered(scores: Sequence[Score]) -> dict[tuple[str, int], Score]:
    seen: Counter[str] = Counter()
    found = {}
    for score in scores:
        found[score.sample_id, seen[score.sample_id]] = score
        seen[score.sample_id] += 1
    return found


def over_pairs(statistic: Statistic, side: Sequence[Score | None]) -> Statistic:
    """A statistic of the scores that are there, as one of rows of pairs: those without a score add nothing."""
    there = np.array([score is not None for score in side])
    if there.all():
        return statistic
    if isinstance(statistic, Sums):
        parts = np.zeros((len(side), statistic.parts.shape[1]))
        parts[there] = statistic.parts
        return Sums(parts=parts, of=statistic.of)
    position = np.cumsum(there) - 1

    def of_rows(rows: NDArray[np.intp]) -> float:
        kept = position[rows[there[rows]]]
        return statistic(kept) if len(kept) else float("nan")

    return of_rows
