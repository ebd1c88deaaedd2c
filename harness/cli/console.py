"""How results look on a terminal."""

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from harness.cli.screens.tables import as_lists, laid_out
from harness.core.process.secrets import hidden
from harness.core.scores import Estimate
from harness.core.text.counts import numbered
from harness.core.text.display import aim, interval, number, shown_error, visible

if TYPE_CHECKING:
    from harness.decision.context import ScoreContext
    from harness.decision.keys import Key

__all__ = [
    "WIDE",
    "Contexts",
    "beside_cells",
    "beside_titles",
    "best_mark",
    "counts",
    "error_cells",
    "error_titles",
    "errors",
    "estimates_as_json",
    "fitted_width",
    "output",
    "print_estimates",
    "print_json",
    "print_lists",
    "print_rows",
    "print_text",
    "saving_line",
    "score",
    "suite_label",
]

_FILE_WIDTH = 140
"""Columns where nothing says how wide the reader's window is."""


class _Safe(Console):
    """Shows what hides in a text of unknown origin, such as a terminal's own commands in a model's name; hides keys."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(hidden(segment.text)))


def fitted_width() -> int:
    """Columns, as COLUMNS says, or the terminal; `_FILE_WIDTH` where there is neither."""
    told = os.environ.get("COLUMNS", "")
    if (told.isdigit() and int(told)) or (sys.stdout and sys.stdout.isatty()):
        return shutil.get_terminal_size().columns
    return _FILE_WIDTH


output = _Safe(highlight=False, width=fitted_width())
errors = _Safe(stderr=True, highlight=False, soft_wrap=True)

WIDE = 100
"""Columns from which the interval has room."""

Contexts = Mapping["Key", "ScoreContext"]
"""Where each score stands, by what it is of."""


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_text(text: str) -> None:
    """A text for other programs on standard output, just as it is."""
    sys.stdout.write(text)


def print_rows(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    names: int = 1,
    right: Collection[str] = (),
) -> None:
    """A plain table as of `laid_out`; what a model, a file or a user wrote is shown as text, never as markup."""
    for line in laid_out(title, columns, list(rows), output.width, names=names, right=right):
        output.print(line)


def print_lists(rows: Iterable[Mapping[str, object]]) -> None:
    """Each row as a list below its first value, and an empty line."""
    for row in rows:
        for line in as_lists(list(row), [list(row.values())], output.width):
            output.print(line)
        output.print("")


def print_estimates(estimates: Sequence[Estimate], contexts: Contexts | None = None, *, by_group: bool = False) -> None:
    """A table a suite: score, error, n, chance and baseline, unit, what is best, basis; what is absent with its reason.

    Rows of single groups are counted only, unless `by_group`. The interval is left out on terminals too narrow for it.
    """
    contexts = contexts or {}
    shown = [estimate for estimate in estimates if estimate.applies and (by_group or estimate.group is None)]
    for suite in dict.fromkeys(estimate.suite for estimate in shown):
        rows = [estimate for estimate in shown if estimate.suite == suite]
        _print_suite(suite, rows, contexts)
    for reason in dict.fromkeys(estimate.reason for estimate in estimates if not estimate.applies):
        tasks = dict.fromkeys(estimate.task for estimate in estimates if estimate.reason == reason)
        output.print(Text(f"not defined here: {', '.join(tasks)}: {reason}", style="dim"))
    for fault, names in _faults(shown).items():
        output.print(Text(f"{fault}: {'; '.join(names)}", style="yellow"))
    print_truncated(shown)
    unseen_count = sum(estimate.group is not None for estimate in estimates)
    if unseen_count and not by_group:
        output.print(Text(f"{numbered(unseen_count, 'more score')} by group: `harness show RUN --groups`", style="dim"))


def suite_label(name: str) -> str:
    """The suite's name, behind what people call it where that is another."""
    from harness.core.reports.installed import suite_title

    title = suite_title(name).lower()
    return name if title.startswith(name.replace("_", " ")) else f"{title} ({name})"


def _print_suite(suite: str, rows: Sequence[Estimate], contexts: Contexts) -> None:
    bases, beside = {estimate.basis for estimate in rows}, beside_titles(rows, contexts)
    title = f"{suite_label(suite)} ({min(bases)})" if len(bases) == 1 else suite_label(suite)
    errors = error_titles(beside)
    numbers = ("score", *errors, "n")
    columns = ["task / metric", *numbers, *beside, "unit", "best", *(["basis"] if len(bases) > 1 else [])]
    table: list[Sequence[object]] = []
    for task in dict.fromkeys(estimate.task for estimate in rows):
        table.append([Text(task, style="bold")])
        for one in rows:
            if one.task == task:
                context = (*beside_cells(one, contexts, beside), one.unit, best_mark(one, contexts), one.basis)
                cells = (f"  {_name(one)}", score(one), *error_cells(one, errors), counts(one), *context)
                table.append(cells[: len(columns)])
    print_rows(title, columns, table, right=numbers)
    output.print("")


