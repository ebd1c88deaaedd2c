"""Whether a model tells texts that it was trained on from texts that it was not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import Metric, Undefined
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, proportion, upper_tail
from harness.core.statistics.auroc import area_under_roc, auroc
from harness.core.tasks import Sample
from harness.core.text.reasons import Reason

__all__ = ["ATTACKS", "MEMBER", "MEMBERSHIP_METRICS", "NON_MEMBER", "Separation", "membership_scores"]

MEMBER, NON_MEMBER = "member", "non-member"
LOWEST_SHARE = 0.2
"""Share of tokens that Min-K% looks at."""

FALSE_POSITIVES = 0.01


def _loss(response: Response) -> float:
    values = response.token_loglikelihoods or ()
    return math.fsum(values) / len(values)


def _lowest(values: Sequence[float]) -> float:
    kept = sorted(values)[: max(1, int(len(values) * LOWEST_SHARE))]
    return math.fsum(kept) / len(kept)


def _min_k(response: Response) -> float:
    return _lowest(response.token_loglikelihoods or ())


def _min_k_plus_plus(response: Response) -> float:
    return _lowest(response.token_z_scores or ())


ATTACKS: dict[str, tuple[Callable[[Response], float], str]] = {
    "min_k_plus_plus": (
        _min_k_plus_plus,
        "Min-K%++ (Zhang et al., 2025): mean of the lowest 20 % of the tokens' standardised log-probabilities",
    ),
    "min_k": (_min_k, "Min-K% (Shi et al., 2024): mean of the lowest 20 % of the tokens' log-probabilities"),
    "loss": (_loss, "loss (Yeom et al., 2018): mean log-probability of the tokens; needs no reference model"),
}
"""What each attack says of a text, higher for members, and its source."""


@dataclass(frozen=True, kw_only=True)
class Separation(Metric):
    """The area under the ROC curve of telling members from non-members by the values, with a score interval."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """Undefined where there are fewer than two of either."""
        values, member = _columns(scores, smallest=2)
        return auroc(values.tolist(), member.tolist(), [score.cluster for score in scores], confidence)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values, member = _columns(scores, smallest=2)
        return lambda rows: area_under_roc(values[rows], member[rows])


@dataclass(frozen=True, kw_only=True)
class TruePositiveRate(Metric):
    """The share of members above the threshold that 1 % of non-members exceed.

    The interval puts together, as independent (Zou and Donner, 2008), how far off the share of members may be, by its
    score interval, and how far it changes where the threshold is as far off as an order statistic may be (Conover,
    1999). With few non-members no threshold is certain to be high enough, and the lower end is near 0.
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """Undefined with fewer than 100 non-members, or two members."""
        from scipy.stats import binom  # late: it takes a second, and few runs need it

        values, member = _columns(scores, smallest=100)
        inside, outside = values[member], np.sort(values[~member])[::-1]
        clusters = [score.cluster for score, is_member in zip(scores, member, strict=True) if is_member]

        def found_above(rank: int) -> NDArray[np.float64]:
            threshold = outside[rank] if rank >= 0 else np.inf
            return np.asarray(inside > threshold, dtype=float)

        allowed, count, upper = int(len(outside) * FALSE_POSITIVES), len(outside), upper_tail(confidence)
        share = proportion(found_above(allowed).tolist(), clusters, confidence)
        if share.low is None or share.high is None:
            return share
        # How many of the non-members may lie above the true threshold, at the least and at the most.
        fewest, most = (int(binom.ppf(tail, count, FALSE_POSITIVES)) for tail in (1 - upper, upper))
        lowest, highest = (float(found_above(rank).mean()) for rank in (fewest - 1, min(most, count - 1)))
        return replace(
            share,
            low=share.value - math.hypot(share.value - share.low, share.value - lowest),
            high=share.value + math.hypot(share.high - share.value, highest - share.value),
            method=Reason("{method}, and an order statistic for the threshold", method=share.method or ""),
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values, member = _columns(scores, smallest=100)

        def rate(rows: NDArray[np.intp]) -> float:
            inside, outside = values[rows][member[rows]], np.sort(values[rows][~member[rows]])[::-1]
            if not len(inside) or not len(outside):
                return math.nan
            return float((inside > outside[int(len(outside) * FALSE_POSITIVES)]).mean())

        return rate


def _columns(scores: Sequence[Score], *, smallest: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values, and which are members'. Raises `Undefined` for fewer than two members or `smallest` non-members."""
    member = np.array([score.gold == MEMBER for score in scores])
    inside, outside = int(member.sum()), int((~member).sum())
    if inside < 2 or outside < smallest:
        raise Undefined(
            Reason(
                "{inside} members and {outside} non-members are too few: at least 2 and {smallest} are needed",
                inside=inside,
                outside=outside,
                smallest=smallest,
            )
        )
    return np.array([score.value for score in scores], dtype=float), member


MEMBERSHIP_METRICS: Sequence[Metric] = tuple(
    metric
    for name, (_, source) in ATTACKS.items()
    for metric in (
        Separation(
            name=f"{name}_auroc",
            unit="AUROC",
            target=0.5,
            source=f"{source}; area under the ROC curve of telling members from non-members",
        ),
        TruePositiveRate(
            name=f"{name}_tpr_at_1_fpr",
            unit="share",
            target=FALSE_POSITIVES,
            source=f"{source}; share of members found where 1 % of non-members are taken for members "
            "(Carlini et al., 2022)",
        ),
    )
)
"""0.5 and 0.01 mean that members can't be told: that is the best. The true-positive rate needs 100 non-members."""


def membership_scores(sample: Sample, response: Response) -> list[Score]:
    """What each attack says of a text whose `gold` is `MEMBER` or `NON_MEMBER`."""
    assert isinstance(sample.gold, str)
    invalid = None
    if not response.token_loglikelihoods or not response.token_z_scores:
        invalid = response.invalid or "the model gave no likelihoods of single tokens"
    return [
        Score(
            sample_id=sample.id,
            metric=f"{name}_{figure}",
            value=None if invalid else attack(response),
            gold=sample.gold,
            cluster=sample.cluster,
            invalid=invalid,
        )
        for name, (attack, _) in ATTACKS.items()
        for figure in ("auroc", "tpr_at_1_fpr")
    ]
