"""Comparisons and verdicts as Markdown."""

from collections import Counter
from collections.abc import Sequence

from harness.core.text.display import interval, number
from harness.core.text.markdown import plain, table
from harness.decision.comparison import Comparison, MetricDifference
from harness.decision.costs import Cost
from harness.decision.flips import Flip
from harness.decision.verdicts import RuleVerdict, Verdict

__all__ = [
    "COST_COLUMNS",
    "DIFFERENCE_COLUMNS",
    "FLIP_COLUMNS",
    "RULE_COLUMNS",
    "allowed",
    "comparison_markdown",
    "cost_cells",
    "difference_cells",
    "flip_cells",
    "rule_cells",
    "tally",
    "verdict_markdown",
]

RULE_COLUMNS = ("verdict", "rule", "on", "number", "allowed", "n", "n that decides", "why")
DIFFERENCE_COLUMNS = ("what", "first", "second", "difference", "95 % interval", "p (Holm)", "n", "flips", "verdict")
FLIP_COLUMNS = ("task", "sample", "change", "first said", "second said", "end of prompt")
COST_COLUMNS = ("cost", "first", "second", "ratio", "unit")


def rule_cells(rule: RuleVerdict) -> tuple[str, ...]:
    """A rule's row, by `RULE_COLUMNS`."""
    group = f" [{rule.group}]" if rule.group else ""
    return (
        _weighed(rule),
        _named(rule),
        f"{rule.suite}/{rule.task}/{rule.metric}{group}",
        _signed(rule, rule.value),
        allowed(rule),
        "" if rule.n is None else str(rule.n),
        "" if rule.n_needed is None else f"{rule.n_needed:,}",
        rule.reason,
    )


def allowed(rule: RuleVerdict) -> str:
    """What the number may be; of a rule against a baseline the number is the difference to it."""
    if rule.bound is None:
        return ""
    if rule.kind == "target":
        return f"{number(rule.bound)} ± {number(rule.margin)}"
    at_least = rule.bound < 0 if rule.margin is not None else rule.kind == "floor"
    return f"at {'least' if at_least else 'most'} {_signed(rule, rule.bound)}"


def tally(verdict: Verdict) -> str:
    """How many rules said what, so that a PASS which too few samples brought about is seen for what it is."""
    counted = Counter(map(_weighed, verdict.rules))
    return ", ".join(f"{count} {said}" for said, count in sorted(counted.items(), key=lambda one: _ORDER.index(one[0])))


_ORDER = [said + warns for said in ("ERROR", "FAIL", "INCONCLUSIVE", "PASS") for warns in ("", " (warns)")]


def _weighed(rule: RuleVerdict) -> str:
    return rule.verdict if rule.severity == "block" else f"{rule.verdict} (warns)"


def _signed(rule: RuleVerdict, value: float | None) -> str:
    """Differences always bear their sign."""
    plus = "+" if rule.kind in ("non_inferior", "no_worse_group") and value is not None and value > 0 else ""
    return f"{plus}{number(value)}"


def _named(rule: RuleVerdict) -> str:
    """The name that its author gave it, else its kind."""
    return rule.kind if rule.rule.startswith(f"{rule.kind} {rule.suite}/") else rule.rule


def difference_cells(one: MetricDifference) -> tuple[str, ...]:
    """A difference's row, by `DIFFERENCE_COLUMNS`."""
    group = f" [{one.group}]" if one.group else ""
    flips = "" if one.gained is None else f"+{one.gained} -{one.lost}"
    return (
        f"{one.suite}/{one.task}/{one.metric}{group}",
        number(one.first),
        number(one.second),
        number(one.difference),
        interval(one.low, one.high),
        number(one.p_holm),
        str(one.n) + (f" ({one.invalid_share:.1%} unusable)" if one.invalid_share else ""),
        flips,
        one.change if one.reason is None else f"{one.change}: {one.reason}",
    )


def cost_cells(cost: Cost) -> tuple[str, ...]:
    """A cost's row, by `COST_COLUMNS`."""
    return (cost.name, number(cost.first), number(cost.second), number(cost.ratio), cost.unit)


def flip_cells(flip: Flip) -> tuple[str, ...]:
    """A flip's row, by `FLIP_COLUMNS`."""
    change = "gained" if flip.gained else "lost"
    return (
        f"{flip.suite}/{flip.task}",
        flip.sample_id,
        change,
        flip.first or "",
        flip.second or "",
        flip.prompt or "",
    )


def verdict_markdown(verdict: Verdict) -> str:
    """The gate's table, for a pull request or a step summary."""
    against = f" against `{verdict.baseline_run_id}`" if verdict.baseline_run_id else ""
    title = f"## {verdict.verdict}: run `{verdict.run_id}`{against} by the policy {plain(verdict.policy)}"
    return f"{title}\n\nRules: {tally(verdict)}.\n\n{table(RULE_COLUMNS, map(rule_cells, verdict.rules))}\n"


def comparison_markdown(comparisons: Sequence[Comparison], rows: Sequence[Sequence[MetricDifference]]) -> str:
    """The tables of comparisons, each with the given differences."""
    parts = []
    for one, shown in zip(comparisons, rows, strict=True):
        parts.append(f"## `{one.first_run_id}` ({plain(one.first_model)}) and `{one.second_run_id}`")
        parts += [f"Also differs: {plain('; '.join(one.conditions))}."] if one.conditions else []
        parts.append(table(DIFFERENCE_COLUMNS, map(difference_cells, shown)))
        parts.append(table(COST_COLUMNS, map(cost_cells, one.costs)))
    return "\n\n".join(parts) + "\n"
