"""Perplexity of news articles."""

from types import MappingProxyType

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.rolling import RollingPerplexity

__all__ = ["XSumDocuments"]


class XSumDocuments(RollingPerplexity):
    """How well the model predicts whole articles of the BBC (Narayan et al., 2018).

    What it measures. Perplexity per token, word and byte, and bits per byte, of running prose. Articles longer than
    512 tokens are read in windows of 512 that move on by 256, so every token but an article's first 512 is
    predicted from at least 256 before it, and models with different context lengths are asked the same.

    Why it matters. Single sentences say little about how a model uses context; articles do.

    Limits. One publisher, one register, British English of 2010 to 2017, which a model may have read. The
    opening sentence of each article is missing: in XSum it became the summary.
    """

    name = "xsum_documents"
    data = "xsum"
    default_limit = 36
    max_length = 512
    stride = 256
    excluded = MappingProxyType({219: "the document is empty"})

    @override
    def text(self, row: Row) -> str:
        """The article."""
        return str(row["document"])

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The BBC's number of the article."""
        return str(row["id"])
