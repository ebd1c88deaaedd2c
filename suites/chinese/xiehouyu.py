"""Xiehouyu, two-part sayings."""

from typing_extensions import override

from harness.core.tasks import Row
from suites.chinese.controlled import ControlledChoice

__all__ = ["Xiehouyu"]


class Xiehouyu(ControlledChoice):
    """Which of four endings belongs to a riddle: xiehouyu, sayings of two parts of which people say only the first.

    What it measures. Whether the right ending is the likeliest after its riddle. Wrong ones are endings of other
    riddles, as long to the character and as common, so that length and commonness tell nothing.

    Why it matters. The ending follows from the picture that the riddle paints, or from a pun on its sound: common
    sense, in words that are rarely translated.

    Limits. Folk sayings of every region and age, some out of use; a riddle may have endings that are not listed, and a
    wrong one may fit. Those that are vulgar or mock people, such as for a disability, are left out by a list of words
    that can't find all. Endings that name a character of their riddle are left out. Chance is 0.25. 80 sayings by
    default: an error of 0.05.
    """

    name = "xiehouyu"
    data = "xiehouyu"
    languages = ("zh",)
    default_limit = 80

    @override
    def question(self, row: Row) -> str:
        return f"歇后语：{row['riddle']}——"

    @override
    def right(self, row: Row) -> str:
        return str(row["ending"])

    @override
    def unread(self, row: Row) -> str:
        return "歇后语：——"
