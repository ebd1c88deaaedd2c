"""By how much a number of one run lies above that of another, with its error: paired wherever it can be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from harness.core import headlines, statistics
from harness.core.headlines import OVERALL
from harness.core.metrics import Undefined
from harness.core.pairing import Pairs, over_pairs, pair
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Sums
from harness.decision.comparable import part_fault
from harness.decision.scored import Key, Scored
from harness.decision.worst import paired_worst

__all__ = ["Contrast", "Contrasts", "headline_parts"]


READINGS = "readings of a machine at two times: no error of theirs says what else differed in between"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A difference, second less first; None with the `reason` where there is no test.

    `gained` and `lost` count samples of zeros and ones that changed; `invalid_share` is the larger share, of the two
    runs, of samples that can't be used.
    """

    difference: Difference | None
    reason: str | None = None
    gained: int | None = None
    lost: int | None = None
    invalid_share: float = 0.0


class Contrasts:
    """Two runs that may be compared; each number's difference is worked out when it is asked for.

    `worst` counts samples that can't be used against the second run instead of leaving them out.
    """

    def __init__(
        self,
        first: Scored,
        second: Scored,
        *,
        confidence: float = CONFIDENCE,
        resamples: int = RESAMPLES,
        worst: bool = False,
    ) -> None:
        self.first, self.second = first, second
        self.confidence, self.resamples, self.worst = confidence, resamples, worst
        self._same_tokenizer = _tokenizer(first) == _tokenizer(second)

    def of(self, key: Key) -> Contrast:
        """The difference of what `key` names, which both runs have an estimate of."""
        one, other = self.first.estimates[key], self.second.estimates[key]
        if one.value is None or other.value is None:
            return Contrast(difference=None, reason=one.reason or other.reason)
        if one.unit == "per token" and not self._same_tokenizer:
            return Contrast(difference=None, reason="tokens of different tokenizers can't be compared")
        if key.task == OVERALL or headline_parts(self.first, key):
            return self._over_parts(key)
        whole = Key(*key[:3])
        if whole not in self.first.scores or whole not in self.second.scores:
            return Contrast(difference=None, reason=READINGS)
        pairs: Pairs | None = pair(self.first.scores[whole], self.second.scores[whole])
        if key.group is not None:
            assert pairs is not None
            pairs = pairs.of_group(key.group)
        if pairs is None:
            return Contrast(difference=None, reason="the answers decide which samples are in the group")
        return self._paired(key, pairs)

    def _over_parts(self, key: Key) -> Contrast:
        parts, others = (headline_parts(run, key) for run in (self.first, self.second))
        weights, other_weights = (headlines.mean_weights(run.estimates[key]) for run in (self.first, self.second))
        if fault := part_fault([*parts, *weights], [*others, *other_weights]):
            return Contrast(difference=None, reason=fault)
        found = [self.of(part) for part in parts]
        share = max((part.invalid_share for part in found), default=0.0)
        differences = [part.difference for part in found if part.difference is not None]
        if len(differences) < len(found):
            reason = next(f"{key}: {one.reason}" for key, one in zip(parts, found, strict=True) if not one.difference)
            return Contrast(difference=None, reason=reason, invalid_share=share)
        mean = statistics.mean_of_differences(differences, weights, confidence=self.confidence)
        if mean is None:
            return Contrast(difference=None, reason="one of its tasks has no error", invalid_share=share)
        return Contrast(difference=mean, invalid_share=share)

    def _paired(self, key: Key, pairs: Pairs) -> Contrast:
        share = max(pairs.invalid_counts) / len(pairs)
        kept = pairs.valid()
        if not len(kept):
            return Contrast(difference=None, reason="no sample is valid in both runs", invalid_share=share)
        try:
            first, second = (
                run.statistic(key, [score for score in side if score is not None])
                for run, side in ((self.first, kept.first), (self.second, kept.second))
            )
        except Undefined as undefined:
            return Contrast(difference=None, reason=str(undefined), invalid_share=share)
        every = None not in (*kept.first, *kept.second)
        if isinstance(first, Sums) and isinstance(second, Sums) and first.values is not None and every:
            return self._mean(key, pairs if self.worst else kept, share, first.scale)
        if self.worst and len(kept) < len(pairs):
            reason = f"samples that can't be used can't be counted as the worst for {key.metric}"
            return Contrast(difference=None, reason=reason, invalid_share=share)
        seed = f"{self.second.record.spec.seed}:{key}"
        found = statistics.paired_bootstrap(
            over_pairs(first, kept.first),
            over_pairs(second, kept.second),
            len(kept),
            rng=Random(seed),
            clusters=kept.clusters,
            resamples=self.resamples,
            confidence=self.confidence,
        )
        if found.stderr is None and found.value == 0:
            found = replace(found, stderr=0.0, low=0.0, high=0.0, p_value=1.0, method="the same on every resample")
        if found.stderr is not None and every and (changed := _changed(kept)) is not None:
            found = statistics.with_rare_changes(found, first, changed, kept.clusters, self.confidence)
        if found.stderr is None:
            return Contrast(difference=None, reason="too few resamples have a value", invalid_share=share)
        return Contrast(difference=found, invalid_share=share)

    def _mean(self, key: Key, pairs: Pairs, share: float, scale: float) -> Contrast:
        estimate = self.second.estimates[key]
        values = paired_worst(pairs, direction=estimate.direction, target=estimate.target, scale=scale)
        plain = statistics.paired_difference(*values, pairs.clusters, self.confidence)
        found = statistics.scaled(plain, scale)
        if found.stderr is None:
            return Contrast(difference=None, reason="a single sample or cluster has no error", invalid_share=share)
        changes = np.subtract(values[1], values[0])
        binary = {*values[0], *values[1]} <= {0.0, 1.0}
        return Contrast(
            difference=found,
            gained=int((changes > 0).sum()) if binary else None,
            lost=int((changes < 0).sum()) if binary else None,
            invalid_share=share,
        )


def _changed(pairs: Pairs) -> list[bool] | None:
    """Which samples have another score in the second run; None unless all scores are zeros and ones."""
    sides = [[(score.value, score.weight) if score else None for score in side] for side in (pairs.first, pairs.second)]
    if not {value for side in sides for value, _ in filter(None, side)} <= {0.0, 1.0}:
        return None
    return [one != other for one, other in zip(*sides, strict=True)]


def headline_parts(run: Scored, key: Key) -> list[Key]:
    """What a suite's one score, or that of a group of tasks, is the mean of; empty for what is no mean over tasks."""
    return [Key(key.suite, task, metric) for task, metric in headlines.headline_parts(run.estimates[key])]


def _tokenizer(run: Scored) -> Sequence[tuple[str, str]]:
    """The files of the checkpoint that cut text into tokens."""
    files = run.record.checkpoint.get("files", {})
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt", "spiece.model")
    return [(name, files[name]) for name in names if name in files]
