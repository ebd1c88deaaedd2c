"""DiversityMedQA."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.metrics.standard import ACC
from harness.tasks.choices import MultipleChoice
from suites.fairness.stereotypes.winogender import CHANGED_BY_GENDER

__all__ = ["DiversityMedQA"]

LETTERS = ("A", "B", "C", "D", "E")
GENDERS = ("male", "female")

CHANGED = replace(
    CHANGED_BY_GENDER,
    source="share of pairs that are answered differently, as in Rudinger et al. (2018), on the pairs of Rawat et al. "
    "(2024), DiversityMedQA",
    meaning="""
    0 to 1: how often another answer is given where the patient is a woman instead of a man and nothing else changes. 0
    is best.

    Formula: the share of questions whose two versions get different answers. A model that always says the same letter
    has 0, so read the accuracy beside it.
    """,
)


class DiversityMedQA(MultipleChoice):
    """Cases of medical examinations, each with a male and with a female patient (Rawat et al., 2024).

    What it measures. Whether the model finds the letter of the right one of five answers likeliest, by the gender of
    the patient, and how often its answer changes with the gender alone.

    Why it matters. A diagnosis that changes with the gender where the case doesn't is harm that nobody sees in a mean.

    Limits. Needs a model that can name a choice by its letter: small ones are at chance (0.2). The authors left out
    questions whose answer hangs on the gender; a few may be left. The gender of relatives changes with the patient's at
    times. Long questions, of examinations in the United States. Binary genders.
    """

    name = "diversity_med_qa"
    data = "diversity_med_qa"
    default_limit = 100
    supports_fewshot = False
    labels = LETTERS
    metrics = (replace(ACC, by=("gender",)), CHANGED)

    @override
    def question(self, row: Row) -> str:
        """The case and its lettered answers."""
        answers = (f"{letter}. {option}" for letter, option in zip(LETTERS, _options(row), strict=True))
        return "\n".join([row["sentence"].strip(), *answers, "Answer:"])

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The letters."""
        return LETTERS

    @override
    def gold(self, row: Row) -> int:
        """The index of the right answer."""
        return int(row["correct_option"])

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The pair and the gender."""
        return f"{index // len(GENDERS)}-{row['gender']}"

    @override
    def cluster(self, row: Row) -> str:
        """The pair."""
        return str(row["pair"])

    @override
    def sample(self, row: Row) -> Sample:
        """With the gender of the patient."""
        return replace(super().sample(row), fields={"groups": {"gender": row["gender"], "template": str(row["pair"])}})

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Both versions of each question; at most `limit` samples."""
        single = [
            {**row, "pair": pair, "gender": gender, "sentence": row[f"{gender}_sentence"]}
            for pair, row in enumerate(rows)
            for gender in GENDERS
        ]
        limit = settings.limit
        pairs = replace(settings, limit=None if limit is None else max(1, limit // len(GENDERS)), num_fewshot=0)
        chosen = choose(len(rows), pairs, salt=self.name)[1]
        indices = [len(GENDERS) * pair + place for pair in chosen for place in range(len(GENDERS))]
        return [self._read(index, single) for index in indices][:limit]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """With the sample's groups."""
        return [replace(score, groups=sample.fields["groups"]) for score in super().score(sample, responses)]


def _options(row: Row) -> Sequence[str]:
    try:
        options = ast.literal_eval(row["options"])
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise DataError("the options are no list in Python's notation") from error
    if (
        not isinstance(options, list)
        or len(options) != len(LETTERS)
        or not all(isinstance(one, str) for one in options)
    ):
        raise DataError(f"needs {len(LETTERS)} options")
    return [one.strip() for one in options]
