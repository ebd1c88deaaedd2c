"""Pseudo-perplexity of sentences of Wikipedia."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.pseudo import PseudoPerplexity
from harness.tasks.rows import cluster_of

__all__ = ["WikiTextPseudoPerplexity"]


class WikiTextPseudoPerplexity(PseudoPerplexity):
    """How well a masked model fills in each token of single sentences and headings of Wikipedia.

    What it measures. Pseudo-perplexity per token and per word (Salazar et al., 2020; Kauf and Ivanova, 2023) of a
    sample made from WikiText (Merity et al., 2017).

    Why it matters. The counterpart of perplexity for BERT and its kin: the cheapest look at such a model as such, and
    the first figure that damage to the weights shows in.

    Limits. It is no perplexity and not to be compared with one. Sentences are short and stand alone; the
    publisher took commas, quotation marks and hyphens out. BERT and its kin were trained on Wikipedia. Sentences of
    one article resemble each other, but which article they come from is lost, so the error is somewhat too small;
    equal sentences are clustered.
    """

    name = "wikitext_pseudo_perplexity"
    data = "wikitext_sentences"
    default_limit = 200

    @override
    def text(self, row: Row) -> str:
        """The sentence."""
        return str(row["text"])

    @override
    def cluster(self, row: Row) -> str:
        """The sentence itself, as headings recur."""
        return cluster_of(row["text"])
