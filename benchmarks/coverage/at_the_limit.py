"""How often a model that is worse by a whole margin passes, and one that is equal, by kind of score.

python -m benchmarks.coverage.at_the_limit            # prints the table: 500 pairs of runs a row, twenty minutes
python -m benchmarks.coverage.at_the_limit --write    # puts it into docs/gate.md

Scores are drawn as in `benchmarks.coverage`. The second run gives the first one's answer to a sample, or, to a share of
the samples, another one: drawn as the first, for an equal model, or from something worse.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
from typing_extensions import override

from benchmarks.coverage.scenario import Generator, PairScenario, Scenario, scores_of
from benchmarks.coverage.scenarios import scenarios
from benchmarks.page import put
from harness.core.metrics import Metric
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import two_sided
from harness.metrics.texts import BLEU
from suites.adaptation.metrics import DRAW, DRAW_SPREAD, SHOTS
from suites.calibration.metrics import BRIER
from suites.fidelity.metrics import KL_P99

__all__ = ["Kind", "kinds", "main", "rows"]

Draw: TypeAlias = Callable[[Generator, int], Sequence[Score]]

_CONFIDENCE = two_sided(0.95)
_MANY, _MANY_TEXTS = 100_000, 8_000
"""Samples that stand for all there are, where the true loss has no formula."""
_PAGE, _NAME = Path("docs/gate.md"), "limit"
_COLUMNS = ("score", "from, to", "n", "margin", "passes at its limit, %", "an equal model passes, %")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A score, two ways to draw what it is of, the second one worse, and the share of samples that it is drawn for.

    `loss` is what the second run loses, where that is known.
    """

    metric: Metric
    name: str
    good: Draw
    bad: Draw
    n: int
    changed: float = 1.0
    loss: float | None = None
    many: int = _MANY

    def pairs(self, generator: Generator, n: int, *, worse: bool) -> Pairs:
        """Two runs of the same n samples."""
        first, other = self.good(generator, n), (self.bad if worse else self.good)(generator, n)
        names = list(dict.fromkeys(_unit(score) for score in first))
        drawn = dict(zip(names, generator.random(len(names)) < self.changed, strict=True))
        second = [b if drawn[_unit(a)] else a for a, b in zip(first, other, strict=True)]
        return Pairs(first=tuple(first), second=tuple(second))

    @cached_property
    def margin(self) -> float:
        """What the second run loses in truth."""
        if self.loss is not None:
            return self.loss
        pairs = self.pairs(np.random.default_rng(1), self.many, worse=True)
        values = [self._value([score for score in side if score]) for side in (pairs.first, pairs.second)]
        return abs(values[1] - values[0])

    def _value(self, scores: Sequence[Score]) -> float:
        statistic = self.metric.resampled(scores)
        assert statistic is not None
        return float(statistic(np.arange(len(scores))))

    def passes(self, generator: Generator, resamples: int, *, worse: bool) -> bool:
        """Whether a rule with that margin passes."""
        pairs, seed = self.pairs(generator, self.n, worse=worse), int(generator.integers(2**63))
        found = self.metric.difference(pairs, Random(seed), _CONFIDENCE, resamples)
        if found.low is None or found.high is None:
            return False
        return found.high < self.margin if self.metric.direction == "lower" else found.low > -self.margin


@dataclass(frozen=True, kw_only=True)
class _Paired(Kind):
    """Two runs that are drawn together: `together` the worse one; `alike` an equal one, else drawn as `good` is."""

    together: PairScenario
    alike: PairScenario | None = None

    @override
    def pairs(self, generator: Generator, n: int, *, worse: bool) -> Pairs:
        one = self.together if worse else self.alike
        if one is None:
            return super().pairs(generator, n, worse=False)
        first, second = one.draw(generator, n, one.clustered == (True,))
        return Pairs(first=tuple(first), second=tuple(second))


def _unit(score: Score) -> str:
    """What changes as one: a question with all its variants, else a sample."""
    return score.cluster or score.sample_id


def _choices(off: float) -> Draw:
    """Brier scores of two choices: the likelier one has 0.5 to 1, and is right less often by `off`."""

    def draw(generator: Generator, n: int) -> Sequence[Score]:
        sure = 0.5 + 0.5 * generator.random(n)
        right = generator.random(n) < sure - off
        return scores_of(BRIER, 2 * (sure - right) ** 2, False)

    return draw


