"""A run's scores on one screen: one score a suite, one a task, energy in a few lines, and what is missing."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.text import Text

from harness.cli.console import (
    Contexts,
    beside_cells,
    beside_titles,
    best_mark,
    counts,
    error_cells,
    error_titles,
    output,
    print_estimates,
    print_rows,
    print_truncated,
    score,
    suite_label,
)
from harness.core.scores import Estimate
from harness.core.text.counts import numbered
from harness.core.text.display import elided, interval, number, shown_error

__all__ = ["print_scores", "print_side_by_side"]

_FEW = 40
"""So many rows are shown whole."""
_ROOMY = 12
"""Columns that what a suite's score is made of takes at least."""
_REASONS, _NAMES = 4, 4
"""How many reasons for what is absent are told, and how many of their tasks are named."""

_COLUMN = 18
"""Columns that a model's scores take where several stand side by side, `0.1234 ± 0.1234` and a gap."""

_METER = "meter:"


def print_scores(
    estimates: Sequence[Estimate],
    contexts: Contexts | None = None,
    *,
    every_row: bool = False,
    by_group: bool = False,
) -> None:
    """The scores of a run with where they stand, on one screen where they are many.

    All of them where `every_row` or `by_group` asks for that.
    """
    contexts = contexts or {}
    rows = [one for one in estimates if one.applies and one.group is None]
    if every_row or by_group or len(rows) <= _FEW:
        print_estimates(estimates, contexts, by_group=by_group)
        return
    # Imported late, as it brings numpy: help and lists are instant without.
    from harness.core.headlines import main_estimates

    suites = [one for one in rows if one.is_headline]
    briefs = _briefs(rows)
    tasks = [one for one in main_estimates(rows) if one.suite not in briefs]
    _print_table("scores by suite", "suite", [(suite_label(one.suite), one) for one in suites], contexts, parts=True)
    _print_table("tasks, each by the metric in its suite's score, else by its first", "task", _named(tasks), contexts)
    _print_written(rows)
    for suite, few in briefs.items():
        _print_brief(suite, few)
    _print_missing(estimates)
    output.print(Text(f"{len(rows)} rows in all: `harness show RUN --all`; by group: `--groups`", style="dim"))


