"""By how much a number of one run lies above that of another, with its error: paired wherever it can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.pairing import Pairs, pair
from harness.core.scores import SampleGroup
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference
from harness.core.text.reasons import Reason
from harness.decision.comparable import part_fault
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.decision.worst import paired_worst

__all__ = ["READINGS", "Contrast", "Contrasts", "contrasted_parts", "no_worst", "scored_pairs", "unlike"]

READINGS = "both were read from a machine, at different times: their errors don't cover what else changed in between"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A difference, second less first; None with the `reason` where there is no test.

    `gained` and `lost` count samples of zeros and ones that the second run alone has right, and the first alone;
    `invalid_share` is the larger share, of the two runs, of samples that can't be used.
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

    def of(self, key: Key) -> Contrast:
        """The difference of what `key` names, which both runs have an estimate of."""
        one, other = self.first.estimates[key], self.second.estimates[key]
        if one.value is None or other.value is None:
            return Contrast(difference=None, reason=one.reason or other.reason)
        if fault := unlike(self.first, self.second, key):
            return Contrast(difference=None, reason=fault)
        if key.is_headline or self.first.estimates[key].parts:
            return self._over_parts(key)
        try:
            return self._paired(key, *scored_pairs(self.first, self.second, key))
        except Undefined as undefined:
            return Contrast(difference=None, reason=undefined.reason)

    def _over_parts(self, key: Key) -> Contrast:
        parts, weights = contrasted_parts(self.first, key), [part.weight for part in self.first.estimates[key].parts]
        found = [self.of(part) for part in parts]
        share = max((part.invalid_share for part in found), default=0.0)
        differences = [part.difference for part in found if part.difference is not None]
        if len(differences) < len(found):
            reason: str = next(
                Reason("{name}: {reason}", name=str(key), reason=one.reason or "")
                for key, one in zip(parts, found, strict=True)
                if not one.difference
            )
            return Contrast(difference=None, reason=reason, invalid_share=share)
        mean = statistics.mean_of_differences(differences, weights, confidence=self.confidence)
        if mean is None:
            return Contrast(difference=None, reason="one of its tasks has no error", invalid_share=share)
        return Contrast(difference=mean, invalid_share=share)

    def _paired(self, key: Key, metric: Metric, pairs: Pairs) -> Contrast:
        share = max(pairs.invalid_counts) / len(pairs)
        kept = pairs.valid()
        if not len(kept):
            return Contrast(difference=None, reason="no sample is valid in both runs", invalid_share=share)
        if self.worst and len(kept) < len(pairs):
            if not metric.averages_values:
                return Contrast(difference=None, reason=no_worst(key), invalid_share=share)
            kept = paired_worst(metric, pairs)
        rng = Random(f"{self.second.record.spec.seed}:{key}")
        try:
            found = metric.difference(kept, rng, self.confidence, self.resamples)
        except Undefined as undefined:
            return Contrast(difference=None, reason=undefined.reason, invalid_share=share)
        if found.low is None:
            one = found.cluster_count < 2
            reason = "a single sample or cluster has no error" if one else "too few resamples have a value"
            return Contrast(difference=None, reason=reason, invalid_share=share)
        gained, lost = _flips(kept, metric.right_value)
        return Contrast(difference=found, gained=gained, lost=lost, invalid_share=share)


def unlike(first: Scored, second: Scored, key: Key) -> str | None:
    """Why two numbers of one name can't be held against each other, whatever they are; None where they can."""
    if second.estimates[key].unit == "per token" and _tokenizer(first) != _tokenizer(second):
        return "tokens of different tokenizers can't be compared"
    made_of = [
        [*contrasted_parts(run, key), *(part.weight for part in run.estimates[key].parts)] for run in (first, second)
    ]
    return part_fault(*made_of)


def scored_pairs(first: Scored, second: Scored, key: Key) -> tuple[Metric, Pairs]:
    """The metric of a number of a task, and the scores that it is of in either run, some of which may be invalid.

    Raises `Undefined` where the two can't be held against each other.
    """
    whole = key.whole
    if whole not in first.scores or whole not in second.scores:
        raise Undefined(READINGS)
    metric = second.metric(key)
    first.metric(key)
    if told := _defined_otherwise(first, second, key):
        raise Undefined(Reason("the two runs define {metric} differently: {told}", metric=key.metric, told=told[0]))
    pairs: Pairs | None = pair(first.scores[whole], second.scores[whole])
    main = [SampleGroup(attribute, value) for attribute, value in metric.main_group.items()]
    for group in [key.group] if key.group is not None else main:
        pairs = pairs and pairs.of_group(group)
    if pairs is None:
        raise Undefined("the answers decide which samples are in the group")
    return metric, pairs


def _defined_otherwise(first: Scored, second: Scored, key: Key) -> Sequence[str]:
    """In what the recorded metrics of two runs differ; empty where a record of an early version holds none."""
    one, other = (run.record.metrics.get(key[:3]) for run in (first, second))
    return one.differences(other) if one and other else ()


def _flips(pairs: Pairs, right: float | None) -> tuple[int | None, int | None]:
    """How many samples the second alone has right, and the first alone, where all have zeros and ones in both runs."""
    sides = [[score.value if score else None for score in side] for side in (pairs.first, pairs.second)]
    if right is None or not {*sides[0], *sides[1]} <= {0.0, 1.0}:
        return None, None
    changed = [other for one, other in zip(*sides, strict=True) if one != other]
    return sum(one == right for one in changed), sum(one != right for one in changed)


def no_worst(key: Key) -> Reason:
    """Why a number can't be what it would be with the samples that can't be used as the worst."""
    return Reason("samples that can't be used can't be counted as the worst for {metric}", metric=key.metric)


def contrasted_parts(run: Scored, key: Key) -> list[Key]:
    """What a suite's one score, or that of a group of tasks, is the mean of; empty for what is no mean over tasks."""
    return [Key(key.suite, part.task, part.metric) for part in run.estimates[key].parts]


def _tokenizer(run: Scored) -> Sequence[tuple[str, str]]:
    """The files of the checkpoint that cut text into tokens."""
    files = run.record.checkpoint.get("files", {})
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt", "spiece.model")
    return [(name, files[name]) for name in names if name in files]
