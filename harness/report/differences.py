"""A table of what differs between two runs."""

from collections.abc import Sequence

from harness.core.text.display import number
from harness.decision.comparison import MetricDifference
from harness.report.blocks import Column, Table
from harness.report.words import Words

__all__ = ["difference_table"]


def difference_table(
    words: Words, caption: str, differences: Sequence[MetricDifference], sides: tuple[str, str]
) -> Table:
    """Differences of scores with their intervals; `sides` are what the two are called."""
    return Table(
        caption=caption,
        columns=[
            Column(title=words("dimension"), width=1.2),
            Column(title=words("what"), width=1.8),
            *(Column(title=side, kind="number") for side in sides),
            Column(title=words("difference"), kind="number"),
            Column(title=words("95 % interval"), kind="number"),
            Column(title="p (Holm)", kind="number"),
            Column(title="n", kind="number"),
            Column(title=words("verdict"), kind="short"),
        ],
        rows=[
            [
                words.title(one.suite),
                words.metric(one.metric) if one.level == "suite" else _named(words, one),
                number(one.first),
                number(one.second),
                number(one.difference),
                words.interval(one.low, one.high),
                number(one.p_holm),
                f"{one.n:,}",
                words(one.change),
            ]
            for one in differences
        ],
    )


def _named(words: Words, one: MetricDifference) -> str:
    return f"{words.task(one.suite, one.task)} {words.metric(one.metric)}"
