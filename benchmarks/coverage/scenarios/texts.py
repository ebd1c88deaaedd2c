"""Metrics of all texts together, with a bootstrap: BLEU and its like."""

from collections.abc import Sequence

from benchmarks.coverage.scenario import Generator, Scenario, cluster_names, shared_normal
from harness.core.scores import Score
from harness.metrics.texts import CHRF

WORDS = (
    *("time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child"),
    *("world", "school", "state", "family", "student", "group", "country"),
)
LONG_RUN = 59.1
"""chrF++ of 12,000 texts."""


def texts(generator: Generator, n: int, clustered: bool) -> list[Score]:
    """References, and the same with some words exchanged: more in some texts than in others."""
    care = shared_normal(generator, n, clustered)[:, 0]
    found = []
    for index, (cluster, one) in enumerate(zip(cluster_names(n, clustered), care, strict=True)):
        words = generator.choice(WORDS, 6 + generator.poisson(6))
        exchanged = generator.random(len(words)) < 1 / (1 + 1.5 * 2.0**one)
        others = generator.choice(WORDS, len(words))
        written = [str(other if swap else word) for word, other, swap in zip(words, others, exchanged, strict=True)]
        found.append(
            Score(
                sample_id=str(index),
                metric="chrf++",
                gold=" ".join(map(str, words)),
                predicted=" ".join(written),
                cluster=cluster,
            )
        )
    return found


def _draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
    return texts(generator, n, clustered)


SCENARIOS = (Scenario(metric=CHRF(), name="words exchanged", draw=_draw, truth=LONG_RUN, draws=100, sizes=(30, 100)),)
