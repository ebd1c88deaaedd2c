"""Association tests of embeddings: do two groups of words lie closer to one of two attributes than the other?

WEAT is by Caliskan, Bryson and Narayanan, "Semantics derived automatically from language corpora contain human-like
biases" (Science, 2017); SEAT, the same with words in sentences, by May, Wang, Bordia, Bowman and Rudinger, "On
Measuring Social Biases in Sentence Encoders" (NAACL 2019).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import special
from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric, Undefined
from harness.core.requests import Embed, Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, upper_tail
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.reasons import Reason
from harness.tasks.similarity import cosine

__all__ = ["EFFECT_SIZE", "P_VALUE", "AssociationTest"]

FIRST, SECOND = "first", "second"
Values = NDArray[np.float64]

_MENDED = {"failur": "failure"}
"""Words that lost a letter in the pinned file."""

_EXACT = 20_000
"""So many partitions at most are all tried; of more, as many are drawn."""


@dataclass(frozen=True, kw_only=True)
class EffectSize(Metric):
    """The difference of the groups' mean associations over their common standard deviation (Cohen's d).

    The interval is that of the noncentral t distribution (Hedges and Olkin, 1985) over the words' mean associations, in
    parts of the deviation over both groups: exact where associations are normal. There is none for fewer than two words
    in a group.
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        value = float(self.resampled(scores)(np.arange(len(scores))))
        if math.isnan(value):
            raise Undefined("one group has no word left, or all associations are equal")
        values, is_first, words = _columns(scores)
        first, second = (
            _means_by_word(values[side], [words[index] for index in np.flatnonzero(side)])
            for side in (is_first, ~is_first)
        )
        low, high, stderr = _noncentral_ends(first, second, float(values.std(ddof=1)), upper_tail(confidence))
        if low is None or high is None:
            return Interval(value=value, stderr=None, low=None, high=None, method=None)
        return Interval(
            value=value, stderr=stderr, low=min(low, value), high=max(high, value), method="noncentral t over words"
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values, is_first, _ = _columns(scores)

        def effect(rows: NDArray[np.intp]) -> float:
            drawn, first = values[rows], is_first[rows]
            if first.all() or not first.any() or np.ptp(drawn) == 0:
                return math.nan
            return float((drawn[first].mean() - drawn[~first].mean()) / drawn.std(ddof=1))

        return effect


def _means_by_word(values: Values, words: Sequence[str]) -> Values:
    members = np.unique(words, return_inverse=True)[1]
    return np.asarray(np.bincount(members, weights=values) / np.bincount(members), dtype=float)


def _noncentral_ends(
    first: Values, second: Values, deviation: float, upper: float
) -> tuple[float | None, float | None, float | None]:
    """Both ends and the error of the difference of means over the deviation of all texts."""
    sizes = len(first), len(second)
    degrees = sum(sizes) - 2
    if min(sizes) < 2:
        return None, None, None
    within = math.sqrt(float(((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()) / degrees)
    if within == 0:
        return None, None, None
    scale = math.sqrt(1 / sizes[0] + 1 / sizes[1])
    seen = float(first.mean() - second.mean()) / within / scale
    # What the words' deviation over both groups is in parts of that within a group, for each effect.
    mixed = sizes[0] * sizes[1] / sum(sizes) ** 2
    unit = float(np.concatenate([first, second]).std(ddof=1)) / deviation

    def effect(tail: float) -> float:
        shift = special.nctdtrinc(degrees, tail, seen) if seen >= 0 else -special.nctdtrinc(degrees, 1 - tail, -seen)
        within_groups = float(shift) * scale
        return unit * within_groups / math.sqrt(1 + mixed * within_groups**2)

    error = scale * math.sqrt(1 + seen**2 / (2 * degrees)) / (1 + mixed * (seen * scale) ** 2) ** 1.5
    return effect(upper), effect(1 - upper), unit * error


@dataclass(frozen=True, kw_only=True)
class PermutationP(Metric):
    """The one-sided p-value: how often words dealt out to the groups at random differ at least as much.

    A word's sentences are dealt out together. All equal partitions are tried where they are few; else so many are drawn
    that the standard error, which is that of a share, is small.
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values, is_first, clusters = _columns(scores)
        words = sorted({(cluster, bool(first)) for cluster, first in zip(clusters, is_first, strict=True)})
        sums = np.array([sum(values[[i for i, name in enumerate(clusters) if name == word]]) for word, _ in words])
        size = sum(first for _, first in words)
        if not 0 < size < len(words):
            raise Undefined("one group has no word left")
        seen = float(sums[[first for _, first in words]].sum())
        # The sum over one group alone orders partitions as the difference of both does. Ties are up to rounding.
        margin = 1e-12 * max(1.0, float(np.abs(sums).sum()))
        count = math.comb(len(words), size)
        if count <= _EXACT:
            drawn = np.array([sums[list(chosen)].sum() for chosen in itertools.combinations(range(len(words)), size)])
            share = float((drawn >= seen - margin).mean())
            return Interval(
                value=share, stderr=None, low=None, high=None, method=Reason("all {count} partitions", count=count)
            )
        generator = np.random.default_rng(rng.getrandbits(64))
        drawn = np.array([generator.permutation(sums)[:size].sum() for _ in range(_EXACT)])
        share = float((1 + (drawn >= seen - margin).sum()) / (1 + _EXACT))
        stderr = math.sqrt(share * (1 - share) / _EXACT)
        return Interval(
            value=share, stderr=stderr, low=None, high=None, method=Reason("{count} partitions drawn", count=_EXACT)
        )


EFFECT_SIZE = EffectSize(
    name="effect_size",
    unit="d",
    target=0.0,
    source="Caliskan, Bryson and Narayanan (2017), sample standard deviation as in May et al. (2019)",
    meaning="In [-2, 2]: above 0 the first group of words is nearer to the first attribute; 0 is no association.",
)

P_VALUE = PermutationP(
    name="p_value",
    unit="p",
    direction="higher",
    source="permutation test of Caliskan, Bryson and Narayanan (2017), one-sided",
    meaning="""
    In (0, 1]: small where groups dealt out at random seldom differ as much. No measure of how large a bias is.
    """,
)


class AssociationTest(Task):
    """One test: two groups of target words, two of attribute words, each word alone or in every one of `templates`.

    The score of a target text is its mean cosine with the texts of the first attribute, less that with the second.
    The whole of a test is always run: with fewer words it would be another test, so `limit` means nothing to it.
    """

    data = "weat"
    metrics: Sequence[Metric] = (EFFECT_SIZE, P_VALUE)
    asks = (Embed,)
    supports_fewshot = False
    number: int
    """Which of the tests of the paper, from 1."""
    templates: Sequence[str] = ("{word}",)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """A sample for each target word in each template."""
        if not 1 <= self.number <= len(rows):
            raise DataError(f"holds {len(rows)} tests, not a test {self.number}", place=self.name)
        row = rows[self.number - 1]
        attributes = [self._texts(row, part) for part in ("first_attribute", "second_attribute")]
        return [
            Sample(
                id=f"{group}:{word}:{index}",
                prompt=text,
                gold=group,
                cluster=f"{group}:{word}",
                fields={FIRST: attributes[0], SECOND: attributes[1]},
            )
            for group, part in ((FIRST, "first_target"), (SECOND, "second_target"))
            for word in self._words(row, part)
            for index, text in enumerate(self._filled(word))
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Embed]:
        """The vectors of the target text and of the texts of both attributes."""
        texts = (sample.prompt, *sample.fields[FIRST], *sample.fields[SECOND])
        return [Embed(text=text) for text in texts]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """How much nearer the text lies to the first attribute."""
        vectors = [response.vector for response in responses if response.vector is not None]
        value, reason = None, next((response.invalid for response in responses if response.invalid), None)
        if reason is None:
            target, *others = vectors
            near = [cosine(target, vector) for vector in others]
            count = len(sample.fields[FIRST])
            value = float(np.mean(near[:count]) - np.mean(near[count:]))
            if math.isnan(value):
                value, reason = None, "a vector is 0 and has no direction"
        return [
            Score(
                sample_id=sample.id,
                metric=metric.name,
                value=value,
                gold=str(sample.gold),
                cluster=sample.cluster,
                invalid=reason,
            )
            for metric in self.metrics
        ]

    def words(self, row: Row, part: str) -> Sequence[str]:
        """The words of a group of the test."""
        group = row[part]
        left_out = set(group.get("remove", ()))
        return [_MENDED.get(word, word) for word in group["words"] if word not in left_out]

    def _words(self, row: Row, part: str) -> Sequence[str]:
        try:
            return self.words(row, part)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"test {self.number} has no words in {part}", place=self.name) from error

    def _texts(self, row: Row, part: str) -> tuple[str, ...]:
        return tuple(text for word in self._words(row, part) for text in self._filled(word))

    def _filled(self, word: str) -> list[str]:
        return [template.replace("{word}", word) for template in self.templates]


def _columns(scores: Sequence[Score]) -> tuple[Values, NDArray[np.bool_], list[str]]:
    """Values, whether each is of the first group, and the word of each."""
    values = np.array([score.value for score in scores], dtype=float)
    return (
        values,
        np.array([score.gold == FIRST for score in scores]),
        [score.cluster or score.sample_id for score in scores],
    )
