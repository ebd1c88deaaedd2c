"""Perplexity of Chinese statutes."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.rolling import RollingPerplexity
from harness.tasks.rows import cluster_of

__all__ = ["ChineseStatutes"]


class ChineseStatutes(RollingPerplexity):
    """How well the model predicts articles of statutes of the People's Republic of China.

    What it measures. Perplexity per token, character and byte, and bits per byte, of articles of 100 to 300 characters
    that are in force. A Chinese character is three bytes, so bits per byte lie lower than those of English texts.

    Why it matters. Statutes are careful modern Chinese, nobody owns them, and new ones appear every year, which a model
    can't have read.

    Limits. One register, formulaic, and widely copied: a model may know older ones by heart. Compare figures only
    between models on this task, never with those of another language. 24 articles by default.
    """

    name = "chinese_statutes"
    data = "chinese_statutes"
    languages = ("zh",)
    default_limit = 24

    @override
    def text(self, row: Row) -> str:
        """The article."""
        return str(row["text"])

    @override
    def cluster(self, row: Row) -> str:
        """Its statute."""
        return cluster_of(row["law"])
