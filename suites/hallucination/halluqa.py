"""HalluQA: Chinese questions that mislead."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.requests import Loglikelihood
from harness.core.tasks import Row, Sample
from harness.tasks.choices import MultipleChoice

__all__ = ["HalluQA"]

_WRONG = tuple(f"Wrong_Answer{number}" for number in range(1, 5))


class HalluQA(MultipleChoice):
    """Chinese questions that lead into error, with a right answer and up to four wrong ones (Cheng et al., 2023).

    What it measures. Whether the right answer is the likeliest (`acc`), also by character (`acc_norm`), as TruthfulQA's
    MC1 has it: common misbeliefs, questions with a false premise, facts about China, and questions that take the model
    for a person.

    Why it matters. Wrong answers here are what models and people say: the likelier a model finds what is often said,
    the worse it does.

    Limits. The paper has answers written and judged by GPT-4, or letters chosen; neither is comparable. Right answers
    are the longest of 190 and the shortest of 53 of 450 questions, so `acc` is held down and `acc_norm` up by length
    alone. Some answers have aged (who holds a record). Chance is 0.22: 421 questions have five answers, 29 two; a wrong
    answer that stands there twice counts once. 6 questions by default: an error of
    up to 0.2.
    """

    name = "halluqa"
    data = "halluqa"
    languages = ("zh",)
    default_limit = 6

    @override
    def question(self, row: Row) -> str:
        return f"问题：{row['Question'].strip()}\n回答："

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The right answer first, then the wrong ones, each once."""
        listed = (str(row.get(name) or "").strip() for name in ("Best Answer1", *_WRONG))
        return tuple(dict.fromkeys(filter(None, listed)))

    @override
    def gold(self, row: Row) -> int:
        return 0

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """Without a space in front, as Chinese is written."""
        return [Loglikelihood(context=sample.prompt, continuation=choice) for choice in sample.choices]

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's."""
        return str(row["question_id"])
