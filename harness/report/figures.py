"""The plots of a report: those of the leaderboard, as SVG."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from harness import charts
from harness.core.attributions import RANDOM
from harness.core.headlines import OVERALL, made_of, main_estimates, main_rows
from harness.core.scores import Estimate
from harness.core.text.display import elided, interval, number
from harness.report.blocks import Figure
from harness.report.context import ReportContext

__all__ = ["attribution_figures", "share_figure", "suite_figures"]

MOST_TASKS = 3
"""Tasks of a suite that are drawn; tables hold them all."""

MOST_MAPS = 3
"""Decisions of a task whose attribution is drawn."""

MAPPED = "integrated_gradients"
"""The method that is drawn where a run has it."""


def share_figure(context: ReportContext) -> list[Figure]:
    """The main score of each task of accuracy with its interval: what a reader looks for first. None without any."""
    known = [one for one in main_estimates(context.estimates) if one.suite == "accuracy" and one.value is not None]
    rows = [one for one in known if one.unit == known[0].unit]
    if not rows:
        return []
    metrics = list(dict.fromkeys(one.metric for one in rows))
    several = len(metrics) > 1
    frame = _frame(rows, name=[f"{one.task}: {one.metric}" if several else one.task for one in rows])
    if several:
        frame["metric"] = "score"
    caption = context.words(
        "Right answers by task ({metrics}): each by the metric that enters the score of its dimension, else by its "
        "first",
        metrics=", ".join(metrics),
    )
    chart = charts.dimension_bars(frame, language=context.words.language)
    return [_figure(chart, caption, rows, width=0.85)]


def suite_figures(context: ReportContext, suite: str) -> list[Figure]:
    """The plots of one suite: what it alone has, and its groups."""
    mine = [one for one in context.estimates if one.suite == suite and one.value is not None]
    return [figure for drawing in _DRAWINGS.get(suite, (_groups,)) for figure in drawing(context, mine)]


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
    chart = charts.attribution_map(
        tokens, values, language=context.words.language, target=str(row["target"]).strip(), columns=72
    )
    caption = context.words(
        "{task}, sample {sample}: {method} for “{target}”, which has a probability of {probability}",
        task=row["task"],
        sample=row["sample_id"],
        method=row["method"],
        target=elided(str(row["target"]).strip()),
        probability=number(row["probability"]),
    )
    told = "; ".join(
        f"{elided(token.strip()) or '␣'} {number(value)}" for token, value in zip(tokens, values, strict=True)
    )
    return Figure(svg=charts.to_svg(chart), caption=caption, alternative=f"{caption}. {told}", width=0.9)


def _severity(context: ReportContext, mine: Sequence[Estimate]) -> Iterator[Figure]:
    for task, rows in _by_task(mine):
        frame = _frame(rows, name=context.record.spec.model)
        shown = [one for one in rows if one.metric in ("clean_score", "noisy_score")]
        if any(one.metric == "noisy_score" and (one.group or "").startswith("severity=") for one in shown):
            chart = charts.severity_curves(frame, language=context.words.language)
            named = [one for one in shown if one.group is None or one.group.startswith("severity=")]
            yield _figure(chart, context.words("{task}: score as noise grows", task=task), named, width=0.7)


def _reliability(context: ReportContext, mine: Sequence[Estimate]) -> Iterator[Figure]:
    for task, rows in list(_by_task(mine))[:MOST_TASKS]:
        bins = [one for one in rows if one.metric == "acc" and (one.group or "").startswith("confidence=")]
        if bins:
            chart = charts.reliability(_frame(rows), language=context.words.language)
            caption = context.words("{task}: right answers by confidence", task=task)
            yield _figure(chart, caption, bins, width=0.7)


def _energy(context: ReportContext, mine: Sequence[Estimate]) -> Iterator[Figure]:
    phases = [one for one in mine if one.metric == "energy_joules" and one.task not in ("run", "idle")]
    if phases:
        chart = charts.energy_by_phase(_frame(mine), language=context.words.language)
        yield _figure(chart, context.words("Energy by phase"), phases)


def _groups(context: ReportContext, mine: Sequence[Estimate]) -> Iterator[Figure]:
    """Of each of the first tasks that have groups, the main metric by group, or the first that has groups."""
    grouped = [one for one in mine if one.group is not None]
    entering = made_of(one for one in context.estimates if one.task == OVERALL)
    for one in main_rows(grouped, entering)[:MOST_TASKS]:
        attribute = (one.group or "").partition("=")[0]
        rows = [
            other
            for other in mine
            if (other.task, other.metric) == (one.task, one.metric)
            and (other.group is None or other.group.partition("=")[0] == attribute)
        ]
        chart = charts.group_bars(_frame(rows), language=context.words.language)
        caption = context.words(
            "{task}: {metric} by {attribute}", task=one.task, metric=one.metric, attribute=attribute
        )
        yield _figure(chart, caption, rows, width=0.85)


_DRAWINGS: dict[str, Sequence[Callable[[ReportContext, Sequence[Estimate]], Iterator[Figure]]]] = {
    "robustness": (_severity,),
    "calibration": (_reliability,),
    "energy": (_energy,),
    "accuracy": (),
}


def _by_task(estimates: Sequence[Estimate]) -> Iterator[tuple[str, list[Estimate]]]:
    for task in dict.fromkeys(one.task for one in estimates):
        yield task, [one for one in estimates if one.task == task]


def _frame(estimates: Sequence[Estimate], **columns: str | list[str]) -> pd.DataFrame:
    return pd.DataFrame([asdict(one) for one in estimates]).assign(**columns)


def _figure(chart: charts.Chart, caption: str, rows: Sequence[Estimate], *, width: float = 1.0) -> Figure:
    """The chart with what it shows in words: each value with its interval."""
    told = "; ".join(
        f"{one.group or one.task}: {number(one.value)} ({interval(one.low, one.high)})"
        if one.low is not None
        else f"{one.group or one.task}: {number(one.value)}"
        for one in rows
    )
    return Figure(svg=charts.to_svg(chart), caption=caption, alternative=f"{caption}. {told}", width=width)
