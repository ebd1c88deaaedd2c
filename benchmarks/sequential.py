"""How often verdicts err that are looked at after every sample, and how many samples they take.

python -m benchmarks.sequential            # prints the table: 10,000 streams a row, ten minutes
python -m benchmarks.sequential --write    # puts it into docs/gate.md
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.page import put
from harness.core.statistics import samples_for_margin
from harness.core.statistics.anytime.asymptotic import asymptotic_radius
from harness.core.statistics.anytime.betting import Bets
from harness.core.statistics.anytime.several import e_holm
from harness.decision.sequential.bounds import CHANGES
from harness.decision.sequential.units import draws

__all__ = ["main", "rows"]

Values = NDArray[np.float64]

_REFUTES = math.log(20)
_PAGE, _NAME = Path("docs/gate.md"), "sequential"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of rule: its streams by true difference from the limit, and when each moment's test is passed.

    `stream` gives values whose mean lies so far above the limit; `passed` says after which of them "not above it" is
    refuted, as the number of values, or None. `fixed_n` of a fixed size would pass an effect of `margin` in 80 %.
    """

    name: str
    margin: float
    fixed_n: int
    stream: Callable[[np.random.Generator, float], Values]
    passed: Callable[[Values], int | None]


def _first(is_reached: NDArray[np.bool_]) -> int | None:
    return int(is_reached.argmax()) + 1 if is_reached.any() else None


def _answers(rng: np.random.Generator, mean: float, discordance: float, n: int) -> Values:
    """Gains and losses of n questions."""
    chances = [(discordance - mean) / 2, 1 - discordance, (discordance + mean) / 2]
    return rng.choice([-1.0, 0.0, 1.0], size=n, p=chances)


def _paired(name: str, discordance: float, margin: float, population: int | None = None) -> Kind:
    """Paired right and wrong answers, held against a loss of the margin."""
    fixed = samples_for_margin(discordance, margin)
    bets = Bets(lowest=-1.0, highest=1.0, effect=margin, population=population, spread=CHANGES)
    length = population or 8 * fixed

    def stream(rng: np.random.Generator, above: float) -> Values:
        mean = above - margin
        if population is None:
            return _answers(rng, mean, discordance, length)
        net = round(mean * population)
        gained = round((discordance * population + net) / 2)
        lost = gained - net
        return rng.permutation(np.repeat([-1.0, 0.0, 1.0], [lost, population - gained - lost, gained]))

    def passed(values: Values) -> int | None:
        null = -margin if population is None else -round(margin * population) / population
        return _first(bets.log_wealth(values, null) >= _REFUTES)

    return Kind(name=name, margin=margin, fixed_n=fixed, stream=stream, passed=passed)


def _mean(name: str, bound: float, margin: float, make: Callable[[np.random.Generator, float, int], Values]) -> Kind:
    """A mean of values in [0, 1], held against a floor."""
    variance = float(np.var(make(np.random.default_rng(0), bound + margin, 20_000)))
    fixed = math.ceil(6.18 * variance / margin**2)
    bets = Bets(lowest=0.0, highest=1.0, effect=0.05)
    return Kind(
        name=name,
        margin=margin,
        fixed_n=fixed,
        stream=lambda rng, above: make(rng, bound + above, 8 * fixed),
        passed=lambda values: _first(bets.log_wealth(values, bound) >= _REFUTES),
    )


def _shares(rng: np.random.Generator, mean: float, n: int) -> Values:
    return (rng.random(n) < mean).astype(float)


def _scores(rng: np.random.Generator, mean: float, n: int) -> Values:
    return rng.beta(3 * mean, 3 * (1 - mean), size=n)


def _headline() -> Kind:
    """The mean over four tasks of paired answers, one of which has lost what another has won."""
    margin, discordance, spread = 0.02, 0.1, (-0.04, -0.01, 0.01, 0.04)
    fixed = samples_for_margin(discordance, margin)
    bets = Bets(lowest=-1.0, highest=1.0, effect=margin, spread=CHANGES)

    def stream(rng: np.random.Generator, above: float) -> Values:
        tasks = [_answers(rng, above - margin + shift, discordance, 2 * fixed) for shift in spread]
        return draws(tasks, [1.0] * 4, int(rng.integers(2**31)))

    return Kind(
        name="headline of four tasks, 10 % differ",
        margin=margin,
        fixed_n=fixed,
        stream=stream,
        passed=lambda values: _first(bets.log_wealth(values, -margin) >= _REFUTES),
    )


def _groups() -> Kind:
    """Four groups in turn; an alarm is that any of them has lost more than the margin. `above` is turned round."""
    margin, discordance, count = 0.05, 0.1, 4
    fixed = count * samples_for_margin(discordance, margin)
    bets = Bets(lowest=-1.0, highest=1.0, effect=margin, spread=CHANGES)

    def stream(rng: np.random.Generator, above: float) -> Values:
        # Of the losses, less the margin: that of the first group is so much above it, those of the others just at it.
        means = np.array([margin + above, margin, margin, margin])
        steps = 8 * fixed // count
        return np.column_stack(
            [
                rng.choice(
                    [-1.0, 0.0, 1.0],
                    size=steps,
                    p=[(discordance - mean) / 2, 1 - discordance, (discordance + mean) / 2],
                )
                for mean in np.minimum(means, discordance)
            ]
        ).ravel()

    def passed(values: Values) -> int | None:
        wealth = np.array([bets.log_wealth(group, margin) for group in values.reshape(-1, count).T])
        best = wealth.max(axis=0)
        # The first step of Holm's method is all that an alarm takes; told by the same function as in a gate.
        found = _first(best >= _REFUTES + math.log(count))
        assert found is None or max(e_holm([float(one) for one in wealth[:, found - 1]])) >= _REFUTES - 1e-9
        return None if found is None else found * count

    return Kind(name="a group of four has lost more", margin=margin, fixed_n=fixed, stream=stream, passed=passed)


