"""Texts read by a model and its reference at once: how far they are apart at each token."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.references.requests import Divergence
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.words import letter_words
from harness.tasks.rolling import RollingPerplexity
from suites.fidelity.metrics import KL_DIVERGENCE, KL_P99, PERPLEXITY_RATIO, TEXT_METRICS, TOP1_AGREEMENT, WHOLE
from suites.fidelity.referred import ReferredTask
from suites.perplexity.rarity import strata_of_tokens, strata_of_words

__all__ = ["DivergenceTask"]

_PLACES = ((16, "1-16"), (64, "17-64"), (256, "65-256"))
"""Strata of a token's place in its text, each by its last."""


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
        total = max(1, counts.total())

        def per_million(word: str) -> float:
            return counts[word] * 1e6 / total

        return [
            replace(sample, fields={**sample.fields, "rarity": strata_of_words(sample.prompt, per_million)})
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
            *_by_stratum(blank, found, "rarity", strata_of_tokens(sample.fields["rarity"], response.token_ends)),
            replace(whole, metric=TOP1_AGREEMENT.name, value=agreed),
            replace(whole, metric=PERPLEXITY_RATIO.name, value=sum(other - own for other, own in pairs)),
            *(replace(blank, metric=KL_P99.name, value=value) for value in found),
        ]


def _place(position: int) -> str:
    return next((name for last, name in _PLACES if position <= last), _PLACES[-1][1])


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
