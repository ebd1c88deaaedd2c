"""Metrics of a written text against one reference: of translations, of summaries, and of short answers.

Words are cut by the script of the text, whatever the language: see `harness.core.text.words`.
"""

import re
import string
import unicodedata
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Mean, Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, Sums
from harness.core.text.words import CUT, letter_words, words

__all__ = [
    "BLEU",
    "CHRF",
    "ROUGE",
    "TER",
    "CorpusMetric",
    "LengthRatio",
    "MeanOfTexts",
    "Repetition",
    "TextMetric",
    "TokenF1",
    "summary_metrics",
    "text_metrics",
]

POINTS = "out of 100"
UNSPACED = ("zh", "ja")
"""Languages without spaces whose characters sacrebleu can tell apart."""
_BY_CHARACTER = ("th",)
"""Languages without spaces that sacrebleu has no tokenizer for."""

_NGRAM = 4
_ORDERS = {"rouge1": 1, "rouge2": 2, "rougeL": 1}

Counts = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TextMetric(Metric):
    """Reads a written text and its reference, both in `language` (ISO 639-1, such as `zh`)."""

    language: str = "en"

    @abstractmethod
    def fields(self, reference: str, written: str) -> Mapping[str, Any] | None:
        """`value`, and `weight` where it isn't 1, of the score of one text; None where the reference allows none."""


