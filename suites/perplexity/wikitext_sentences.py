"""Perplexity of sentences of Wikipedia."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.rolling import RollingPerplexity
from harness.tasks.rows import cluster_of

__all__ = ["WikiTextSentences"]


class WikiTextSentences(RollingPerplexity):
    """How well the model predicts single sentences and headings of Wikipedia, without any context.

    What it measures. Perplexity per token, word and byte, and bits per byte, of a sample made from WikiText
    (Merity et al., 2017).

    Why it matters. The cheapest look at a language model as such, and the first figure that damage to the weights
    (quantisation, pruning, a bad merge) shows in.

    Limits. Sentences are short (10 tokens on average, a quarter are headings of two words) and stand alone, so
    figures are far above those of whole articles and not comparable with published WikiText perplexities. The publisher
    took commas, quotation marks and hyphens out. Sentences of one article resemble each other, but which article
    they come from is lost, so the error is somewhat too small; equal sentences are clustered.
    """

    name = "wikitext_sentences"
    data = "wikitext_sentences"
    default_limit = 500

    @override
    def text(self, row: Row) -> str:
        """The sentence."""
        return str(row["text"])

    @override
    def cluster(self, row: Row) -> str:
        """The sentence itself, as headings recur."""
        return cluster_of(row["text"])
