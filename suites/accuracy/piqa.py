"""PIQA."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.lettered import LetteredChoice
from harness.tasks.rows import cluster_of

__all__ = ["PIQA"]


class PIQA(LetteredChoice):
    """Physical common sense: which of two ways reaches an everyday goal (Bisk et al., 2020).

    What it measures. Whether the model finds the workable solution likelier than one that differs in a detail.

    Why it matters. Advice that reads well and can't work is a common failure of small models; this is one of the
    few tests in which a model of 135 M parameters is clearly above chance (0.5).

    Limits. Two choices, so half are right by luck. Goals and solutions are short, in English, and of
    North American households. The solutions are on the web, so a model may have read them. Some goals occur several
    times; their samples are clustered.
    """

    name = "piqa"
    data = "piqa"
    default_limit = 400

    @override
    def question(self, row: Row) -> str:
        """The goal, as in lm-evaluation-harness."""
        return f"Question: {row['question']}\nAnswer:"

    @override
    def cluster(self, row: Row) -> str:
        """The goal."""
        return cluster_of(row["question"])