def _exemplars(apart: float) -> Draw:
    """Answers to n questions with each of five draws of exemplars, whose accuracies lie so far apart."""

    def draw(generator: Generator, n: int) -> Sequence[Score]:
        hard = generator.random(n)[:, None]
        right = (0.7 * hard + 0.3 * generator.random((n, 5))) < 0.5 + apart * np.linspace(-1, 1, 5)
        return [
            Score(
                sample_id=f"{one}-{other}",
                metric=DRAW_SPREAD.name,
                value=float(right[one, other]),
                cluster=str(one),
                groups={SHOTS: "5", DRAW: str(other)},
            )
            for one in range(n)
            for other in range(5)
        ]

    return draw


def _tokens(times: float) -> Draw:
    """Divergences of tokens, skewed, in texts of 25."""

    def draw(generator: Generator, n: int) -> Sequence[Score]:
        values = times * np.exp(1.5 * generator.standard_normal(n) - 4)
        scores = scores_of(KL_P99, values, False)
        return [replace(score, cluster=f"text {place // 25}") for place, score in enumerate(scores)]

    return draw


def _scaled(draw: Draw, times: float) -> Draw:
    def scaled(generator: Generator, n: int) -> Sequence[Score]:
        return [replace(score, value=times * (score.value or 0.0)) for score in draw(generator, n)]

    return scaled


def _cut(draw: Draw) -> Draw:
    """Texts that end early."""

    def cut(generator: Generator, n: int) -> Sequence[Score]:
        return [replace(one, predicted=" ".join((one.predicted or "").split()[:-3])) for one in draw(generator, n)]

    return cut


class _Drawn:
    """What `benchmarks.coverage` draws, by metric and name."""

    def __init__(self) -> None:
        self.listed = list(scenarios())

    def one(self, metric: str, name: str, number: int = 0) -> Scenario:
        """The scenario of that name, of those that share it the one with that number."""
        return [
            one for one in self.listed if isinstance(one, Scenario) and (one.metric.name, one.name) == (metric, name)
        ][number]

    def pair(self, metric: str, name: str) -> PairScenario:
        """The pair of that name."""
        return next(
            one
            for one in self.listed
            if isinstance(one, PairScenario) and (one.metric.name, one.name) == (metric, name)
        )

    @staticmethod
    def nothing(_generator: Generator, _n: int) -> Sequence[Score]:
        """Of what is drawn in pairs alone."""
        return ()

    def plain(self, metric: str, name: str, number: int = 0) -> Draw:
        """How its scores are drawn, each sample alone."""
        found = self.one(metric, name, number)
        return lambda generator, n: found.draw(generator, n, found.clustered == (True,))


def _confidence(drawn: _Drawn) -> Iterator[Kind]:
    """All scores that read a confidence."""
    off = {name: drawn.plain("ece", name) for name in ("calibrated", "a little too sure", "too sure")}
    told = drawn.plain("brier_resolution", "confidence tells nothing")
    for metric in ("ece", "ece_equal_width", "ece_debiased", "brier_reliability"):
        found = drawn.one(metric, "calibrated").metric
        for n in (150, 475):
            for name, share in (("calibrated", 0.67), ("a little too sure", 1.0)):
                bad = off["too sure"]
                yield Kind(metric=found, name=f"{name}, too sure", good=off[name], bad=bad, n=n, changed=share)
    good, sure = off["calibrated"], drawn.plain("brier_uncertainty", "0.93 right")
    for metric in ("brier_resolution", "aurc", "risk_at_coverage_80"):
        found = next(one.metric for one in drawn.listed if one.metric.name == metric)
        yield Kind(metric=found, name="calibrated, at random", good=good, bad=told, n=300, changed=0.5)
    uncertainty = drawn.one("brier_uncertainty", "0.93 right").metric
    yield Kind(metric=uncertainty, name="0.93 right, 0.55 right", good=sure, bad=told, n=300, changed=0.2)
    auroc = drawn.one("confidence_auroc", "50% right").metric
    for names, places in (("0.75, 0.5", (1, 0)), ("0.99, 0.75", (3, 1))):
        ends = [drawn.plain("confidence_auroc", "50% right", place) for place in places]
        yield Kind(metric=auroc, name=names, good=ends[0], bad=ends[1], n=300, changed=0.3)


def _mixed(drawn: _Drawn) -> Iterator[Kind]:
    """Scores of which the coverage of an interval is simulated from a better to a worse end."""
    for metric, good, bad, changed, n in (
        ("acc", "share 0.8", "share 0.5", 0.17, 240),
        ("acc", "share 0.98", "share 0.8", 0.1, 240),
        ("expected_maximum_toxicity", "rarely toxic", "mostly near 0 or 1", 0.25, 150),
        ("spearman", "normal numbers", "normal numbers", 0.2, 300),
        ("macro_f1", "half positive", "10 % positive, a guesser", 0.5, 300),
        ("macro_f1", "nearly flawless", "half positive", 0.2, 300),
        ("mcc", "half positive", "10 % positive, a guesser", 0.3, 300),
        ("recall", "0.97 found", "0.5 found", 0.1, 150),
    ):
        places = (2, 1) if metric == "spearman" else (0, 0)
        ends = [drawn.plain(metric, name, place) for name, place in zip((good, bad), places, strict=True)]
        found = drawn.one(metric, good).metric
        yield Kind(metric=found, name=f"{good}, {bad}", good=ends[0], bad=ends[1], n=n, changed=changed)


