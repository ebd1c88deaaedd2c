"""Summaries of news articles."""

from types import MappingProxyType

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.tasks import Row
from harness.core.text.reasons import Reason
from harness.metrics.texts import summary_metrics
from suites.text_quality.translation import TextToText

__all__ = ["XSumSummary"]

WORDS = 150


class XSumSummary(TextToText):
    """The one sentence that sums up an article of the BBC (Narayan et al., 2018).

    What it measures. What the model's sentence shares with the one that introduced the article (ROUGE), how long it is
    beside it, and how often it repeats itself. The model reads the first 150 words, without exemplars.

    Why it matters. Summaries are among the commonest uses of language models, and one short enough to read at once is
    the hardest kind: little of it can be copied.

    Limits. ROUGE counts shared words, not truth: a fluent invention scores as well as a fact (Maynez et al., 2020).
    One reference each, British English, public, so a model may have read it. Articles are cut, so figures can't be
    compared with published ones. 24 articles by default: an error of about 0.02.
    """

    name = "xsum_summary"
    data = "xsum"
    default_limit = 24
    max_tokens = 40
    metrics = summary_metrics()
    excluded = MappingProxyType({219: "the document is empty"})

    @property
    @override
    def config_task(self) -> str:
        return "summarization"

    @override
    def source(self, row: Row) -> str:
        """The beginning of the article."""
        return " ".join(str(row["document"]).split()[:WORDS])

    @override
    def prompt(self, source: str) -> str:
        """The article, then where its summary goes (Radford et al., 2019)."""
        return f"{source}\n\nTL;DR:"

    @override
    def reference(self, row: Row) -> str:
        """The sentence that introduced the article."""
        return str(row["summary"])

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The BBC's number of the article."""
        return str(row["id"])

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        code = checkpoint.target_language
        return (
            None
            if code is None
            else Reason("this task asks for a summary, and the model translates (--target-language {code})", code=code)
        )
