"""A table of what differs between two runs."""

from collections.abc import Sequence

from harness.core.text.display import number
from harness.decision.comparison import MetricDifference
from harness.report.blocks import Column, Table
from harness.report.words import Words

__all__ = ["difference_table"]

_LONG = 1e7


def difference_table(
    words: Words, caption: str, differences: Sequence[MetricDifference], sides: tuple[str, str]
) -> Table:
    """Differences of scores with their intervals; `sides` are what the two are called."""
    overall = all(one.level == "suite" for one in differences)
    return Table(
        caption=caption,
        columns=[
            Column(title=words("dimension") if overall else words("task"), width=1.4),
            Column(title=words("metric"), width=1.6),
            *(Column(title=side, kind="number") for side in sides),
            Column(title=words("difference"), kind="number"),
            Column(title=words("95 % interval"), kind="number"),
            Column(title="p (Holm)", kind="number"),
            Column(title="n", kind="number"),
            Column(title=words("verdict"), kind="short"),
        ],
        rows=[
            [
                words.title(one.suite) if overall else words.task(one.suite, one.task),
                words.of(one.suite).metric(one.metric),
                _short(one.first),
                _short(one.second),
                _short(one.difference),
                words("{low} to {high}", low=_short(one.low), high=_short(one.high)) if one.low is not None else "",
                number(one.p_holm),
                f"{one.n:,}",
                words(one.change),
            ]
            for one in differences
        ],
    )


def _short(value: float | None) -> str:
    """A number that leaves names room: a ruined perplexity has ten digits, and four columns of them."""
    return number(value) if value is None or abs(value) < _LONG else f"{value:.2e}"