def print_side_by_side(runs: Sequence[tuple[str, Sequence[Estimate]]]) -> None:
    """The one score of each dimension for several runs, each with its name; of tasks, where no dimension has one.

    As many columns as there is room for stand side by side, the others below.
    """
    from harness.core.headlines import main_estimates

    headlines = [[one for one in estimates if one.is_headline and one.applies] for _, estimates in runs]
    by_task = not any(one.value is not None for shown in headlines for one in shown)
    chosen = [main_estimates(estimates) for _, estimates in runs] if by_task else headlines
    found = [{(one.suite, one.task, one.metric, best_mark(one)): one for one in shown} for shown in chosen]
    rows = list(dict.fromkeys(key for shown in found for key in shown))
    first = max((len(_row_name(key, by_task=by_task)) for key in rows), default=0)
    room = max(1, (output.width - first - 8) // _COLUMN)
    for start in range(0, len(runs), room):
        shown = [elided(name, _COLUMN - 1) for name, _ in runs[start : start + room]]
        table = []
        for key in rows:
            cells = [_beside(one.get(key)) for one in found[start : start + room]]
            if any(cells):
                table.append((_row_name(key, by_task=by_task), *cells, key[-1]))
        print_rows("side by side", ("task" if by_task else "dimension", *shown, "best"), table, right=shown)
        output.print("")


def _row_name(key: tuple[str, str, str, str], *, by_task: bool) -> str:
    suite, task, metric, _ = key
    return f"{task} {metric}" if by_task else f"{suite} {metric}"


def _beside(one: Estimate | None) -> str:
    """Score and standard error; empty for what is absent."""
    if one is None or one.value is None:
        return ""
    error = shown_error(one.stderr, one.low, one.high)
    return f"{number(one.value)} ± {error}" if error else number(one.value)


def _named(tasks: Sequence[Estimate]) -> list[tuple[str, Estimate]]:
    """Each task's row, by its name alone where no other suite has one of that name."""
    suites = Counter(one.task for one in tasks)
    return [(one.task if suites[one.task] == 1 else f"{one.suite}/{one.task}", one) for one in tasks]


def _made_of(headline: Estimate, room: int) -> str:
    """Of which tasks the mean is: as many names as there is room for, and how many others."""
    tasks = [part.task for part in headline.parts]
    for shown in range(len(tasks), 0, -1):
        rest = f" and {len(tasks) - shown} more" if shown < len(tasks) else ""
        if len(told := ", ".join(tasks[:shown]) + rest) <= room:
            return told
    return numbered(len(tasks), "task") if tasks else ""


def _print_table(
    title: str, first: str, rows: Sequence[tuple[str, Estimate]], contexts: Contexts, *, parts: bool = False
) -> None:
    """Name, estimate and, for `parts`, what it is made of; narrow terminals have no room for that and the interval."""
    if not rows:
        return
    beside = beside_titles([one for _, one in rows], contexts)
    errors = error_titles(beside)
    right = ("score", *errors, "n")
    columns = [first, "metric", *right, *beside, "best"]
    table = [
        [
            *(name, one.metric, score(one), *error_cells(one, errors), counts(one)),
            *(*beside_cells(one, contexts, beside), best_mark(one, contexts)),
        ]
        for name, one in rows
    ]
    widths = [max(len(column), *(len(row[at]) for row in table)) for at, column in enumerate(columns)]
    if parts and (room := output.width - sum(widths) - 2 * len(widths)) >= _ROOMY:
        columns.append("mean of")
        table = [[*row, _made_of(one, room)] for row, (_, one) in zip(table, rows, strict=True)]
    print_rows(title, columns, table, names=2, right=right)
    output.print("")


def _print_written(rows: Sequence[Estimate]) -> None:
    """How the answers ended that the model wrote, by task: what its accuracy rests on."""
    from harness.metrics.written import ACCURACY, CHANCE, CUT, TOKENS, UNPARSED, UPPER

    found = {(one.suite, one.task, one.metric): number(one.value) for one in rows if one.value is not None}
    tasks = [(suite, task) for suite, task, metric in found if metric == CUT.name]
    if not tasks:
        return
    shown = [(ACCURACY, "right"), (UPPER, "at most"), (CUT, "cut"), (UNPARSED, "unread"), (TOKENS, "tokens")]
    if any(metric == CHANCE.name for *_, metric in found):
        shown.insert(1, (CHANCE, "chance"))
    titles = [title for _, title in shown]
    table = [(task, *(found.get((suite, task, metric.name), "") for metric, _ in shown)) for suite, task in tasks]
    print_rows("written answers", ("task", *titles), table, right=titles)
    output.print(
        Text("at most: if all were right that was cut or could not be read; see docs/written-answers.md", style="dim"),
        "",
        sep="\n",
    )


def _briefs(rows: Sequence[Estimate]) -> dict[str, Sequence[Estimate]]:
    """What each suite tells of itself in a line each, of those that do."""
    from harness.core.reports.installed import known_suite

    found: dict[str, Sequence[Estimate]] = {}
    for name in dict.fromkeys(one.suite for one in rows):
        suite = known_suite(name)
        few = suite.brief([one for one in rows if one.suite == name and one.value is not None]) if suite else None
        if few is not None:
            found[name] = few
    return found


def _print_brief(suite: str, shown: Sequence[Estimate]) -> None:
    if not shown:
        return
    output.print(Text(suite, style="bold"))
    for one in shown:
        reach = f" ({interval(one.low, one.high)})" if one.low is not None else ""
        how = f"; {one.interval}" if one.interval and "aim" in one.interval else ""
        output.print(Text(f"  {one.task} {one.metric}: {number(one.value)} {one.unit}{reach}, {one.basis}{how}"))
    meters = {part for one in shown for part in one.signature.split("|") if part.startswith(_METER)}
    for meter in sorted(meters):
        output.print(Text(f"  by {meter.removeprefix(_METER)}", style="dim"))
    output.print("")


def _print_missing(estimates: Sequence[Estimate]) -> None:
    """What has no value, by reason: how many scores of which tasks; what isn't defined for the checkpoint apart."""
    whole = [one for one in estimates if one.group is None and not one.is_headline]
    for reason, places in _by_reason(one for one in whole if not one.applies):
        output.print(Text(f"not defined here: {_some(places)}: {reason}", style="dim"))
    missing = _by_reason(one for one in whole if one.applies and one.reason)
    for reason, places in missing[:_REASONS]:
        output.print(Text(f"absent, {numbered(len(places), 'score')} of {_some(places)}: {reason}", style="yellow"))
    if rest := missing[_REASONS:]:
        count = sum(len(places) for _, places in rest)
        names = _some([place for _, places in rest for place in places])
        told = f"absent, {numbered(count, 'more score')} of {names}, for {numbered(len(rest), 'other reason')}"
        output.print(Text(told, style="yellow"))
    invalid = {f"{one.suite}/{one.task}": one.invalid_count for one in whole if one.invalid_count and not one.reason}
    if invalid:
        told = ", ".join(f"{place} ({count})" for place, count in invalid.items())
        output.print(Text(f"samples that could not be used: {told}: `harness show RUN --samples`", style="yellow"))
    small = [f"{one.suite}/{one.task}: {group}" for one in whole for group in one.left_out]
    if small:
        output.print(Text(f"groups too small to be compared: {_some(small, 'more')}", style="yellow"))
    print_truncated(whole)


def _by_reason(estimates: Iterable[Estimate]) -> list[tuple[str, list[str]]]:
    """Where each reason holds, the most frequent first."""
    found: dict[str, list[str]] = {}
    for one in estimates:
        found.setdefault(one.reason or "", []).append(f"{one.suite}/{one.task}")
    return sorted(found.items(), key=lambda reason: -len(reason[1]))


def _some(places: Sequence[str], others: str = "more tasks") -> str:
    names = list(dict.fromkeys(places))
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} {others}" if len(names) > _NAMES else "")
