"""What words cost by how rare they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, PerUnit, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.text.reasons import Reason
from suites.perplexity.rarity import COMMON, RARE

__all__ = ["BITS_PER_WORD", "FREQUENCY", "RARE_WORD_GAP", "WHOLE"]

FREQUENCY = "frequency"
WHOLE = {"part": "whole"}
"""The group of what is said of all words of a text, beside those of each stratum."""


@dataclass(frozen=True, kw_only=True)
class RareWordGap(Metric):
    """By how much a rare word costs more than a common one of the same texts, in bits.

    Texts are resampled whole, with both sorts of words in them, so that a text which is hard as such widens nothing.
    """

    @property
    @override
    def score_range(self) -> tuple[float | None, float | None]:
        """Of nats."""
        return 0.0, None

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        texts = [len({one.cluster for one in scores if one.groups[FREQUENCY] == name}) for name in (COMMON, RARE)]
        if min(texts) < 2:
            raise Undefined(
                Reason(
                    "{first} texts have common words and {second} have rare ones: at least 2 of each are needed",
                    first=texts[0],
                    second=texts[1],
                )
            )
        clusters = [score.cluster for score in scores]
        common, rare = _mean_bits(scores, COMMON), _mean_bits(scores, RARE)
        found = statistics.paired_bootstrap(
            common, rare, len(scores), rng=rng, clusters=clusters, confidence=confidence
        )
        return Interval(
            value=found.value,
            stderr=found.stderr,
            low=found.low,
            high=found.high,
            method=found.method,
            p_value=found.p_value,
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        common, rare = _mean_bits(scores, COMMON), _mean_bits(scores, RARE)
        return lambda rows: rare(rows) - common(rows)


def _mean_bits(scores: Sequence[Score], stratum: str) -> Statistic:
    inside = np.array([score.groups[FREQUENCY] == stratum for score in scores], dtype=float)
    values = np.array([score.value for score in scores], dtype=float) / math.log(2)
    return statistics.ratio_of(values * inside, np.array([score.weight for score in scores]) * inside)


BITS_PER_WORD = PerUnit(
    name="bits_per_word",
    unit="bits/word",
    direction="lower",
    source="Shannon (1951), Prediction and Entropy of Printed English, by word; frequencies: wordfreq (Speer, 2022)",
    transform="bits",
    by=(FREQUENCY,),
    main_group=WHOLE,
    lowest=0.0,
    meaning="""
    From 0 up: how many bits a word costs, with the space before it and the punctuation at it. By `frequency` of the
    word in many sorts of text, of a hyphenated one by its rarest part. A token counts to the word that it ends in, so
    the figure is comparable across tokenizers. Rare words cost any model more, as there are more of them to choose
    from: compare models, not strata alone.
    """,
)
RARE_WORD_GAP = RareWordGap(
    name="rare_word_gap",
    unit="bits/word",
    direction="lower",
    source="bits_per_word of the rarest stratum less that of the most common one; resampled by text (Koehn, 2004)",
    meaning="""
    How many bits a word that stands fewer than ten times in a million costs more than one that stands a thousand times
    or more in the same texts. Lower is better; a model that knew nothing but these frequencies would be at about 13,
    on the texts of `texts_by_domain`. Its `n` counts a text once for each of the two.
    """,
)