@dataclass(frozen=True, kw_only=True)
class CorpusMetric(TextMetric):
    """A metric of sacrebleu (Post, 2018), of all texts together, with a seeded bootstrap interval (Koehn, 2004).

    Each text is read once; resamples add up its counts. Its sacrebleu signature stands in that of the estimate.
    """

    @property
    @abstractmethod
    def scorer(self) -> Any:
        """The metric as sacrebleu has it."""

    @property
    @override
    def signature(self) -> str:
        self.scorer.num_refs = 1  # sacrebleu knows it only after it has read texts
        return str(self.scorer.get_signature())

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any]:
        """A single text has no value: the metric is of all together."""
        return {"value": None}

    def counts(self, scores: Sequence[Score]) -> Counts:
        """What each text adds to the metric, of shape (texts, counts)."""
        written, references = [score.predicted for score in scores], [score.gold for score in scores]
        if None in written or None in references:
            raise Undefined("a sample has no text")
        return np.array(self.scorer._extract_corpus_statistics(written, [references]), dtype=float)

    def of(self, counts: Counts) -> float:
        """The value on texts with these counts."""
        return float(self.scorer._compute_score_from_stats(counts.sum(axis=0).tolist()).score)

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        counts, clusters = self.counts(scores), [score.cluster for score in scores]
        return statistics.bootstrap(
            lambda rows: self.of(counts[rows]),
            len(counts),
            rng=rng,
            clusters=clusters,
            confidence=confidence,
            lowest=self.lowest,
            highest=self.highest,
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return Sums(parts=self.counts(scores), of=lambda sums: np.array([self.of(row[None, :]) for row in sums]))


@dataclass(frozen=True, kw_only=True)
class BLEU(CorpusMetric):
    """Overlap of word n-grams up to 4 with the reference, from 0 to 100, shorter texts punished.

    Corpus BLEU by sacrebleu, tokenized by 13a, by the tokenizer that sacrebleu has for Chinese, Japanese or Korean, or
    by characters in Thai.
    Figures in different languages can't be compared, nor those of small samples with published ones.
    """

    name: str = "bleu"
    unit: str = POINTS
    direction: Any = "higher"
    source: str = "Papineni et al. (2002), by sacrebleu (Post, 2018)"
    lowest: float | None = 0.0
    highest: float | None = 100.0

    @property
    @override
    def scorer(self) -> Any:
        return _bleu(self.language)


@dataclass(frozen=True, kw_only=True)
class CHRF(CorpusMetric):
    """F-score of character n-grams up to 6 and word n-grams up to 2, recall twice as heavy, from 0 to 100.

    It follows people's judgements better than BLEU in languages with many word forms. Chinese and Japanese have no
    spaces, so there its words are whole stretches between punctuation.
    """

    name: str = "chrf++"
    unit: str = POINTS
    direction: Any = "higher"
    source: str = "Popović (2017), by sacrebleu (Post, 2018)"
    lowest: float | None = 0.0
    highest: float | None = 100.0

    @property
    @override
    def scorer(self) -> Any:
        return _chrf()


@dataclass(frozen=True, kw_only=True)
class TER(CorpusMetric):
    """Edits (words put in, taken out, replaced, or shifted as a block) per 100 words of the reference; 0 is best.

    It goes beyond 100 where the text is much longer than its reference. In Chinese, Japanese and Thai characters take
    the place of words.
    """

    name: str = "ter"
    unit: str = "edits per 100 words"
    direction: Any = "lower"
    source: str = "Snover et al. (2006), by sacrebleu (Post, 2018)"
    lowest: float | None = 0.0

    @property
    @override
    def scorer(self) -> Any:
        return _ter(self.language in UNSPACED)

    @property
    @override
    def signature(self) -> str:
        """How words are cut that sacrebleu doesn't cut."""
        return f"{super().signature}|cut:{CUT}" if self.language in _BY_CHARACTER else super().signature

    @override
    def counts(self, scores: Sequence[Score]) -> Counts:
        if self.language not in _BY_CHARACTER:
            return super().counts(scores)
        return super().counts(
            [replace(score, gold=_spaced(score.gold), predicted=_spaced(score.predicted)) for score in scores]
        )


@dataclass(frozen=True, kw_only=True)
class MeanOfTexts(Mean, TextMetric):
    """The mean of values in [0, 1], one a text."""

    lowest: float | None = 0.0
    highest: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class ROUGE(MeanOfTexts):
    """Overlap with the reference summary, as F1 from 0 to 1: of words (1), pairs of words (2), or the longest common
    sequence of words (L). Words are runs of letters and figures in lower case, those of a to z
    stemmed as English; in Chinese, Japanese, Thai and other unspaced scripts characters take their place.

    A reference without a word, or a pair of them, has nothing that could be found again: its text has no score.
    """

    kind: str
    unit: str = "F1"
    direction: Any = "higher"
    source: str = "Lin (2004), by the package rouge-score with its stemmer, over words of every script"

    @property
    @override
    def signature(self) -> str:
        """What a token is."""
        return f"tok:letters+figures,{CUT}|stem:porter"

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any] | None:
        if len(letter_words(reference)) < _ORDERS[self.kind]:
            return None
        return {"value": min(1.0, float(_rouge(self.kind).score(reference, written)[self.kind].fmeasure))}


@dataclass(frozen=True, kw_only=True)
class TokenF1(MeanOfTexts):
    """F1 of the words that answer and reference share, from 0 to 1, as SQuAD counts it.

    Case, punctuation and English articles are left aside; in Chinese, Japanese, Thai and other unspaced scripts
    characters take the place of words, as MLQA (Lewis et al., 2020) has it for Chinese.
    """

    name: str = "token_f1"
    unit: str = "F1"
    direction: Any = "higher"
    source: str = "Rajpurkar et al., SQuAD (2016)"

    @property
    @override
    def signature(self) -> str:
        """What a token is."""
        return f"tok:{CUT}|norm:squad"

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any]:
        wanted, found = (Counter(_squad_tokens(text, self.language)) for text in (reference, written))
        shared, total = (wanted & found).total(), wanted.total() + found.total()
        return {"value": 2 * shared / total if total else 1.0}


