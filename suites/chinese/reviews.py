"""Sentiment of Chinese reviews."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.requests import Loglikelihood
from harness.core.tasks import Row, Sample, TaskSettings
from harness.metrics.standard import GOLD_BITS_PER_BYTE
from harness.tasks.labelled import LabelledChoice, label_metrics
from harness.tasks.rows import choose_evenly

__all__ = ["ChineseReviews"]

_LABELS = ("负面", "正面")


class ChineseReviews(LabelledChoice):
    """Sentiment of short Chinese reviews of books, hotels and computers, by verbalised labels.

    What it measures. Whether the model finds 负面 (negative) or 正面 (positive) likelier after a review. The confusion
    matrix shows which way it errs; macro-F1 and MCC are low for a model that says the same of every review. As many
    reviews of each label.

    Why it matters. Classification without training is what many use language models for, and most of what is known
    about it is known of English.

    Limits. Who labelled them isn't told: some reviews are mixed, and a few are mislabelled. One
    wording of the question and of the labels: others give other figures. Reviews of 10 to 40 characters alone, from
    before 2013, public ever since; the library that they come with is trained on them.
    """

    name = "chinese_reviews"
    data = "chinese_reviews"
    languages = ("zh",)
    default_limit = 60
    labels = _LABELS
    supports_fewshot = False
    metrics = (*label_metrics(_LABELS), GOLD_BITS_PER_BYTE)

    @override
    def question(self, row: Row) -> str:
        """The review, then where its sentiment goes."""
        return f"评论：{row['text']}\n这条评论是正面的还是负面的？\n答案："

    @override
    def label(self, row: Row) -> str:
        """The sentiment."""
        return {"negative": "负面", "positive": "正面"}[row["label"]]

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many of each label."""
        chosen = choose_evenly([row["label"] for row in rows], settings, salt=self.name)
        return [self._read(index, rows) for index in chosen]

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One for each label, without a space in front, as Chinese is written."""
        return [Loglikelihood(context=sample.prompt, continuation=label) for label in sample.choices]
