"""How well does the model predict text?"""

from harness.core.tasks import Suite

__all__ = ["Perplexity"]


class Perplexity(Suite):
    """How well the model predicts sentences of Wikipedia and news articles.

    What it measures. Token, word and byte perplexity, and bits per byte; lower is better. A token's is only
    comparable between models that share a tokenizer, the others always are. Of masked models, which read no text from
    left to right, the pseudo-perplexity, which is only comparable with its like.

    Limits. A model that predicts well need not answer well: instruction tuning usually raises perplexity and improves
    answers. English only. The texts are public and may have been in the training data.
    """

    name = "perplexity"
    title = "Perplexity"
    report = "suites.perplexity.report:PerplexityReport"
    tasks = ("wikitext_sentences", "xsum_documents", "wikitext_pseudo_perplexity")
    headline = (
        ("wikitext_sentences", "bits_per_byte"),
        ("xsum_documents", "bits_per_byte"),
    )
