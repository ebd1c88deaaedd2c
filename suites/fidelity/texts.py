"""Texts read by a model and its reference at once: how far they are apart at each token."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.references.requests import Divergence
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.words import letter_words, word_ends
from harness.tasks.rolling import RollingPerplexity
from suites.fidelity.metrics import KL_DIVERGENCE, KL_P99, PERPLEXITY_RATIO, TEXT_METRICS, TOP1_AGREEMENT, WHOLE
from suites.fidelity.referred import ReferredTask

__all__ = ["DivergenceTask", "strata_of_words"]

_PLACES = ((16, "1-16"), (64, "17-64"), (256, "65-256"))
"""Strata of a token's place in its text, each by its last."""
_RATES = ((10.0, "0-10 per million"), (100.0, "10-100 per million"), (1000.0, "100-1000 per million"))
"""Strata of a word's rate, each by its end."""
_COMMON, _NO_WORD = "1000 per million and more", "no word"


class DivergenceTask(ReferredTask[RollingPerplexity]):
    """The texts of a task of perplexity, at each token of which the model is held against a reference.

    What it measures. How far the model's distribution of the next token is from the reference's (Kullback-Leibler
    divergence: mean, 99th percentile, by position and by rarity of the word), how often both find the same token
    likeliest, and the ratio of their perplexities.

    Why it matters. What was quantised, pruned, distilled or merged should still be the model that it was made from.
    Scores of a few hundred questions can't tell: losses and gains cancel out.

    Limits. The first 256 tokens of each text. The rarity of a word is that in the data set itself. The reference is no
    truth: a model may well be better where it differs.
    """

    metrics = TEXT_METRICS

    def __init__(self, inner: RollingPerplexity) -> None:
        super().__init__(inner)
        self.asks = (Divergence,)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, each with the rarity of its words."""
        counts: Counter[str] = Counter()
        for index, row in enumerate(rows):
            if index not in self.inner.excluded:
                counts.update(letter_words(self.inner.text(row)))
        return [
            replace(sample, fields={**sample.fields, "rarity": strata_of_words(sample.prompt, counts)})
            for sample in self.inner.samples(rows, settings)
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Divergence]:
        """One comparison of both models."""
        return [Divergence(text=sample.prompt, reference=self.reference)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Sums over the text's tokens and over those of each stratum, with the number of tokens as weight.

        For the percentile, each token has a score of its own.
        """
        (response,) = responses
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster or sample.id)
        found = response.token_divergences
        if not found:
            reason = response.invalid or "the model was not held against a reference"
            return [replace(blank, metric=metric.name, groups=WHOLE, invalid=reason) for metric in self.metrics]
        count = float(len(found))
        agreed = float(sum(response.token_agrees or ()))
        pairs = zip(response.token_reference_loglikelihoods or (), response.token_loglikelihoods or (), strict=True)
        whole = replace(blank, groups=WHOLE, weight=count)
        return [
            replace(whole, metric=KL_DIVERGENCE.name, value=sum(found)),
            *_by_stratum(blank, found, "position", [_place(index) for index in range(1, len(found) + 1)]),
            *_by_stratum(blank, found, "rarity", _rarities(sample, response)),
            replace(whole, metric=TOP1_AGREEMENT.name, value=agreed),
            replace(whole, metric=PERPLEXITY_RATIO.name, value=sum(other - own for other, own in pairs)),
            *(replace(blank, metric=KL_P99.name, value=value) for value in found),
        ]


def strata_of_words(text: str, counts: Mapping[str, int]) -> list[tuple[int, str]]:
    """Where each word of a text ends, and how rare it is among `counts` of words in lower case."""
    total, start, found = max(1, sum(counts.values())), 0, []
    for end in word_ends(text):
        parts = letter_words(text[start:end])
        rate = min((counts[part] for part in parts), default=-1) * 1e6 / total
        found.append((end, _NO_WORD if rate < 0 else next((name for most, name in _RATES if rate < most), _COMMON)))
        start = end
    return found


def _place(position: int) -> str:
    return next((name for last, name in _PLACES if position <= last), _PLACES[-1][1])


def _rarities(sample: Sample, response: Response) -> list[str]:
    """The stratum of the word that each token ends in; empty where the tokenizer doesn't tell where tokens end."""
    words: Sequence[tuple[int, str]] = sample.fields["rarity"]
    ends = [end for end, _ in words]
    if not ends:
        return []
    places = (min(bisect_left(ends, end), len(ends) - 1) for end in response.token_ends or ())
    return [words[place][1] for place in places]


def _by_stratum(blank: Score, values: Sequence[float], attribute: str, strata: Sequence[str]) -> Iterator[Score]:
    if len(strata) != len(values):
        return
    for name in sorted(set(strata)):
        inside = [value for value, stratum in zip(values, strata, strict=True) if stratum == name]
        yield replace(
            blank,
            metric=KL_DIVERGENCE.name,
            value=sum(inside),
            weight=float(len(inside)),
            groups={attribute: name},
        )