def _texts(drawn: _Drawn) -> Iterator[Kind]:
    """Scores of all texts together."""
    chrf = drawn.one("chrf++", "words exchanged")
    draw = drawn.plain("chrf++", "words exchanged")
    for metric in (chrf.metric, BLEU()):
        yield Kind(
            metric=metric,
            name="words exchanged, and cut",
            good=draw,
            bad=_cut(draw),
            n=64,
            changed=0.3,
            many=_MANY_TEXTS,
        )
    for name in ("bits_per_byte", "token_perplexity"):
        found, draw = drawn.one(name, "texts of unequal length"), drawn.plain(name, "texts of unequal length")
        bad = _scaled(draw, 1.2)
        yield Kind(metric=found.metric, name="a fifth more", good=draw, bad=bad, n=240, changed=0.3)


def _pairs(drawn: _Drawn) -> Iterator[Kind]:
    """Scores with ways of their own to compare two runs."""
    for metric, name, alike, n in (
        ("icat", "ss, lms 50%, 80% to 55%, 80%, alike by 0.9", "ss, lms 50%, 80% to 50%, 80%, alike by 0.9", 320),
        ("icat", "ss, lms 60%, 80% to 65%, 75%, alike by 0.9", "ss 60%, lms 90%", 320),
        ("worst_group_acc_group", "0.8 to 0.75, alike by 0.8", "0.5 to 0.5, alike by 0.8", 400),
        ("relative_drop", "10 % more are fragile in the second run", "30 % fragile", 150),
    ):
        worse = drawn.pair(metric, name)
        equal = next(one for one in drawn.listed if (one.metric.name, one.name) == (metric, alike))
        together = equal if isinstance(equal, PairScenario) else None
        draw = drawn.nothing if isinstance(equal, PairScenario) else drawn.plain(metric, alike)
        yield _Paired(
            metric=worse.metric,
            name=name.replace(" to ", ", "),
            good=draw,
            bad=draw,
            n=n,
            changed=0.1,
            loss=abs(worse.truth),
            together=worse,
            alike=together,
        )


def kinds() -> list[Kind]:
    """Every kind of score that a rule may hold against a baseline."""
    drawn = _Drawn()
    return [
        *_mixed(drawn),
        *(
            Kind(metric=BRIER, name=name, good=_choices(good), bad=_choices(bad), n=150, changed=changed)
            for name, good, bad, changed in (
                ("calibrated, 0.15 too sure", 0.0, 0.15, 0.3),
                ("0.1, 0.3 too sure", 0.1, 0.3, 0.3),
            )
        ),
        *_confidence(drawn),
        *_texts(drawn),
        *_pairs(drawn),
        *(
            Kind(metric=DRAW_SPREAD, name=name, good=_exemplars(good), bad=_exemplars(bad), n=100)
            for name, good, bad in (("no spread, 0.1 apart", 0.0, 0.1), ("0.1 apart, 0.2 apart", 0.1, 0.2))
        ),
        Kind(metric=KL_P99, name="a third more", good=_tokens(1.0), bad=_tokens(1.33), n=2500, changed=0.5),
    ]


def rows(draws: int, resamples: int = 500, chosen: Sequence[str] = ()) -> Iterator[list[str]]:
    """For each kind: how often it passes at its limit, and how often an equal model does."""
    for kind in kinds():
        if chosen and kind.metric.name not in chosen:
            continue
        shares = []
        for worse in (True, False):
            generator = np.random.default_rng(0)
            shares.append(np.mean([kind.passes(generator, resamples, worse=worse) for _ in range(draws)]))
        told = [f"{100 * share:.1f}" for share in shares]
        yield [kind.metric.name, kind.name, f"{kind.n:,}", f"{kind.margin:.3g}", *told]


def main() -> None:
    """Print the table, or put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--metric", action="append", default=[], help="only this score; may be repeated")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines = [f"| {' | '.join(cells)} |" for cells in (_COLUMNS, ["---"] * len(_COLUMNS))]
    for cells in rows(given.draws, chosen=given.metric):
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if given.write:
        put(_PAGE, _NAME, "\n".join(lines))


if __name__ == "__main__":
    main()
