"""The plots of a report: those of the leaderboard, as SVG."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import pandas as pd

from harness import charts
from harness.core.attributions import RANDOM
from harness.core.headlines import made_of, main_rows
from harness.core.reports import Drawing, ReportedRun, Wording
from harness.core.reports.installed import suite_report, suite_reports
from harness.core.scores import Estimate
from harness.core.text.display import elided, number
from harness.record.estimates import estimate_row
from harness.report.blocks import Figure
from harness.report.context import ReportContext
from harness.report.pictures import heat_svg
from harness.report.words import Words

__all__ = [
    "MOST_TASKS",
    "MOST_WITH_FIGURE",
    "attribution_figures",
    "by_task",
    "first_figures",
    "frame_of",
    "grouped_frame",
    "named_frame",
    "suite_drawings",
    "suite_figures",
    "valued",
]

MOST_TASKS = 3
"""Tasks of a suite that are drawn; tables hold them all."""

MOST_WITH_FIGURE = 8
"""Dimensions beside which the first page has room for a figure."""

MOST_MAPS = 3
"""Decisions of a task whose attribution is drawn."""

MAPPED = "integrated_gradients"
"""The method that is drawn where a run has it."""


def first_figures(context: ReportContext) -> list[Figure]:
    """What a reader looks for first, of every suite that has such a plot."""
    return [
        _figure(drawing, context.words)
        for name, report in suite_reports().items()
        for drawing in report.first_page(context, context.words.of(name))
    ]


def suite_figures(context: ReportContext, suite: str) -> list[Figure]:
    """The plots of one suite that are worth paper."""
    drawings = suite_drawings(context, context.words, suite)
    return [_figure(drawing, context.words) for drawing in drawings if drawing.paper]


def suite_drawings(run: ReportedRun, words: Words, suite: str) -> list[Drawing]:
    """What a suite draws of its scores; its groups where it draws nothing of its own."""
    own = suite_report(suite).figures(run, words.of(suite))
    return list(_groups(run, words, suite) if own is None else own)


def attribution_figures(context: ReportContext, suite: str) -> list[Figure]:
    """How much each token of a prompt speaks for the decision, for the first decisions of each of the suite's tasks."""
    table = context.record.attributions
    table = table[table["suite"] == suite]
    methods = [name for name in dict.fromkeys(table["method"]) if name != RANDOM]
    if not methods:
        return []
    method = MAPPED if MAPPED in methods else methods[0]
    return [
        _map(context, row)
        for _, rows in table[table["method"] == method].groupby("task", sort=False)
        for row in rows.head(MOST_MAPS).to_dict("records")
    ]


def _map(context: ReportContext, row: Mapping[Hashable, Any]) -> Figure:
    tokens, values = [str(token) for token in row["tokens"]], [float(value) for value in row["values"]]
    caption = context.words(
        "{task}, sample {sample}: {method} for “{target}”, which has a probability of {probability}",
        task=context.words.task(str(row["suite"]), str(row["task"])),
        sample=row["sample_id"],
        method=context.words.grouping(str(row["method"])),
        target=elided(str(row["target"]).strip()),
        probability=number(row["probability"]),
    )
    told = context.words("; ").join(
        f"{elided(token.strip()) or '␣'} {number(value)}" for token, value in zip(tokens, values, strict=True)
    )
    if (shown := heat_svg(context, row)) is not None:
        picture, width = shown
        caption = context.words("{caption}: blue speaks for it, orange against it", caption=caption)
        return Figure(svg=picture, caption=caption, alternative=f"{caption}{context.words('. ')}{told}", width=width)
    chart = charts.attribution_map(
        tokens, values, language=context.words.language, target=str(row["target"]).strip(), columns=72
    )
    return Figure(
        svg=charts.to_svg(chart), caption=caption, alternative=f"{caption}{context.words('. ')}{told}", width=0.9
    )


def _groups(run: ReportedRun, words: Wording, suite: str) -> Iterator[Drawing]:
    """Of each of the first tasks that have groups, the main metric by group, or the first that has groups."""
    mine = valued(run.estimates, suite)
    grouped = [one for one in mine if one.group is not None]
    entering = made_of(one for one in run.estimates if one.is_headline)
    for one in main_rows(grouped, entering)[:MOST_TASKS]:
        attribute = one.group.attribute if one.group else ""
        rows = [
            other
            for other in mine
            if (other.task, other.metric) == (one.task, one.metric) and (other.group is None or other.is_by(attribute))
        ]
        caption = words(
            "{task}: {metric} by {attribute}",
            task=words.task(suite, one.task),
            metric=words.metric(one.metric),
            attribute=words.attribute(attribute),
        )
        frame = grouped_frame(words, rows)
        yield Drawing(draw=partial(charts.group_bars, frame), caption=caption, rows=rows, width=0.85)


def valued(estimates: Iterable[Estimate], suite: str) -> list[Estimate]:
    """The estimates of a suite that have a value."""
    return [one for one in estimates if one.suite == suite and one.value is not None]


def by_task(estimates: Sequence[Estimate]) -> Iterator[tuple[str, list[Estimate]]]:
    """Each task with its estimates."""
    for task in dict.fromkeys(one.task for one in estimates):
        yield task, [one for one in estimates if one.task == task]


def frame_of(estimates: Sequence[Estimate], **columns: str | list[str]) -> pd.DataFrame:
    """Estimates as a table, which is what charts take; a column a field, and further `columns`."""
    names = [field.name for field in fields(Estimate)]
    return pd.DataFrame(list(map(estimate_row, estimates)), columns=names).assign(**columns)


def named_frame(words: Wording, estimates: Sequence[Estimate]) -> pd.DataFrame:
    """As `frame_of`, with what people call each task."""
    tasks = [words.task(one.suite, one.task) for one in estimates]
    return frame_of(estimates, task=tasks) if estimates else frame_of(estimates)


def grouped_frame(words: Wording, estimates: Sequence[Estimate]) -> pd.DataFrame:
    """As `named_frame`, with what people call the metric and each group, too."""
    groups = [
        f"{words.attribute(one.group.attribute)}={words.attribute(one.group.value)}" if one.group else None
        for one in estimates
    ]
    named = named_frame(words, estimates).assign(metric=[words.metric(one.metric) for one in estimates])
    return named.assign(group=pd.Series(groups, index=named.index, dtype=object))


def _figure(drawing: Drawing, words: Words) -> Figure:
    """The chart with what it shows in words: each value with its interval."""
    told = words("; ").join(_told(words, one) for one in drawing.rows)
    return Figure(
        svg=charts.to_svg(drawing.draw(language=words.language)),
        caption=drawing.caption,
        alternative=f"{drawing.caption}{words('. ')}{told}",
        width=drawing.width,
    )


def _told(words: Words, one: Estimate) -> str:
    value = number(one.value)
    if one.low is not None:
        value = words("{name} ({part})", name=value, part=words.interval(one.low, one.high))
    return words("{name}: {value}", name=words.group(one.group) or words.task(one.suite, one.task), value=value)
