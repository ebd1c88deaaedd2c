"""IMDB sentiment by a classifier's own labels."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.metrics.labels import single_metrics
from harness.tasks.classification import Classification

__all__ = ["IMDBClassifier"]

LABELS = ("negative", "positive")


class IMDBClassifier(Classification):
    """Sentiment of film reviews (Maas et al., 2011), by the labels of a classifier.

    What it measures. How often the label with the highest score is the right one, overall and class by class. Labels
    match by name, whatever their case; name them with `--labels` where the checkpoint doesn't.

    Why it matters. Fine-tuned classifiers do much of the labelling that language models are used for, and one that
    neglects a class hides it in accuracy: macro-F1, MCC and the recall of each class show it.

    Limits. A sample of 200 clear-cut reviews; lukewarm ones were left out by the publisher. Mark-up such as `<br />`
    is kept, and a review that is longer than the model's window loses its end, where the verdict often stands.
    """

    name = "imdb_classifier"
    data = "imdb"
    default_limit = 200
    labels = LABELS
    metrics = single_metrics(LABELS)

    @override
    def text(self, row: Row) -> str:
        """The review."""
        return str(row["text"])

    @override
    def label(self, row: Row) -> str:
        """The sentiment."""
        return {"0": "negative", "1": "positive"}[str(row["label"])]
