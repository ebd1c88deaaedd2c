"""Options given as one text of lettered lines, the gold one as a line of its own."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.tasks import Row
from harness.tasks.choices import MultipleChoice

__all__ = ["LetteredChoice", "gold_option", "lettered_options"]


class LetteredChoice(MultipleChoice):
    """A multiple-choice task whose rows hold lettered `options` and, as `answer`, the line of the right one."""

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The options, written out."""
        return lettered_options(row["options"])

    @override
    def gold(self, row: Row) -> int:
        """The index of the right option."""
        return gold_option(lettered_options(row["options"]), row["answer"])


def lettered_options(text: str) -> tuple[str, ...]:
    """The options of a text such as "A. a\\nB. b", without their letters, in order, otherwise as written.

    Letters run from A without a gap, so a line inside an option that happens to start with another letter stays
    inside. Raises `DataError` where there are fewer than two options or one is empty.
    """
    options: list[str] = []
    rest = "\n" + text
    if rest.partition("\nA. ")[0].strip():
        raise DataError("the options don't begin with 'A. '")
    rest = rest.partition("\nA. ")[2]
    while rest:
        following = chr(ord("A") + len(options) + 1)
        option, _, rest = rest.partition(f"\n{following}. ")
        options.append(option)
    if len(options) < 2 or not all(option.strip() for option in options):
        raise DataError("needs at least two lettered options, none of them empty")
    return tuple(options)


def gold_option(options: tuple[str, ...], answer: str) -> int:
    """The index of the option that `answer`, a line such as "B. b", repeats letter and all.

    Raises `DataError` where it repeats none, or where another option has the same text: then the question
    can't be decided.
    """
    for index, option in enumerate(options):
        if f"{chr(ord('A') + index)}. {option}" == answer:
            if options.count(option) > 1:
                raise DataError(f"the gold option {answer!r} occurs twice")
            return index
    raise DataError(f"the gold answer {answer!r} is none of the options")
