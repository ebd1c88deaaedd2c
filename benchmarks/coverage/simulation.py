"""The draws of a scenario, and how often what was found holds."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from benchmarks.coverage.scenario import PairScenario, Scenario
from harness.core.metrics import Metric, Undefined
from harness.core.pairing import Pairs
from harness.core.statistics import CONFIDENCE, Difference, Interval, two_sided

__all__ = ["GATE_CONFIDENCE", "OFTENER", "Row", "again", "allowed", "simulate"]

GATE_CONFIDENCE = 0.95
"""Of the one-sided bounds of a gate, as policies have it by default."""

OFTENER = 4

_RESAMPLES = 1000
"""Of a difference that is resampled."""

_TOLERANCE = {30: 0.04, 100: 0.02, 400: 0.02}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the draws of one scenario at one size amount to; shares of the draws that gave an interval.

    `below` and `above` are those whose 95 % interval misses the truth, lying wholly below or above it. `false_low` is
    the share whose one-sided bound from above lies below the truth (a ceiling at the truth passes, a floor fails),
    `false_high` that whose bound from below lies above it. `absent` is the share of draws without an interval. `edge`
    is as in `Scenario`.
    """

    metric: str
    scenario: str
    paired: bool
    n: int
    clustered: bool
    truth: float
    draws: int
    below: float
    above: float
    false_low: float
    false_high: float
    absent: float
    mean_width: float
    edge: str

    @property
    def coverage(self) -> float:
        """The share of intervals that hold the truth."""
        return 1 - self.below - self.above


def allowed(row: Row) -> bool:
    """Whether coverage is 95 % but for 2 points (4 at n = 30); more is allowed at an edge, and all may be absent.

    One-sided bounds may miss in 5 % of the draws, in as many points more, and in 2 standard errors of that share.
    """
    if row.absent == 1:
        return True
    tolerance = _TOLERANCE.get(row.n, 0.04)
    claimed = 1 - GATE_CONFIDENCE + tolerance
    largest = claimed + 2 * math.sqrt(claimed * (1 - claimed) / (row.draws * (1 - row.absent)))
    gate_holds = max(row.false_low, row.false_high) <= largest
    return (
        gate_holds
        and row.coverage >= CONFIDENCE - tolerance
        and (bool(row.edge) or row.coverage <= CONFIDENCE + tolerance)
    )


def simulate(scenario: Scenario | PairScenario, draws: int) -> Iterator[Row]:
    """A row for each size, plain and clustered. The draws depend on nothing but the scenario's metric and name."""
    for n in scenario.sizes:
        for clustered in scenario.clustered:
            yield _row(scenario, n, clustered, min(draws, scenario.draws or draws))


def again(scenario: Scenario | PairScenario, row: Row) -> Row:
    """The same row from `OFTENER` times as many draws: so near a bound that the simulation's own error decides."""
    return _row(scenario, row.n, row.clustered, OFTENER * row.draws)


def _row(scenario: Scenario | PairScenario, n: int, clustered: bool, draws: int) -> Row:
    salt = f"{scenario.metric.name}|{scenario.name}|{n}|{clustered}"
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8]))
    ends = [ends for _ in range(draws) if (ends := _ends(scenario, n, clustered, generator)) is not None]
    table = np.array(ends).reshape(len(ends), 4)
    low, high, lower_bound, upper_bound = table.T

    def share(flags: np.ndarray) -> float:
        return float(flags.mean()) if len(flags) else 0.0

    slack = 1e-12 * max(1.0, abs(scenario.truth))
    return Row(
        metric=scenario.metric.name,
        scenario=scenario.name,
        paired=isinstance(scenario, PairScenario),
        n=n,
        clustered=clustered,
        truth=scenario.truth,
        draws=draws,
        below=share(high < scenario.truth - slack),
        above=share(low > scenario.truth + slack),
        false_low=share(upper_bound < scenario.truth - slack),
        false_high=share(lower_bound > scenario.truth + slack),
        absent=1 - len(ends) / draws,
        mean_width=float((high - low).mean()) if len(ends) else 0.0,
        edge=scenario.edge,
    )


def _ends(
    scenario: Scenario | PairScenario, n: int, clustered: bool, generator: np.random.Generator
) -> Sequence[float] | None:
    """Both ends at 95 %, and both one-sided bounds of a gate; None where there is no interval."""
    metric, drawn, seed = scenario.metric, scenario.draw(generator, n, clustered), int(generator.integers(2**63))
    try:
        both: tuple[Interval | Difference, ...]
        if isinstance(scenario, PairScenario):
            pairs = Pairs(first=tuple(drawn[0]), second=tuple(drawn[1]))
            both = tuple(
                metric.difference(pairs, Random(seed), confidence, _RESAMPLES)
                for confidence in (CONFIDENCE, two_sided(GATE_CONFIDENCE))
            )
        else:
            both = metric.reduce(drawn, Random(seed)), metric.bounds(drawn, Random(seed), GATE_CONFIDENCE)
    except Undefined:
        return None
    ends: list[float] = []
    for found in both:
        if found.low is None or found.high is None:
            return None
        if not found.low <= found.value <= found.high or found.low == found.high:
            raise ValueError(f"{scenario.metric.name}, {scenario.name}, n = {n}: {found} is no interval")
        if not isinstance(found, Difference) and not _within(metric, found.low, found.high):
            raise ValueError(f"{scenario.metric.name}, {scenario.name}, n = {n}: {found} reaches beyond the range")
        ends += [found.low, found.high]
    return ends


def _within(metric: Metric, low: float, high: float) -> bool:
    slack = 1e-9
    below = metric.lowest is not None and low < metric.lowest - slack
    above = metric.highest is not None and high > metric.highest + slack
    return not below and not above
