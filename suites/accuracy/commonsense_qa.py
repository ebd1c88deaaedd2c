"""CommonsenseQA."""

from types import MappingProxyType

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.lettered import LetteredChoice

__all__ = ["CommonsenseQA"]


class CommonsenseQA(LetteredChoice):
    """General common sense: which of five related concepts answers a question (Talmor et al., 2019).

    What it measures. Whether the model finds the right concept likeliest, written out after the question. It
    doesn't see the choices; lm-evaluation-harness shows them and compares letters, which small models can't use, so
    its figures aren't comparable.

    Why it matters. Questions lean on knowledge about the world that nobody writes down.

    Limits. Five choices, so a fifth are right by luck; some distractors are as good as the gold one. In English.
    """

    name = "commonsense_qa"
    data = "commonsense_qa"
    default_limit = 200
    excluded = MappingProxyType(
        {
            **dict.fromkeys((22, 177, 247, 661, 840, 1085), "the gold answer is given twice"),
            **dict.fromkeys((116, 363, 633), "the gold answer is none of the options as printed"),
            **dict.fromkeys((102, 362, 1207), "the list of options is damaged"),
        }
    )

    @override
    def question(self, row: Row) -> str:
        """The question alone."""
        return f"Question: {row['question']}\nAnswer:"
