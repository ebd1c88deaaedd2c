"""BoolQ."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.metrics.standard import ACC, GOLD_BITS_PER_BYTE, MCC
from harness.tasks.labelled import LabelledChoice
from harness.tasks.rows import cluster_of

__all__ = ["BoolQ"]


class BoolQ(LabelledChoice):
    """Reading comprehension: a yes-or-no question about a passage (Clark et al., 2019).

    What it measures. Whether the model finds "yes" or "no" likelier after a paragraph of Wikipedia and a question
    that someone typed into a search engine.

    Why it matters. Answering from a given text is what most applications of language models do.

    Limits. 62 % of the answers are yes, so a model that always says yes gets an accuracy of 0.62 and an MCC of 0: read
    both. Samples about one passage are clustered. In English.
    """

    name = "boolq"
    data = "boolq"
    default_limit = 100
    labels = ("no", "yes")
    metrics = (ACC, MCC, GOLD_BITS_PER_BYTE)

    @override
    def question(self, row: Row) -> str:
        """The passage and the question, as in lm-evaluation-harness."""
        return f"{row['passage']}\nQuestion: {row['question']}?\nAnswer:"

    @override
    def label(self, row: Row) -> str:
        """The answer."""
        return {"False": "no", "True": "yes"}[row["answer"]]

    @override
    def cluster(self, row: Row) -> str:
        """The passage."""
        return cluster_of(row["passage"])
