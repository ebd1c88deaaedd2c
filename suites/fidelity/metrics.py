"""How far a model is from its reference: on each token of a text, and in its choices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Mean, Metric, PerUnit, Proportion
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic

__all__ = ["CHOICE_METRICS", "TEXT_METRICS", "WHOLE"]

WHOLE = {"part": "whole"}
"""The group of what is said of a whole text, beside the strata of its tokens."""


_KULLBACK = "Kullback and Leibler (1951)"


@dataclass(frozen=True, kw_only=True)
class TokenShare(PerUnit):
    """A share of tokens, over all texts, with a score interval in which each text is one observation."""

    @property
    @override
    def score_range(self) -> tuple[float | None, float | None]:
        """Of a count of tokens."""
        return 0.0, None

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        hits = [score.value or 0.0 for score in scores]
        clusters = [score.cluster for score in scores]
        return statistics.bounded_ratio(hits, [score.weight for score in scores], clusters, confidence)


@dataclass(frozen=True, kw_only=True)
class LikelihoodRatio(PerUnit):
    """exp of the mean over tokens of what the reference gives a token more than the model does, in nats.

    It may be on either side of 1, so no end of its interval is cut off.
    """

    @property
    @override
    def score_range(self) -> tuple[float | None, float | None]:
        """Of nats, which may be won or lost."""
        return None, None

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        lost = [score.value or 0.0 for score in scores]
        clusters = [score.cluster for score in scores]
        plain = statistics.ratio(lost, [score.weight for score in scores], clusters, confidence)
        value = math.exp(plain.value)
        if plain.stderr is None or plain.low is None or plain.high is None:
            return replace(plain, value=value)
        return replace(
            plain, value=value, stderr=value * plain.stderr, low=math.exp(plain.low), high=math.exp(plain.high)
        )


@dataclass(frozen=True, kw_only=True)
class TokenQuantile(Metric):
    """The value that a share `level` of all tokens doesn't exceed; whole texts are resampled for its interval."""

    level: float

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        clusters = [score.cluster for score in scores]
        return statistics.bootstrap(
            self.resampled(scores), len(scores), rng=rng, clusters=clusters, confidence=confidence, lowest=0.0
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values = np.array([score.value for score in scores], dtype=float)
        return lambda rows: float(np.quantile(values[rows], self.level))


KL_DIVERGENCE = PerUnit(
    name="kl_divergence",
    unit="nats per token",
    direction="lower",
    transform="plain",
    source=f"{_KULLBACK}: KL(reference || model) of the distributions of the next token, mean over tokens",
    by=("position", "rarity"),
    main_group=WHOLE,
    lowest=0.0,
    meaning="""
    The mean over tokens of the sum over the whole vocabulary of `p log(p / q)`, `p` being the reference's probability
    and `q` the model's: from 0 (the same distributions) up, in nats. By `position` of the token in its text, and by the
    `rarity` of its word in the data set, in occurrences per million words.

    It sees what a score doesn't: a model can lose as many right answers as it gains, and be another one. What a given
    figure does to answers differs from task to task.
    """,
)
KL_P99 = TokenQuantile(
    name="kl_p99",
    unit="nats",
    direction="lower",
    level=0.99,
    source=f"{_KULLBACK}: the 99th percentile over tokens",
    lowest=0.0,
    meaning="""
    The divergence in nats, from 0 up, that 99 % of the tokens don't exceed. Compression often spares most tokens and
    changes a few very much, which the mean hides. Its `n` counts tokens; its interval is a bootstrap of whole texts.
    """,
)
TOP1_AGREEMENT = TokenShare(
    name="top1_agreement",
    unit="share",
    direction="higher",
    transform="plain",
    source="share of tokens at which model and reference find the same token likeliest",
    lowest=0.0,
    highest=1.0,
    meaning="""
    Share of the places, in [0, 1], at which both models find the same token likeliest: how often greedy decoding would
    go on alike after the same text.
    """,
)
PERPLEXITY_RATIO = LikelihoodRatio(
    name="perplexity_ratio",
    unit="ratio",
    direction="lower",
    transform="exp",
    source="the model's perplexity over the reference's, on the same tokens",
    lowest=0.0,
    meaning="""
    The model's perplexity per token over the reference's on the same tokens; above 0, and 1 where both predict equally
    well. The error is that of paired differences, so it is far smaller than that of either perplexity.
    """,
)
TEXT_METRICS: Sequence[Metric] = (KL_DIVERGENCE, KL_P99, TOP1_AGREEMENT, PERPLEXITY_RATIO)

CHOICE_AGREEMENT = Proportion(
    name="choice_agreement",
    unit="share",
    direction="higher",
    source="share of samples of which model and reference choose the same answer",
    meaning="Share of samples, in [0, 1], of which both models choose the same answer, right or wrong.",
)
LOST_ANSWERS = Proportion(
    name="lost_answers",
    unit="share",
    direction="lower",
    source="Dutta et al., Accuracy is Not All You Need (2024): flips, here of the reference's right answers alone",
    meaning="""
    Share, in [0, 1], of the reference's right answers that the model gets wrong. Two models of equal accuracy may
    differ in many: then as many are gained elsewhere.
    """,
)
GAINED_ANSWERS = Proportion(
    name="gained_answers",
    unit="share",
    direction="higher",
    source="Dutta et al., Accuracy is Not All You Need (2024): flips, here of the reference's wrong answers alone",
    meaning="Share, in [0, 1], of the reference's wrong answers that the model gets right.",
)
ACCURACY_CHANGE = Mean(
    name="accuracy_change",
    unit="difference of shares",
    direction="higher",
    source="share of right answers of the model less that of the reference, sample by sample",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    The model's share of right answers less the reference's on the same samples, in [-1, 1]; below 0 the model is worse.
    Its error is that of paired differences.
    """,
)
CHOICE_METRICS: Sequence[Metric] = (CHOICE_AGREEMENT, LOST_ANSWERS, GAINED_ANSWERS, ACCURACY_CHANGE)