@dataclass(frozen=True, kw_only=True)
class Repetition(MeanOfTexts):
    """Share of a text's 4-grams of tokens that stood in it before, from 0 to 1: how far it goes round in circles.

    Tokens are those of `LengthRatio`; a text of fewer than four repeats nothing.
    """

    name: str = "repetition"
    unit: str = "share of 4-grams"
    direction: Any = "lower"
    source: str = "seq-rep-4 of Welleck et al. (2020), over the tokens of sacrebleu"

    @property
    @override
    def signature(self) -> str:
        """What a token is."""
        return _TOKENS

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any]:
        tokens = _tokens(written)
        ngrams = list(zip(*(tokens[start:] for start in range(_NGRAM)), strict=False))
        return {"value": 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0}


@dataclass(frozen=True, kw_only=True)
class LengthRatio(TextMetric):
    """Tokens written for each token of the references, over all texts; 1 is best.

    Tokens are those that BLEU has for European languages; characters, where a script puts no space between words.
    """

    name: str = "length_ratio"
    unit: str = "tokens a token"
    target: float | None = 1.0
    source: str = "the ratio that sacrebleu (Post, 2018) shows beside BLEU"
    lowest: float | None = 0.0

    @property
    @override
    def signature(self) -> str:
        """What a token is."""
        return _TOKENS

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any]:
        return {"value": float(len(_tokens(written))), "weight": float(len(_tokens(reference)))}

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        weights = [score.weight for score in scores]
        if not sum(weights):
            raise Undefined("the references have no words")
        values = [score.value for score in scores if score.value is not None]
        return statistics.ratio(values, weights, [score.cluster for score in scores], confidence, lowest=self.lowest)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values = np.array([score.value for score in scores], dtype=float)
        return statistics.ratio_of(values, np.array([score.weight for score in scores]))


def text_metrics(language: str) -> tuple[TextMetric, ...]:
    """The metrics of translations into a language."""
    every = (BLEU, CHRF, TER, TokenF1, LengthRatio, Repetition)
    return tuple(metric(language=language) for metric in every)


def summary_metrics() -> tuple[TextMetric, ...]:
    """The metrics of English summaries."""
    rouges = (ROUGE(name=kind, kind=kind) for kind in ("rouge1", "rouge2", "rougeL"))
    return (*rouges, LengthRatio(), Repetition())


def _squad_tokens(text: str, language: str) -> list[str]:
    whole = unicodedata.normalize("NFC", text.lower())  # else the a of à would be an article
    kept = "".join(sign for sign in whole if not _is_punctuation(sign))
    return words(re.sub(r"\b(a|an|the)\b", " ", kept) if language == "en" else kept)


def _spaced(text: str | None) -> str | None:
    return None if text is None else " ".join(words(text))


def _is_punctuation(sign: str) -> bool:
    return sign in string.punctuation or unicodedata.category(sign).startswith("P")


_TOKENS = f"tok:13a,{CUT}"


def _tokens(text: str) -> list[str]:
    return words(_bleu("en")._preprocess_segment(text))


@cache
def _bleu(language: str) -> Any:
    from sacrebleu import metrics  # a quarter of a second, which only its metrics should cost

    # Texts that look tokenized are what a model may write: no reason for a warning.
    tokenizer = "char" if language in _BY_CHARACTER else None
    return metrics.BLEU(trg_lang=language, tokenize=tokenizer, force=True)


@cache
def _chrf() -> Any:
    from sacrebleu import metrics

    return metrics.CHRF(word_order=2)


@cache
def _ter(by_character: bool) -> Any:
    from sacrebleu import metrics

    return metrics.TER(normalized=by_character, asian_support=by_character)


@cache
def _rouge(kind: str) -> Any:
    from rouge_score import rouge_scorer, tokenizers  # two seconds, most of them for nltk

    english = tokenizers.DefaultTokenizer(use_stemmer=True)

    class EveryScript(tokenizers.Tokenizer):  # type: ignore[misc]
        """The package's own tokenizer knows a to z alone, and cuts words at every other letter."""

        def tokenize(self, text: str) -> list[str]:
            return [
                token for word in letter_words(text) for token in (english.tokenize(word) if word.isascii() else [word])
            ]

    return rouge_scorer.RougeScorer([kind], tokenizer=EveryScript())
