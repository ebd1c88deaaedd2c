"""How far noise in its texts moves a task's score: of all variants of a sample, and of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Mean, MeanShare, Metric, Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval, ShareEnds, Statistic

__all__ = [
    "ATTACK_QUERIES",
    "ATTACK_SUCCESS_RATE",
    "CLEAN_SCORE",
    "CONSISTENCY",
    "FLIP_RATE",
    "NOISY_SCORE",
    "RANDOM_SUCCESS_RATE",
    "RELATIVE_DROP",
    "SEVERITY_AREA",
    "WORST_CASE_SCORE",
]

Values = NDArray[np.float64]

_BY = ("severity", "perturbation")


@dataclass(frozen=True, kw_only=True)
class _RelativeDrop(Metric):
    """1 less the sum of values over the sum of weights: the noisy score over the clean one of the same samples.

    Where scores are shares, what noise takes and what it gives are taken apart (see `statistics.net_gain`), clustered
    by sample: as many questions tell of it as there are, however many variants each has. A gate decides by exact bounds
    of both. For other scores it is the ratio of paired sums (Cochran, 1977).
    """

    highest: float | None = 1.0

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return self._at(scores, confidence, statistics.wilson)

    @override
    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        return self._at(scores, statistics.two_sided(confidence), statistics.clopper_pearson)

    def _at(self, scores: Sequence[Score], confidence: float, ends: ShareEnds) -> Interval:
        noisy, clean, clusters = _sides(scores)
        if _are_shares(noisy, clean):
            taken = statistics.net_gain(noisy - clean, clean, 1 - clean, clusters)
            kept = taken.at(confidence, ends) if taken else _without_error(noisy, clean)
            return _turned(kept, 0.0)
        return _turned(statistics.ratio(noisy.tolist(), clean.tolist(), clusters, confidence), 1.0)

    @override
    def difference(
        self, pairs: Pairs, rng: Random, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
    ) -> Difference:
        """Of paired errors, and what a change that few samples show may do besides."""
        sides = [_sides([score for score in side if score]) for side in (pairs.first, pairs.second)]
        complete = None not in (*pairs.first, *pairs.second)
        if not complete or not all(_are_shares(noisy, clean) for noisy, clean, _ in sides):
            return super().difference(pairs, rng, confidence, resamples)
        first, second = (
            statistics.net_gain(noisy - clean, clean, 1 - clean, pairs.clusters) for noisy, clean, _ in sides
        )
        if first is None or second is None:
            raise Undefined("a single question has no error")
        # A drop is a net loss, so the second's drop less the first's is the first's net gain less the second's.
        found = statistics.difference_of_gains(second, first, confidence, n=len(pairs))
        before = self.resampled([score for score in pairs.first if score])
        return statistics.with_rare_changes(found, before, pairs.changed(), pairs.clusters, confidence, 2.0)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        noisy, clean, _ = _sides(scores)
        return statistics.ratio_of(noisy, clean, lambda kept: 1 - kept, lambda _kept: -1.0)


def _sides(scores: Sequence[Score]) -> tuple[Values, Values, list[str | None]]:
    """Scores with noise, those without, and the sample of each."""
    noisy = np.array([score.value for score in scores], dtype=float)
    clean = np.array([score.weight for score in scores])
    if clean.sum() <= 0:
        raise Undefined("nothing to lose: the score without noise is 0")
    return noisy, clean, [score.cluster for score in scores]


def _are_shares(*sides: Values) -> bool:
    return all(bool(((side >= 0) & (side <= 1)).all()) for side in sides)


def _without_error(noisy: Values, clean: Values) -> Interval:
    value = float(noisy.sum() / clean.sum()) - 1
    return Interval(value=value, stderr=None, low=None, high=None, method=None)


def _turned(kept: Interval, whole: float) -> Interval:
    low, high = (None if end is None else min(1.0, whole - end) for end in (kept.high, kept.low))
    return replace(kept, value=whole - kept.value, low=low, high=high)


CLEAN_SCORE = MeanShare(
    name="clean_score",
    chance="choices",
    unit="first metric",
    direction="higher",
    source="the task's first metric on its own texts, as the task defines it",
    meaning="""
    The mean of the task's first metric (`acc`, for most) over the samples as they are: what the noise is held
    against.

    Range and unit are those of that metric. It is of the same samples as the figures with noise, no more.
    """,
)

NOISY_SCORE = MeanShare(
    name="noisy_score",
    chance="choices",
    unit="first metric",
    direction="higher",
    source="Hendrycks and Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions, ICLR: the "
    "score under each corruption at each severity",
    by=_BY,
    meaning="""
    The mean of the task's first metric over all noisy variants; by severity (1 to 5) and by perturbation.

    Variants of a sample are no independent samples: errors are clustered by sample. Compare it with `clean_score`.
    """,
)

RELATIVE_DROP = _RelativeDrop(
    name="relative_drop",
    unit="share of clean",
    direction="lower",
    source="performance drop rate of Zhu et al., PromptBench (2023); error of a ratio after Cochran (1977)",
    by=_BY,
    meaning="""
    At most 1, mostly above 0: the share of the clean score that noise takes away. Lower is better.

    Formula: 1 - sum of noisy scores / sum of the clean scores of the same samples. Below 0 noise helps. Noisy and
    clean are paired by sample, so the error is that of the difference, much smaller than that of either.
    """,
)

WORST_CASE_SCORE = MeanShare(
    name="worst_case_score",
    unit="first metric",
    direction="higher",
    source="worst-case performance over the perturbations of an instance: robustness in HELM (Liang et al., 2023)",
    meaning="""
    The mean over samples of the lowest score among a sample and all of its variants: right only if always right.

    It falls with the number of variants, so only figures of equally many compare.
    """,
)

FLIP_RATE = Mean(
    name="flip_rate",
    unit="share",
    direction="lower",
    source="invariance test, failure rate: Ribeiro et al., CheckList (2020), ACL",
    by=_BY,
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: the share of noisy variants whose answer isn't that without noise, right or wrong. Lower is better.

    0 for a model that ignores its input, so read it beside the clean score. Where a task doesn't tell the answer
    itself, its score stands for it. By `perturbation=prompt_template` it is the inconsistency over prompt templates.
    """,
)

