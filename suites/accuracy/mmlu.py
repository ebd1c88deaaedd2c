"""MMLU."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.tasks import Row
from harness.metrics.standard import ACC, GOLD_BITS_PER_BYTE
from harness.tasks.lettered import LetteredChoice, lettered_options
from harness.tasks.rows import cluster_of

__all__ = ["MMLU"]

LETTERS = ("A", "B", "C", "D")


class MMLU(LetteredChoice):
    """Knowledge at the level of school, university and professions, in 57 subjects (Hendrycks et al., 2021).

    What it measures. Whether the model finds the letter of the right answer likeliest, given question and answers.

    Why it matters. It is the most widely reported test of knowledge, so it places a model among others.

    Limits. Needs a model that can name a choice by its letter: those below about a billion parameters are at chance
    (0.25) whatever they know. This copy holds 50 questions of each subject and not which subject they are
    of, so the usual line that names the subject is missing and figures differ a little from published ones, which are
    also 5-shot. A known share of its gold answers is wrong (Gema et al., 2024). In English. Verbatim repeats are
    clustered.
    """

    name = "mmlu"
    data = "mmlu"
    default_limit = 100
    labels = LETTERS
    metrics = (ACC, GOLD_BITS_PER_BYTE)

    @override
    def question(self, row: Row) -> str:
        """The question and its lettered answers, as in lm-evaluation-harness."""
        answers = zip(LETTERS, lettered_options(row["options"]), strict=True)
        lines = [row["question"].strip(), *(f"{letter}. {answer}" for letter, answer in answers), "Answer:"]
        return "\n".join(lines)

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The letters."""
        return LETTERS

    @override
    def cluster(self, row: Row) -> str:
        """The whole question."""
        return cluster_of(row["question"], row["options"])
