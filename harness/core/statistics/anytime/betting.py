"""Tests of a mean that hold at every moment: the wealth of someone who bets against what is to be refuted.

A test of a fixed size errs more often the more often one looks. Wealth doesn't: it begins at 1, and where the null
hypothesis is true it is not expected to grow, whatever was seen before, so the chance that it ever reaches 1 / alpha is
at most alpha (Ville, 1939). It may be looked at after every sample, and sampling may stop when it is high enough.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["Bets"]

Values = NDArray[np.float64]

_GAMBLERS = ((0.7, 0.45), (1.4, 0.35), (2.8, 0.20))
"""Effects that are bet on, in units of the planned one, and what share of the wealth each begins with."""
_MOST = 0.95
"""Of what can be lost; all of it on one bet would be the end."""
_FIRST_COUNT = 2
"""So many values is what the spread is taken for worth, once there are values."""
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Bets:
    """A way to bet that the mean of values in [`lowest`, `highest`] is larger than some number.

    `effect` > 0, in the unit of the values, is what the bets are made for: a true mean so far above the number is found
    soonest. Other effects are found too, and none of it changes how often the test errs. Of a finite `population`, the
    values are drawn in random order without replacement, and the hypothesis is about the mean of the whole population;
    without one, they are independent and have the same mean. `spread` is what their standard deviation is taken for
    before there are any, half of the range by default, which is the most that it can be.
    """

    lowest: float
    highest: float
    effect: float
    population: int | None = None
    spread: float | None = None

    def log_wealth(self, values: Values, null: float) -> Values:
        """The logarithm of the wealth against "their mean is at most `null`" after each of the values, shape (n,).

        Evidence is the largest wealth so far. What is bet on a value hangs on the values before it alone: the growth
        rate is about the largest for the effect, given their variance until then (Kelly, 1956; aGRAPA in Waudby-Smith
        and Ramdas, 2024), for three effects at once, since the true one is unknown. Without replacement each value is
        held against what those that are left would have to be on average, and the wealth is infinite once none that
        could be left would save the hypothesis.

        Raises `ValueError` for values outside the range, or for more of them than the population has.
        """
        self._check(values)
        if null < self.lowest:
            return np.full(len(values), math.inf)
        expected, is_refuted = self._under(null, values)
        bets = self._bets(values)
        room = expected - self.lowest
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.minimum(bets * room, _MOST)
            gain = np.where(room > 0, (values - expected) / room, np.inf)
            grown = np.log1p(share * np.maximum(gain, -1.0))
        # At the lowest value that can be, nothing can be lost, and whatever is higher refutes the hypothesis.
        grown = np.where(room > 0, grown, np.where(values > expected + self._slack, np.inf, 0.0))
        weights = np.log([weight for _, weight in _GAMBLERS])
        with np.errstate(invalid="ignore"):
            wealth = special.logsumexp(np.cumsum(grown, axis=1) + weights[:, None], axis=0)
        return np.where(np.maximum.accumulate(is_refuted | np.isnan(wealth)), math.inf, wealth)

    def lower_limit(self, values: Values, confidence: float) -> float:
        """A lower bound of the mean that is wrong at any moment, from the first value on, with a chance of at most
        1 - `confidence`: the least mean that the wealth against it has never refuted.

        One end of a confidence sequence by betting (Waudby-Smith and Ramdas, 2024). It never falls as values are added.
        """
        threshold = -math.log1p(-confidence)

        def evidence(mean: float) -> float:
            return min(float(self.log_wealth(values, mean).max(initial=0.0)), 2 * threshold) - threshold

        span = self.highest - self.lowest
        left, right = self.lowest + _ROUNDING * span, self.highest
        if evidence(left) < 0:
            return self.lowest
        if evidence(right) >= 0:
            return self.highest
        return float(optimize.brentq(evidence, left, right, xtol=_ROUNDING * span))

    @property
    def mirrored(self) -> "Bets":
        """The same bets on the values with their signs changed: that the mean is smaller."""
        return replace(self, lowest=-self.highest, highest=-self.lowest)

    @property
    def _slack(self) -> float:
        return _ROUNDING * (self.highest - self.lowest)

    def _check(self, values: Values) -> None:
        if not (self.lowest < self.highest and self.effect > 0):
            raise ValueError("the effect is above 0, and the lowest value lies below the highest")
        if len(values) and not (
            self.lowest - self._slack <= values.min() <= values.max() <= self.highest + self._slack
        ):
            raise ValueError(f"a value lies outside {self.lowest} to {self.highest}")
        if self.population is not None and len(values) > self.population:
            raise ValueError(f"{len(values)} values of a population of {self.population}")

    def _under(self, null: float, values: Values) -> tuple[Values, NDArray[np.bool_]]:
        """What each value's mean is under the null hypothesis, given those before it; and whether it can't be true."""
        n = len(values)
        if self.population is None:
            return np.full(n, null), np.zeros(n, dtype=bool)
        sums, left = np.cumsum(values), self.population - np.arange(1, n + 1)
        before = np.concatenate([[0.0], sums[:-1]])
        expected = (self.population * null - before) / (left + 1)
        is_refuted = sums + left * self.lowest > self.population * (null + self._slack)
        return np.clip(expected, self.lowest, None), is_refuted

    def _bets(self, values: Values) -> Values:
        """What each gambler bets for each value, in units of 1 / value, shape (gamblers, n): known before the value."""
        count = np.arange(len(values))
        mean = np.cumsum(values) / (count + 1)
        # Each value's square of the distance from the mean up to it, as far as they were seen before.
        spread = np.concatenate([[0.0], np.cumsum((values - mean) ** 2)[:-1]]) if len(values) else np.zeros(0)
        first = (self.spread or (self.highest - self.lowest) / 2) ** 2
        variance = (_FIRST_COUNT * first + spread) / (_FIRST_COUNT + count)
        effects = self.effect * np.array([[times] for times, _ in _GAMBLERS])
        return np.asarray(effects / (variance + effects**2))