SEVERITY_AREA = MeanShare(
    name="severity_area",
    unit="first metric",
    direction="higher",
    source="area under the curve of score over severity, by the trapezoidal rule, over its length; mean over samples",
    meaning="""
    The area under the curve of the score over severity, from 0 (clean) to the highest asked (5), divided by that.

    In the range of the first metric: equal to `clean_score` for a model that noise doesn't touch.
    """,
)

CONSISTENCY = Mean(
    name="consistency",
    unit="share",
    direction="higher",
    source="agreement of answers over paraphrases, pairwise: Elazar et al. (2021), TACL",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: the share of pairs among a sample and its variants with the same answer; the mean over samples.

    Of a task asked with `prompt_template` alone it is the consistency over templates, with `option_order` alone that
    over orders of the options.
    """,
)

ATTACK_SUCCESS_RATE = Mean(
    name="attack_success_rate",
    unit="share",
    direction="lower",
    source="share of right answers that an attack turns, as in TextAttack (Morris et al., 2020); a greedy search by "
    "the model's scores, as in TextFooler (Jin et al., 2020), over the same perturbations",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: of the samples that score above 0 without noise, the share for which the attack finds one that scores
    less.

    The attack sees only answers and how sure they are. It tries a sample's variants from mild to severe; where none
    turns the answer, it goes on from the one that came nearest (the least margin of the answer over the next one),
    adds another perturbation by one step, and does so in two rounds of three tries. Severities along the way sum up
    to at most 5. The budget is the number of variants and 6 more. Where answers are written texts there is no margin,
    and the search is blind. A longer search finds more, so it is a lower bound. Lower is better.
    """,
)

RANDOM_SUCCESS_RATE = Mean(
    name="random_attack_success_rate",
    unit="share",
    direction="lower",
    source="share of right answers that an attack turns, as in TextAttack (Morris et al., 2020); a random search",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: what the first part of the attack finds, the sample's variants alone: the search that learns nothing.
    """,
)

ATTACK_QUERIES = Mean(
    name="attack_queries",
    unit="variants",
    direction="higher",
    source="mean number of queries of an attack, as in TextAttack (Morris et al., 2020): of those that succeed",
    lowest=1.0,
    meaning="From 1 up: how many variants the attack tries until one scores less, where one does. Higher is better.",
)