def error_titles(beside: Sequence[str]) -> list[str]:
    """Which columns tell how sure a score is.

    Where there is no room for both, the word `beside` it says what the error would: whether it is told from chance.
    """
    return ["± stderr", "95 % interval"] if output.width >= WIDE else [] if beside else ["± stderr"]


def error_cells(one: Estimate, titles: Sequence[str]) -> list[str]:
    """What stands under `error_titles`."""
    reach = " ".join(filter(None, [interval(one.low, one.high), one.by_chance]))
    return [shown_error(one.stderr, one.low, one.high), reach][: len(titles)]


def score(one: Estimate) -> str:
    """The value, or that there is none."""
    return "absent" if one.value is None else number(one.value)


def _faults(estimates: Sequence[Estimate]) -> dict[str, list[str]]:
    """What is wrong with some estimates, and with which: those of a task that share a fault are told together."""
    found: dict[tuple[str, str], list[str]] = {}
    for estimate in estimates:
        if estimate.reason:
            fault = f"absent: {estimate.reason}"
        elif estimate.invalid_count:
            counts = f"{estimate.invalid_count} of {estimate.n + estimate.invalid_count}"
            fault = f"partial: {counts} samples could not be used: `harness show RUN --samples` says why"
        elif estimate.left_out:
            fault = f"of groups that are large enough alone, without {', '.join(estimate.left_out)}"
        else:
            continue
        found.setdefault((f"{estimate.suite}/{estimate.task}", fault), []).append(_name(estimate))
    told: dict[str, list[str]] = {}
    for (task, fault), names in found.items():
        told.setdefault(fault, []).append(f"{task} {', '.join(names)}")
    return told


def print_truncated(estimates: Sequence[Estimate]) -> None:
    """How many samples of which tasks didn't fit the model's window, and count all the same."""
    told: dict[str, int] = {}
    for one in estimates:
        if one.truncated_count and not one.is_headline:
            place = f"{one.suite}/{one.task}"
            told[place] = max(told.get(place, 0), one.truncated_count)
    if told:
        places = ", ".join(f"{place} ({count})" for place, count in told.items())
        lost = (
            "samples longer than the model's window, read without their first exemplars (of labelled texts: their end)"
        )
        output.print(Text(f"{lost}: {places}", style="yellow"))


def saving_line(token_counts: tuple[int, int]) -> str:
    """What sharing prefixes saved, in words."""
    asked, computed = token_counts
    return f"{asked:,} tokens asked, {computed:,} computed: what requests share is read once"


def _name(estimate: Estimate) -> str:
    return f"{estimate.metric} {estimate.group}" if estimate.group else estimate.metric


def beside_titles(estimates: Iterable[Estimate], contexts: Contexts) -> list[str]:
    """Which columns of context there is anything for: what guessing gives, and a baseline."""
    found = [contexts[key] for key in map(_key, estimates) if key in contexts]
    chance, baseline = any(one.chance is not None for one in found), any(one.baseline is not None for one in found)
    return [title for title, known in (("chance", chance), ("baseline", baseline)) if known]


def beside_cells(estimate: Estimate, contexts: Contexts, titles: Sequence[str]) -> list[str]:
    """What the score is held against under these titles, each number with its word; empty where there is none."""
    one = contexts.get(_key(estimate))
    if one is None:
        return [""] * len(titles)
    said = {"chance": (one.chance, one.than_chance), "baseline": (one.baseline, one.than_baseline)}
    return [" ".join(filter(None, [number(said[title][0]), said[title][1]])) for title in titles]


def _key(estimate: Estimate) -> "Key":
    from harness.decision.keys import key_of  # imported late, as all of the decisions are

    return key_of(estimate)


def counts(estimate: Estimate) -> str:
    """How many samples gave the value; how many could not, hang on rounding, or lost a part, where there are such."""
    invalid = f" (+{estimate.invalid_count} invalid)" if estimate.invalid_count else ""
    ties = f" ({numbered(estimate.tie_count, 'tie')})" if estimate.tie_count else ""
    cut = f" ({estimate.truncated_count} cut)" if estimate.truncated_count else ""
    return f"{estimate.n}{invalid}{ties}{cut}"


def best_mark(estimate: Estimate, contexts: Contexts | None = None) -> str:
    """Which way is better, and up to which value where that is known."""
    one = (contexts or {}).get(_key(estimate))
    return aim(estimate.direction, estimate.target, one.optimum if one else None)


def estimates_as_json(estimates: Sequence[Estimate], contexts: Contexts | None = None) -> list[dict[str, Any]]:
    """Estimates as JSON objects, one key for each field, and one for each of where the score stands, if told."""
    from harness.decision.context import context_row
    from harness.record.estimates import estimate_row  # imported late: --help must not wait for pandas

    if contexts is None:
        return list(map(estimate_row, estimates))
    return [{**estimate_row(one), **context_row(contexts[_key(one)])} for one in estimates]
