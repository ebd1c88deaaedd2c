"""IMDB sentiment."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.metrics.standard import GOLD_BITS_PER_BYTE
from harness.tasks.labelled import LabelledChoice, label_metrics

__all__ = ["IMDB"]

LABELS = ("negative", "positive")


class IMDB(LabelledChoice):
    """Sentiment of film reviews (Maas et al., 2011), by verbalised labels.

    What it measures. Whether the model finds "negative" or "positive" likelier after a review. The confusion
    matrix shows which way it errs; macro-F1 and MCC are low for a model that says the same of every review.

    Why it matters. Classification without training is what many use language models for, and its typical failure, a
    strong preference for one label, hides in accuracy.

    Limits. Two wordings of labels and one of the prompt: others give other figures (Zhao et al., 2021). A sample of
    200 clear-cut reviews; lukewarm ones were left out by the publisher. Mark-up such as `<br />` is kept.
    """

    name = "imdb"
    data = "imdb"
    default_limit = 100
    labels = LABELS
    metrics = (*label_metrics(LABELS), GOLD_BITS_PER_BYTE)

    @override
    def question(self, row: Row) -> str:
        """What is asked, the review, then where its sentiment goes."""
        return f"Is the sentiment of this review negative or positive?\n\nReview: {row['text']}\nSentiment:"

    @override
    def label(self, row: Row) -> str:
        """The sentiment."""
        return {"0": "negative", "1": "positive"}[str(row["label"])]
