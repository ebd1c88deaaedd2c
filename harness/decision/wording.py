"""Comparisons and verdicts as Markdown."""

from collections.abc import Iterable, Sequence

from harness.decision.comparison import Comparison, MetricDifference
from harness.decision.costs import Cost
from harness.decision.verdicts import RuleVerdict, Verdict

__all__ = [
    "COST_COLUMNS",
    "DIFFERENCE_COLUMNS",
    "RULE_COLUMNS",
    "comparison_markdown",
    "cost_cells",
    "difference_cells",
    "markdown_table",
    "number",
    "rule_cells",
    "verdict_markdown",
]

RULE_COLUMNS = ("verdict", "rule", "on", "number", "bound", "margin", "n", "n that decides", "why")
DIFFERENCE_COLUMNS = ("what", "first", "second", "difference", "95 % interval", "p (Holm)", "n", "flips", "verdict")
COST_COLUMNS = ("cost", "first", "second", "ratio", "unit")


def number(value: float | None) -> str:
    """Four significant digits; empty for what isn't there."""
    return "" if value is None else f"{value:.4g}"


def rule_cells(rule: RuleVerdict) -> tuple[str, ...]:
    """A rule's row, by `RULE_COLUMNS`."""
    verdict = rule.verdict if rule.severity == "block" else f"{rule.verdict} (warns)"
    group = f" [{rule.group}]" if rule.group else ""
    return (
        verdict,
        _named(rule),
        f"{rule.suite}/{rule.task}/{rule.metric}{group}",
        number(rule.value),
        number(rule.bound),
        number(rule.margin),
        "" if rule.n is None else str(rule.n),
        "" if rule.n_needed is None else f"{rule.n_needed:,}",
        rule.reason,
    )


def _named(rule: RuleVerdict) -> str:
    """The name that its author gave it, else its kind."""
    return rule.kind if rule.rule.startswith(f"{rule.kind} {rule.suite}/") else rule.rule


def difference_cells(one: MetricDifference) -> tuple[str, ...]:
    """A difference's row, by `DIFFERENCE_COLUMNS`."""
    group = f" [{one.group}]" if one.group else ""
    interval = "" if one.low is None else f"{number(one.low)} to {number(one.high)}"
    flips = "" if one.gained is None else f"+{one.gained} -{one.lost}"
    return (
        f"{one.suite}/{one.task}/{one.metric}{group}",
        number(one.first),
        number(one.second),
        number(one.difference),
        interval,
        number(one.p_holm),
        str(one.n),
        flips,
        one.change if one.reason is None else f"{one.change}: {one.reason}",
    )


def cost_cells(cost: Cost) -> tuple[str, ...]:
    """A cost's row, by `COST_COLUMNS`."""
    return (cost.name, number(cost.first), number(cost.second), number(cost.ratio), cost.unit)


def verdict_markdown(verdict: Verdict) -> str:
    """The gate's table, for a pull request or a step summary."""
    against = f" against `{verdict.baseline_run_id}`" if verdict.baseline_run_id else ""
    title = f"## {verdict.verdict}: run `{verdict.run_id}`{against} by the policy {_plain(verdict.policy)}"
    return f"{title}\n\n{markdown_table(RULE_COLUMNS, map(rule_cells, verdict.rules))}\n"


def comparison_markdown(comparisons: Sequence[Comparison], rows: Sequence[Sequence[MetricDifference]]) -> str:
    """The tables of comparisons, each with the given differences."""
    parts = []
    for one, shown in zip(comparisons, rows, strict=True):
        parts.append(f"## `{one.first_run_id}` ({_plain(one.first_model)}) and `{one.second_run_id}`")
        parts += [f"Also differs: {_plain('; '.join(one.conditions))}."] if one.conditions else []
        parts.append(markdown_table(DIFFERENCE_COLUMNS, map(difference_cells, shown)))
        parts.append(markdown_table(COST_COLUMNS, map(cost_cells, one.costs)))
    return "\n\n".join(parts) + "\n"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are text, never markup."""
    lines = [columns, ["---"] * len(columns), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text: str) -> str:
    for sign in "\\`*_<>[]|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
