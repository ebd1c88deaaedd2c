"""Texts of several domains, whose bits are counted by domain and by word."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.requests import Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.words import word_ends
from harness.metrics.standard import BITS_PER_BYTE
from harness.tasks.rows import RowTask, choose_evenly, cluster_of
from suites.long_tail.strata import word_frequencies
from suites.long_tail.word_bits import BITS_PER_WORD, FREQUENCY, RARE_WORD_GAP, WHOLE
from suites.perplexity.rarity import COMMON, NO_WORD, RARE, strata_of_tokens, strata_of_words

__all__ = ["TextsByDomain"]


class TextsByDomain(RowTask):
    """The first 40 words of texts of six sorts, read token by token.

    What it measures. Bits per byte of articles of an encyclopedia (passages of BoolQ), descriptions of lawsuits
    (Multi-LexSum), abstracts of medicine (PubMedQA), news (XSum), film reviews (IMDB) and plots of stories
    (NarrativeQA); bits per word by how frequent the word is, and by how much rare words cost more than common ones.

    Why it matters. A mean over test texts is that of their mixture. What a model will read is one sort, and its names
    and terms are rare words.

    Limits. The beginnings of texts alone, which cost more than what follows them: not comparable with `xsum_documents`.
    One source each, in English, all public, so a domain's figure also tells how well its source is known, and how
    formulaic it is: lawsuits begin alike. Nothing is asked about the texts. Frequencies are those of wordfreq, not of
    what this model has read.
    """

    name = "texts_by_domain"
    data = "texts_by_domain"
    asks = (TokenLoglikelihoods,)
    default_limit = 120
    supports_fewshot = False
    metrics = (replace(BITS_PER_BYTE, by=("domain",), smallest_group=4), BITS_PER_WORD, RARE_WORD_GAP)
    word_count = 40

    @override
    def sample(self, row: Row) -> Sample:
        """The beginning of the text, with where each word ends and how rare it is."""
        text = self._beginning(row)
        frequencies = word_frequencies(self.languages[0])
        words = strata_of_words(text, lambda word: frequencies.get(word, 0.0) * 1e6)
        return Sample(id="", prompt=text, fields={"domain": row["domain"], "words": words})

    def _beginning(self, row: Row) -> str:
        return str(row["text"][: word_ends(row["text"])[self.word_count - 1]])

    @override
    def cluster(self, row: Row) -> str:
        """The text."""
        return cluster_of(self._beginning(row))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many texts of each domain, of those that are long enough."""
        asked = [index for index, row in enumerate(rows) if len(row["text"].split()) >= self.word_count]
        chosen = choose_evenly([rows[index]["domain"] for index in asked], settings, salt=self.name)
        return [self._read(asked[place], rows) for place in chosen]

    @override
    def requests(self, sample: Sample) -> Sequence[TokenLoglikelihoods]:
        """Each token of it."""
        return [TokenLoglikelihoods(text=sample.prompt)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The nats of the text, and those of its words by stratum; nothing of words where tokens tell no end."""
        (response,) = responses
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster)
        if response.token_loglikelihoods is None:
            reason = response.invalid or "the model gave no log-likelihood"
            return [
                replace(blank, metric=metric.name, groups=groups, invalid=reason)
                for metric, groups in zip(
                    self.metrics, ({"domain": sample.fields["domain"]}, WHOLE, {FREQUENCY: COMMON}), strict=True
                )
            ]
        whole = replace(
            blank,
            metric=BITS_PER_BYTE.name,
            value=-math.fsum(response.token_loglikelihoods),
            weight=float(len(sample.prompt.encode())),
            groups={"domain": sample.fields["domain"]},
        )
        return [whole, *_by_word(blank, sample.fields["words"], response)]


def _by_word(blank: Score, words: Sequence[tuple[int, str]], response: Response) -> Iterator[Score]:
    nats = response.token_loglikelihoods or ()
    strata = strata_of_tokens(words, response.token_ends)
    if len(strata) != len(nats):
        return
    spent: dict[str, float] = {}
    for stratum, one in zip(strata, nats, strict=True):
        spent[stratum] = spent.get(stratum, 0.0) - one
    counts: dict[str, int] = {}
    for _, stratum in words:
        counts[stratum] = counts.get(stratum, 0) + 1
    spelt = [name for name in sorted(counts) if name != NO_WORD]
    total = sum(counts[name] for name in spelt)
    if total:
        value = math.fsum(spent.get(name, 0.0) for name in spelt)
        yield replace(blank, metric=BITS_PER_WORD.name, value=value, weight=float(total), groups=WHOLE)
    for name in spelt:
        one_stratum = replace(blank, value=spent.get(name, 0.0), weight=float(counts[name]), groups={FREQUENCY: name})
        yield replace(one_stratum, metric=BITS_PER_WORD.name)
        if name in (COMMON, RARE):
            yield replace(one_stratum, metric=RARE_WORD_GAP.name)
