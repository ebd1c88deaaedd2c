"""MMLU by subject."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.errors import DataError, TaskError
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.metrics.standard import ACC, GOLD_BITS_PER_BYTE
from harness.tasks.choices import MultipleChoice
from harness.tasks.exemplars import after_exemplars, running_text
from harness.tasks.rows import choose_evenly, cluster_of
from suites.accuracy.subjects import CATEGORIES, category_of, domain_of

__all__ = ["MMLUSubjects"]

LETTERS = ("A", "B", "C", "D")
MOST_EXEMPLARS = 5


class MMLUSubjects(MultipleChoice):
    """Knowledge in 57 subjects, each with its own introduction and exemplars (Hendrycks et al., 2021).

    What it measures. Whether the model finds the letter of the right answer likeliest, given the subject, five
    exemplars of it, the question and the answers, as model cards report it: over all, by category of the publisher,
    by field of use (`domain`), and by subject where ten or more of its questions are asked.

    Why it matters. It is the most widely reported test of knowledge, and a mean over subjects says nothing about the
    one that a model is wanted for.

    Limits. Needs a model that can name a choice by its letter: those below about a billion parameters are at chance
    (0.25) whatever they know. Each subject gets as many questions, so the whole is a mean over subjects; with `--limit
    all` it is over all 14,042 questions, a ninth of them professional law. Exemplars are the publisher's, but three
    subjects have 3 or 4 of the five. A known share of the gold answers is wrong (Gema et al., 2024). In English, and
    where it isn't about the world, about the United States. The questions are public.
    """

    name = "mmlu_subjects"
    data = "mmlu_complete"
    default_limit = 228
    default_num_fewshot = MOST_EXEMPLARS
    labels = LETTERS
    metrics = (replace(ACC, by=("domain", "category", "subject")), GOLD_BITS_PER_BYTE)
    subjects: Sequence[str] = tuple(subject for subjects in CATEGORIES.values() for subject in subjects)

    @override
    def question(self, row: Row) -> str:
        """The question and its lettered answers, as in lm-evaluation-harness."""
        answers = (f"{letter}. {answer}" for letter, answer in zip(LETTERS, row["options"], strict=True))
        return "\n".join([row["question"].strip(), *answers, "Answer:"])

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The letters."""
        return LETTERS

    @override
    def gold(self, row: Row) -> int:
        """The index of the right answer."""
        return int(row["answer"])

    @override
    def cluster(self, row: Row) -> str:
        """The whole question."""
        return cluster_of(row["question"], *row["options"])

    @override
    def sample(self, row: Row) -> Sample:
        """With its subject, the subject's category and its field of use."""
        subject = row["subject"]
        if subject not in self.subjects:
            raise DataError(f"{subject} is none of its {len(self.subjects)} subjects")
        groups = {"domain": domain_of(subject), "category": category_of(subject), "subject": subject}
        return replace(super().sample(row), fields={"groups": groups})

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many questions of each subject, behind its introduction and its own exemplars.

        A task on some of the subjects asks the same questions of them as one on all, so a run asks them once. Raises
        `TaskError` for more exemplars than there are.
        """
        if settings.num_fewshot > MOST_EXEMPLARS:
            raise TaskError(
                f"{settings.num_fewshot} exemplars of a subject: the publisher has {MOST_EXEMPLARS}",
                place=self.name,
                fix=f"Ask for {MOST_EXEMPLARS} or fewer",
            )
        mine = [index for index, row in enumerate(rows) if row["subject"] in self.subjects]
        exemplars: dict[str, list[Sample]] = {}
        for index in (one for one in mine if rows[one]["split"] == "dev"):
            exemplars.setdefault(rows[index]["subject"], []).append(self._read(index, rows))
        asked = [index for index in mine if rows[index]["split"] != "dev"]
        chosen = choose_evenly([rows[index]["subject"] for index in asked], settings, salt=MMLUSubjects.name)
        found: dict[str, list[Sample]] = {}
        for place in chosen:
            index = asked[place]
            found.setdefault(rows[index]["subject"], []).append(self._read(index, rows))
        return [
            sample
            for subject, samples in found.items()
            for sample in self._introduced(
                subject, exemplars.get(subject, [])[: settings.num_fewshot], samples, settings
            )
        ]

    def _introduced(
        self, subject: str, exemplars: Iterable[Sample], samples: Sequence[Sample], settings: TaskSettings
    ) -> Iterator[Sample]:
        introduction = f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}."
        shown = [(one.prompt, self.answer(one)) for one in exemplars]
        if settings.multiturn and shown:
            (question, answer), *others = shown
            yield from after_exemplars([(f"{introduction}\n\n{question}", answer), *others], samples, settings)
            return
        shared = f"{introduction}\n\n{running_text(shown)}"
        for sample in samples:
            yield replace(sample, prompt=shared + sample.prompt, question_start=len(shared) if shown else 0)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """With the sample's groups."""
        return [replace(score, groups=sample.fields["groups"]) for score in super().score(sample, responses)]