def _smooth(name: str, margin: float, fixed: int, clusters: Callable[[np.random.Generator, float], Values]) -> Kind:
    """A ratio of sums over independent clusters, by its asymptotic bound, looked at after each from the thirtieth on.

    `clusters` gives rows of a sum, whose ratio to the weight lies so far above the limit, and a weight.
    """

    def passed(values: Values) -> int | None:
        sums, weights = values.reshape(-1, 2).T
        counts = np.arange(1, len(sums) + 1)
        ratio = np.cumsum(sums) / np.cumsum(weights)
        # The squares of residuals about the ratio so far, from sums, so that every moment costs the same.
        squares = np.cumsum(sums**2) - 2 * ratio * np.cumsum(sums * weights) + ratio**2 * np.cumsum(weights**2)
        stderr = np.sqrt(np.maximum(squares, 0) * counts / np.maximum(counts - 1, 1)) / np.cumsum(weights)
        radius = stderr * np.array([asymptotic_radius(1.0, int(count), 0.95, 300) for count in counts])
        return _first((ratio - radius > 0) & (counts >= 30))

    def stream(rng: np.random.Generator, above: float) -> Values:
        return clusters(rng, above).ravel()

    return Kind(name=name, margin=margin, fixed_n=fixed, stream=stream, passed=passed)


def _ratio() -> Kind:
    margin, fixed = 0.05, math.ceil(6.18 * 0.25 / 0.05**2)

    def clusters(rng: np.random.Generator, above: float) -> Values:
        weights = rng.integers(5, 40, size=4 * fixed)
        sums = weights * (above + 0.5 * rng.standard_t(5, size=4 * fixed) / math.sqrt(5 / 3))
        return np.column_stack([sums, weights])

    return _smooth("a ratio of sums, approximately", margin, fixed, clusters)


def _passages() -> Kind:
    """Paired answers to one to seven questions about each passage; a half of the passages' changes are alike."""
    margin, discordance, share = 0.05, 0.2, 0.5
    # The variance of a passage's sum, over the square of the questions that it has: 4 on average, and 20 their square.
    fixed = math.ceil(samples_for_margin(discordance, margin) * ((1 - share) * 4 + share * 20) / 4**2)

    def clusters(rng: np.random.Generator, above: float) -> Values:
        sizes = rng.integers(1, 8, size=6 * fixed)
        mean = above - margin
        alike = rng.random(len(sizes)) < share
        own = np.add.reduceat(_answers(rng, mean, discordance, int(sizes.sum())), np.cumsum(sizes) - sizes)
        sums = np.where(alike, sizes * _answers(rng, mean, discordance, len(sizes)), own)
        return np.column_stack([sums + margin * sizes, sizes])

    return _smooth("paired answers about passages, approximately", margin, fixed, clusters)


def kinds() -> Sequence[Kind]:
    """Every kind of rule that a policy can have."""
    return (
        _paired("paired answers, 30 % differ", 0.3, 0.05),
        _paired("paired answers, 10 % differ", 0.1, 0.02),
        _paired("paired answers, 2 % differ", 0.02, 0.02),
        _paired("the same, 1,500 in the data", 0.1, 0.02, population=1500),
        _mean("a share, floor .7", 0.7, 0.05, _shares),
        _mean("a rare share, ceiling .02", 0.98, 0.015, _shares),
        _mean("scores from 0 to 1, floor .5", 0.5, 0.05, _scores),
        _headline(),
        _groups(),
        _passages(),
        _ratio(),
    )


def rows(streams: int, seed: int = 0) -> list[list[str]]:
    """For each kind: how often it passes at its limit, and how many samples an effect takes, beside a fixed size."""
    found = []
    for kind in kinds():
        rng = np.random.default_rng(seed)
        wrong = np.mean([kind.passed(kind.stream(rng, 0.0)) is not None for _ in range(streams)])
        medians = []
        for times in (1.0, 2.0):
            stops = [kind.passed(kind.stream(rng, times * kind.margin)) for _ in range(max(100, streams // 20))]
            medians.append(np.median([math.inf if stop is None else stop for stop in stops]) / kind.fixed_n)
        ends = [f"{median:.2f}" if math.isfinite(median) else "none" for median in medians]
        found.append([kind.name, f"{kind.margin:g}", f"{100 * wrong:.1f}", f"{kind.fixed_n:,}", *ends])
    return found


def main() -> None:
    """Print the table, or put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    head = ["rule", "margin", "passes at its limit, %", "fixed n", "median at the margin", "at twice the margin"]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows(given.streams))]
    table = "\n".join(lines)
    if given.write:
        put(_PAGE, _NAME, table)
    else:
        print(table)


if __name__ == "__main__":
    main()
