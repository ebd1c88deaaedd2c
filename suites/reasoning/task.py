"""What the tasks of reasoning share: how they make their questions, and how an answer is read and checked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import ClassVar

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from harness.metrics.second_reader import DISAGREEMENT
from harness.metrics.written import CHANCE, by_groups
from harness.tasks.exemplars import after_exemplars
from harness.tasks.extraction import Extracted, Rule, behind_marker, boxed, last_line
from harness.tasks.rows import cluster_of
from suites.reasoning.forms import Number
from suites.reasoning.puzzles import DIFFICULTIES, PuzzleFamily
from suites.reasoning.twice_read import TwiceRead

__all__ = ["ReasoningTask"]

WHOLE = 300
"""Questions of a task where no limit is given; there is no end to what could be made."""
DIGESTED = 24
"""Questions that stand for all of a seed in the digest of the data, which is the same for any limit."""
_GROUPS = ("family", "difficulty")


class ReasoningTask(TwiceRead):
    """Questions of several families, made from the run's seed: another seed asks others.

    Question i is of family i mod the number of families, and of difficulty i mod 4, so that any limit spreads over
    both, and a larger one contains a smaller. Exemplars are made beside these, and are as easy as can be.
    """

    families: ClassVar[Sequence[PuzzleFamily]]
    data = None
    default_limit = 8
    max_tokens = 128
    until = ("\nQuestion:",)
    metrics: Sequence[Metric] = by_groups(_GROUPS)

    def __init__(self) -> None:
        self._forms = {family.name: family.form for family in self.families}
        if any(isinstance(form, Number) for form in self._forms.values()):
            self.metrics = (*self.metrics, DISAGREEMENT)
        self._choices = {family.name: family.choices for family in self.families}
        if any(choices(DIFFICULTIES[0]) for choices in self._choices.values()):
            self.metrics = (*self.metrics, CHANCE)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many as the limit says, 300 without one."""
        limit = WHOLE if settings.limit is None else settings.limit
        self.data_digest = digest([self._row(settings.seed, index) for index in range(DIGESTED)])
        shown = [self.sample(self._row(settings.seed, -1 - index)) for index in range(settings.num_fewshot)]
        samples = [self._asked(settings.seed, index, {sample.prompt for sample in shown}) for index in range(limit)]
        return after_exemplars([(sample.prompt, self.answer(sample)) for sample in shown], samples, settings)

    def _asked(self, seed: int, index: int, shown: Collection[str]) -> Sample:
        for turn in count():
            row = self._row(seed, index, turn)
            sample = self.sample(row)
            if sample.prompt not in shown:
                return replace(sample, id=row["id"], cluster=cluster_of(row["question"]))
        raise AssertionError("there is no end to questions")

    def _row(self, seed: int, index: int, turn: int = 0) -> Row:
        """The question of that index; the easy ones of negative indices are exemplars."""
        family = self.families[index % len(self.families)]
        difficulty = DIFFICULTIES[index % len(DIFFICULTIES)] if index >= 0 else DIFFICULTIES[0]
        puzzle = family.make(Random(f"{seed}:{self.name}:{family.name}:{index}:{turn}"), difficulty)
        return {
            "id": f"{family.name}-{difficulty}-{seed}-{index}",
            "family": family.name,
            "difficulty": str(difficulty),
            "question": puzzle.question,
            "answer": puzzle.answer,
            "facts": dict(puzzle.facts),
        }

    @override
    def sample(self, row: Row) -> Sample:
        wanted = self._forms[row["family"]].wanted
        return Sample(
            id="",
            prompt=f'Question: {row["question"]}\nEnd with a line that begins with "Answer:", followed by {wanted} and '
            "nothing else.\nReply:",
            gold=row["answer"],
            fields={name: row[name] for name in (*_GROUPS, "facts")},
        )

    @override
    def answer(self, sample: Sample) -> str:
        return f"Answer: {sample.gold}"

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """Behind the last `Answer:`, in the last box, or in the last line, where first there is what was asked for."""
        form = self._forms[sample.fields["family"]]
        for found in _places(text):
            answer = form.read(found.answer)
            if answer is not None:
                return Extracted(answer, found.by)
        return None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return self._forms[sample.fields["family"]].is_right(answer, str(sample.gold), sample.fields["facts"])

    @override
    def gold_for_second(self, sample: Sample) -> str | None:
        """Of a single number alone: other forms are compared by rules that the question states."""
        return str(sample.gold) if isinstance(self._forms[sample.fields["family"]], Number) else None

    @override
    def ballot(self, sample: Sample, answer: str) -> str:
        """Equal formulas in other words are one answer."""
        return self._forms[sample.fields["family"]].canonical(answer)

    @override
    def chance(self, sample: Sample) -> float:
        """One over the answers that the question leaves open; 0 where they can't be listed."""
        choices = self._choices[sample.fields["family"]](int(sample.fields["difficulty"]))
        return 1 / choices if choices else 0.0

    @override
    def groups(self, sample: Sample) -> Mapping[str, str]:
        """Its family and difficulty."""
        return {name: sample.fields[name] for name in _GROUPS}


def _places(text: str) -> Iterator[Extracted]:
    behind = behind_marker(text)
    if behind:
        yield boxed(behind.answer) or behind
    rules: tuple[Rule, ...] = (boxed, last_line)
    yield from (found for rule in rules if (found := rule(text)))
