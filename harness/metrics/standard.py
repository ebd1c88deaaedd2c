"""The metrics of the built-in kinds of task, each with its unit, its better direction and its source."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import PerUnit, Proportion
from harness.core.text.labels import LabelMetric

__all__ = [
    "ACC",
    "ACC_NORM",
    "BITS_PER_BYTE",
    "BYTE_PERPLEXITY",
    "EXACT_MATCH",
    "GOLD_BITS_PER_BYTE",
    "MACRO_F1",
    "MCC",
    "TOKEN_PERPLEXITY",
    "WORD_PERPLEXITY",
    "MacroF1",
    "MatthewsCorrelation",
    "confusion_cell",
]

Counts = NDArray[np.float64]

HARNESS = "lm-evaluation-harness (Gao et al., 2024)"

ACC = Proportion(
    name="acc",
    chance="choices",
    unit="share",
    direction="higher",
    source=f"{HARNESS}: share of samples whose gold choice has the highest log-likelihood",
    meaning="Share of samples, in [0, 1], whose gold choice has the highest log-likelihood.",
)

ACC_NORM = Proportion(
    name="acc_norm",
    chance="choices",
    unit="share",
    direction="higher",
    source=f"{HARNESS}: as acc, each log-likelihood divided by the characters of its choice",
    meaning="""
    In [0, 1]: as `acc`, with each log-likelihood divided by the number of characters of its choice, so that long ones
    may win.
    """,
)

EXACT_MATCH = Proportion(
    name="exact_match",
    unit="share",
    direction="higher",
    source="Rajpurkar et al., SQuAD (2016): share of answers equal to the reference; here but for space around them",
    meaning="Share of samples, in [0, 1], whose generated text equals the reference, space at both ends left aside.",
)

TOKEN_PERPLEXITY = PerUnit(
    name="token_perplexity",
    unit="per token",
    direction="lower",
    source="Jelinek et al. (1977): exp of the mean nats per token of this model's own tokenizer",
    transform="exp",
    lowest=1.0,
    meaning="""
    From 1 up. Per token of the model's own tokenizer: never compare it between models whose tokenizers differ.
    """,
)

WORD_PERPLEXITY = PerUnit(
    name="word_perplexity",
    unit="per word",
    direction="lower",
    source=f"{HARNESS}: exp of nats per word, cut at spaces or as the script asks",
    transform="exp",
    lowest=1.0,
    meaning="From 1 up. Comparable across tokenizers; in scripts that put no space between words, per character.",
)

BYTE_PERPLEXITY = PerUnit(
    name="byte_perplexity",
    unit="per byte",
    direction="lower",
    source=f"{HARNESS}: exp of nats per UTF-8 byte",
    transform="exp",
    lowest=1.0,
    meaning="From 1 up. Comparable across tokenizers, not across languages.",
)


BITS_PER_BYTE = PerUnit(
    name="bits_per_byte",
    unit="bits/byte",
    direction="lower",
    source=f"{HARNESS}, after Gao et al., The Pile (2020): nats per UTF-8 byte over ln 2",
    transform="bits",
    lowest=0.0,
    meaning="From 0 up: how many bits a byte of text costs, were the model a compressor. Comparable across tokenizers.",
)

GOLD_BITS_PER_BYTE = PerUnit(
    name="gold_bits_per_byte",
    unit="bits/byte",
    direction="lower",
    source="task loss of Bhagia et al., Establishing task scaling laws via compute-efficient model ladders (2024)",
    transform="bits",
    lowest=0.0,
    meaning="""
    From 0 up: how many bits a byte of the right answer costs after the question; lower is better. It falls smoothly as
    a model learns, where accuracy still stands at chance. It leaves wrong answers aside, so it says nothing of whether
    the right one is preferred. Comparable across tokenizers, not across tasks: short answers cost more a byte.

    Formula: nats of all right answers over their UTF-8 bytes, without the space before them, over ln 2.
    """,
)


def _at_least(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Something to divide by: a label without a sample has a numerator of 0 as well."""
    return np.where(counts > 0, counts, 1.0)


@dataclass(frozen=True, kw_only=True)
class MacroF1(LabelMetric):
    """In [0, 1]: the mean over classes, each counting the same, of the harmonic mean of precision and recall."""

    @override
    def of_counts(self, counts: Counts) -> Counts:
        right, gold, predicted = counts.diagonal(axis1=1, axis2=2), counts.sum(axis=2), counts.sum(axis=1)
        return np.asarray((2 * right / _at_least(gold + predicted)).mean(axis=1), dtype=float)


@dataclass(frozen=True, kw_only=True)
class MatthewsCorrelation(LabelMetric):
    """In [-1, 1]: the correlation of gold and predicted labels; 0 for a guesser and for a model that always says the
    same.

    Undefined where all gold labels are equal.
    """

    @override
    def of_counts(self, counts: Counts) -> Counts:
        gold, predicted, n = counts.sum(axis=2), counts.sum(axis=1), counts.sum(axis=(1, 2))
        covariance = n * counts.trace(axis1=1, axis2=2) - (gold * predicted).sum(axis=1)
        scale = np.sqrt((n**2 - (gold**2).sum(axis=1)) * (n**2 - (predicted**2).sum(axis=1)))
        agreed = np.where(scale > 0, covariance / np.where(scale > 0, scale, 1), 0.0)
        return np.where((gold > 0).sum(axis=1) < 2, np.nan, agreed)


MACRO_F1 = MacroF1(
    name="macro_f1",
    unit="F1",
    direction="higher",
    source="van Rijsbergen (1979), unweighted mean over classes as in scikit-learn (Pedregosa et al., 2011)",
    fewest_a_label=15,  # with fewer, intervals of 8 labels cover the truth in 84 to 93 of 100 samples
)

MCC = MatthewsCorrelation(
    name="mcc",
    chance=0.0,
    unit="MCC",
    direction="higher",
    source="Matthews (1975); many classes: Gorodkin (2004), as in scikit-learn (Pedregosa et al., 2011)",
)


def confusion_cell(gold: str, predicted: str) -> Proportion:
    """One cell of the confusion matrix: of samples that are `gold`."""
    return Proportion(
        name=f"confusion_{gold}_{predicted}",
        unit=f"share of {gold}",
        direction="higher" if gold == predicted else "lower",
        source="confusion matrix normalised over gold labels, as in scikit-learn (Pedregosa et al., 2011)",
        meaning="""
        One cell of the confusion matrix, each row of which sums to 1: the share of `gold` samples called `predicted`.

        In [0, 1]; higher is better on the diagonal, where it is the recall of the class, and lower elsewhere. Only
        samples whose label is `gold` are scored, so `n` is their number, which turns shares back into counts.
        """,
    )
