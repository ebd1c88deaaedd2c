"""Whether a model tells texts that it was trained on from texts that it was not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval
from harness.core.tasks import Sample

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
    """How well values tell members from non-members, with a bootstrap interval.

    `statistic` gets the members' and the non-members' values. `smallest` non-members are needed at the least.
    """

    statistic: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
    smallest: int = 2

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`. Undefined where there are only members, or too few non-members."""
        values = np.array([score.value for score in scores], dtype=float)
        member = np.array([score.gold == MEMBER for score in scores])
        outside = int((~member).sum())
        if member.sum() < 2 or outside < self.smallest:
            raise Undefined(
                f"{int(member.sum())} members and {outside} non-members are too few: "
                f"at least 2 and {self.smallest} are needed"
            )

        def resampled(rows: NDArray[np.intp]) -> float:
            inside = member[rows]
            if inside.all() or not inside.any():
                return math.nan
            return self.statistic(values[rows][inside], values[rows][~inside])

        return statistics.bootstrap(
            resampled,
            len(scores),
            rng=rng,
            clusters=[score.cluster for score in scores],
            resamples=500,
            confidence=confidence,
        )


def _auroc(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    ranked = np.sort(others)
    below = np.searchsorted(ranked, members, side="left")
    up_to = np.searchsorted(ranked, members, side="right")
    return float((below + up_to).sum() / (2 * len(members) * len(others)))


def _tpr(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    # So many non-members may lie above the threshold; a member counts where it lies above all but those.
    allowed = int(len(others) * FALSE_POSITIVES)
    return float((members > np.sort(others)[::-1][allowed]).mean())


MEMBERSHIP_METRICS: Sequence[Metric] = tuple(
    metric
    for name, (_, source) in ATTACKS.items()
    for metric in (
        Separation(
            name=f"{name}_auroc",
            unit="AUROC",
            target=0.5,
            source=f"{source}; area under the ROC curve of telling members from non-members",
            statistic=_auroc,
        ),
        Separation(
            name=f"{name}_tpr_at_1_fpr",
            unit="share",
            target=FALSE_POSITIVES,
            source=f"{source}; share of members found where 1 % of non-members are taken for members "
            "(Carlini et al., 2022)",
            statistic=_tpr,
            smallest=100,
        ),
    )
)
"""0.5 and 0.01 mean that members can't be told: that is the best. The true-positive rate needs 100 non-members."""


def membership_scores(sample: Sample, response: Response) -> list[Score]:
    """What each attack says of a text whose `gold` is `MEMBER` or `NON_MEMBER`."""
    assert isinstance(sample.gold, str)
    invalid = None
    if not response.token_loglikelihoods or not response.token_z_scores:
        invalid = response.invalid or "the model gave no likelihood a token"
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
