"""How the errors of groups of speakers differ, and whether by chance.

Where the groups are alike, each speaker could have been of any of them (Fisher, 1935): errors are held against those of
speakers dealt out to the groups anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import Metric, Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval, holm
from harness.core.text.display import number
from harness.core.text.reasons import Reason, told_together

__all__ = ["DifferingSpeakers", "ErrorGap", "gap_metrics"]

_LEVEL = 0.05
_DRAWS = 1999
_SLACK = 1e-9
_SOURCE = "Koenecke et al., Racial disparities in automated speech recognition (2020)"

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errors:
    """Errors and words of units that are dealt out: speakers, or clips within each speaker's own (`strata`)."""

    names: Sequence[str]
    groups: NDArray[np.int64]
    strata: NDArray[np.int64]
    errors: Values
    words: Values

    def rates(self, groups: NDArray[np.int64]) -> tuple[Values, Values]:
        """Errors a word of each group, and of all others, of shape (draws, groups); `groups` are (draws, units)."""
        both = np.stack([self.errors, self.words], axis=1)
        sums = np.stack([(groups == place) @ both for place in range(len(self.names))], axis=1)
        errors, words = sums[..., 0], sums[..., 1]
        return errors / words, (self.errors.sum() - errors) / (self.words.sum() - words)

    def shuffled(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Groups dealt out anew within each stratum, of shape (draws, units)."""
        found = np.tile(self.groups, (_DRAWS, 1))
        for stratum in np.unique(self.strata):
            where = np.flatnonzero(self.strata == stratum)
            found[:, where] = rng.permuted(found[:, where], axis=1)
        return found


@dataclass(frozen=True, kw_only=True)
class ErrorGap(Metric):
    """By how many errors a word the worst served group of an attribute lies above the best served one.

    The largest word error rate of a group less the smallest, from 0 up; lower is better. Groups of fewer than
    `smallest_group` clips are left out and named. It lies above 0 even where nothing but chance differs, and the more
    so the more groups there are; so it has no interval, but what dealing out the speakers to the groups anew gives
    stands beside it, with the p value. Where the file names no `cluster`, clips are dealt out, as if each had a speaker
    of its own; where a cluster has clips of several groups, its own clips are.
    """

    attribute: str

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        found, small = _errors(scores, self.attribute, self.smallest_group)
        rates, _ = found.rates(found.groups[None])
        shuffled, _ = found.rates(found.shuffled(np.random.default_rng(rng.getrandbits(64))))
        seen, draws = float(np.ptp(rates)), np.ptp(shuffled, axis=1)
        p_value = _p_value(draws, seen)
        by_chance = Reason(
            "chance alone gives {mean}, above {rare} in 1 of 20",
            mean=number(float(draws.mean())),
            rare=number(float(np.quantile(draws, 1 - _LEVEL))),
        )
        largest = Reason("largest of {count} groups, no interval", count=len(found.names))
        left_out = Reason("too few clips: {groups}", groups=", ".join(small)) if small else None
        method = told_together([largest, by_chance, left_out, f"p = {p_value:.3g}"])
        return Interval(value=seen, stderr=None, low=None, high=None, method=method, p_value=p_value)

    @override
    def difference(
        self, pairs: Pairs, rng: Random, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
    ) -> Difference:
        """There is none of the largest over groups."""
        names = {score.groups.get(self.attribute) for score in pairs.first if score is not None}
        raise Undefined(
            Reason(
                "the largest of {count} groups grows with noise and with their number: compare the groups, or how "
                "many differ",
                count=len(names),
            )
        )


@dataclass(frozen=True, kw_only=True)
class DifferingSpeakers(Metric):
    """How many groups have another word error rate than all others of their attribute by more than chance.

    A group's p value is the share of 1,999 deals of the speakers in which the difference between its rate and that of
    the others is as large. Holm's method (1979) corrects for the number of groups of all attributes, at 5 % for all
    together. Of two groups of one attribute either both differ or none does. A count, without an interval; lower is
    better.
    """

    attributes: tuple[str, ...]

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        generator = np.random.default_rng(rng.getrandbits(64))
        tests: list[tuple[float, int]] = []
        for attribute in self.attributes:
            found, _ = _errors(scores, attribute, self.smallest_group)
            seen = np.subtract(*found.rates(found.groups[None]))[0]
            draws = np.subtract(*found.rates(found.shuffled(generator)))
            of_groups = [_p_value(np.abs(draws[:, place]), abs(one)) for place, one in enumerate(seen)]
            # Of two groups one differs from the other as the other does from it: that is one test.
            tests += [(of_groups[0], 2)] if len(of_groups) == 2 else [(one, 1) for one in of_groups]
        corrected = holm([p_value for p_value, _ in tests])
        return Interval(
            value=float(sum(count for one, (_, count) in zip(corrected, tests, strict=True) if one <= _LEVEL)),
            stderr=None,
            low=None,
            high=None,
            method=Reason("permutation of speakers, Holm over {count} tests", count=len(tests)),
        )


def gap_metrics(attributes: Sequence[str], smallest_group: int) -> list[Metric]:
    """What is said of each attribute, and of all."""
    gaps: list[Metric] = [
        ErrorGap(
            name=f"wer_gap_{attribute}",
            unit="errors/word",
            direction="lower",
            lowest=0.0,
            source=_SOURCE,
            attribute=attribute,
            smallest_group=smallest_group,
        )
        for attribute in attributes
    ]
    differing = DifferingSpeakers(
        name="wer_groups_differing",
        unit="groups",
        direction="lower",
        lowest=0.0,
        source=_SOURCE,
        attributes=tuple(attributes),
        smallest_group=smallest_group,
    )
    return [*gaps, differing] if attributes else []


def _p_value(draws: Values, seen: float) -> float:
    """The chance of a value of at least this; valid for drawn permutations (Phipson and Smyth, 2010)."""
    return (int((draws >= seen - _SLACK).sum()) + 1) / (len(draws) + 1)


def _errors(scores: Sequence[Score], attribute: str, smallest: int) -> tuple[_Errors, list[str]]:
    """The errors by group, and the groups that are too small. Raises `Undefined` where fewer than two are left."""
    counts: dict[str, int] = {}
    for score in scores:
        counts[score.groups[attribute]] = counts.get(score.groups[attribute], 0) + 1
    names = sorted(name for name, count in counts.items() if count >= smallest)
    small = [f"{name} (n = {count})" for name, count in sorted(counts.items()) if count < smallest]
    if len(names) < 2:
        raise Undefined(
            Reason(
                "fewer than two groups of {attribute} have {count} clips or more", attribute=attribute, count=smallest
            )
        )
    kept = [score for score in scores if score.groups[attribute] in names]
    groups = np.array([names.index(score.groups[attribute]) for score in kept])
    # A clip without a cluster is its own.
    told = [score.sample_id if score.cluster is None else f"cluster {score.cluster}" for score in kept]
    _, speakers = np.unique(told, return_inverse=True)
    errors = np.array([score.value or 0.0 for score in kept])
    words = np.array([score.weight for score in kept], dtype=float)
    firsts = np.array([groups[speakers == speaker][0] for speaker in range(speakers.max() + 1)])
    if (firsts[speakers] != groups).any():
        return _Errors(names=names, groups=groups, strata=speakers, errors=errors, words=words), small
    of_speakers = _Errors(
        names=names,
        groups=firsts,
        strata=np.zeros(len(firsts), dtype=np.int64),
        errors=np.bincount(speakers, errors).astype(float),
        words=np.bincount(speakers, words).astype(float),
    )
    return of_speakers, small
