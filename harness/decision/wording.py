"""Comparisons and verdicts as Markdown."""

import re
from collections.abc import Sequence
from textwrap import wrap

from harness.core.scores import OVERALL
from harness.core.text.display import interval, number
from harness.core.text.markdown import CONTROLS, plain, table
from harness.decision.comparison import Comparison, MetricDifference
from harness.decision.costs import Cost
from harness.decision.flips import Flip
from harness.decision.telling.sentences import method_of, sentence_of, settling_in, values_of
from harness.decision.verdicts import RuleVerdict, Verdict, decided_count

__all__ = [
    "COST_COLUMNS",
    "DIFFERENCE_COLUMNS",
    "FLIP_COLUMNS",
    "allowed",
    "comparison_markdown",
    "cost_cells",
    "difference_cells",
    "difference_name",
    "flip_cells",
    "headline",
    "verdict_lines",
    "verdict_markdown",
]

DIFFERENCE_COLUMNS = ("what", "first", "second", "difference", "95 % interval", "p (Holm)", "n", "flips", "verdict")
_AGAINST = ("non_inferior", "no_worse_group")
FLIP_COLUMNS = ("task", "sample", "change", "first said", "second said", "end of prompt")
COST_COLUMNS = ("cost", "first", "second", "ratio", "unit")


def verdict_lines(verdict: Verdict, width: int = 80) -> list[str]:
    """The gate's verdict for a terminal: what was decided, two lines a rule, then commands and methods.

    A rule whose first line has no room in `width` leaves out the values that its change lies between.
    """
    lines = [f"{headline(verdict)} by the policy {verdict.policy}", ""]
    for rule in verdict.rules:
        lines += [_numbers(rule, width), f"  {sentence_of(rule.reason)}"]
    if settling := _settling(verdict, width - 2):
        lines += ["", _SETTLING, *(f"  {line}" for line in settling)]
    if methods := _methods(verdict):
        lines += ["", _RANGES, *(f"  {how}: {', '.join(of)}" for how, of in methods.items())]
    return [*lines, ""]


_SETTLING, _RANGES = "What would settle the open rules:", "How the ranges were made:"


def _settling(verdict: Verdict, width: int | None = None) -> list[str]:
    """What would settle each open rule: how many questions, as a shell's comment, and the command that asks them.

    Both are broken where they don't fit `width`.
    """
    lines = []
    for rule in verdict.rules:
        count, command = settling_in(rule.reason)
        if count:
            both = ", asked of the baseline too" if command and rule.kind in _AGAINST else ""
            told = f"# {_titled(rule)}: {count}{both}"
            lines += wrap(told, width, subsequent_indent="#   ", break_long_words=False) if width else [told]
            lines += _as_shell(" ".join(CONTROLS.sub(" ", command).split()), width) if command else []
    return lines


def _as_shell(command: str, width: int | None) -> list[str]:
    """A command in lines that a shell takes as one, so that it can be copied; broken before options alone."""
    lines: list[str] = []
    for word in re.split(r" (?=--)", command):
        if lines and (width is None or len(lines[-1]) + len(word) + 3 <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}" if lines else word)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def _methods(verdict: Verdict) -> dict[str, list[str]]:
    """How the ranges were made, with what each way was taken for."""
    methods: dict[str, list[str]] = {}
    for rule in verdict.rules:
        if method := method_of(rule.reason):
            methods.setdefault(method, []).append(_place(rule))
    return methods


def headline(verdict: Verdict) -> str:
    """The verdict, and how much of it was decided: `PASS (2 of 7 rules decided)`."""
    count = len(verdict.rules)
    decided = decided_count(verdict.rules)
    wanted = ""
    if verdict.verdict == "INCONCLUSIVE" and decided < verdict.smallest_decided * count:
        wanted = f", and the policy wants {verdict.smallest_decided:.0%}"
    return f"{verdict.verdict} ({decided} of {count} rule{'s'[: count > 1]} decided{wanted})"


def _numbers(rule: RuleVerdict, width: int) -> str:
    """A rule's first line: its verdict, what it is on, the number and what it may be."""
    limit = f"({allowed(rule).replace('at least', '≥').replace('at most', '≤')})" if rule.bound is not None else ""
    value = " ".join(filter(None, (_signed(rule, rule.value), limit)))
    n = "" if rule.n is None else f"n = {rule.n:,}"
    start = f"{_weighed(rule):<12}  {_titled(rule)}"
    told = [", ".join(filter(None, parts)) for parts in ((value, values_of(rule.reason), n), (value, n))]
    lines = [f"{start}: {one}" if one else start for one in told]
    return next((line for line in lines if len(line) <= width), lines[-1])


def _titled(rule: RuleVerdict) -> str:
    """Its author's name for it, else what it is on."""
    return _place(rule) if _named(rule) == rule.kind else rule.rule


def _place(rule: RuleVerdict) -> str:
    """What a rule is on; of a suite's one score the suite alone."""
    group = f" [{rule.group}]" if rule.group else ""
    return (rule.suite if rule.task == OVERALL else f"{rule.suite}/{rule.task}/{rule.metric}") + group


def allowed(rule: RuleVerdict) -> str:
    """What the number may be; of a rule against a baseline the number is the difference to it."""
    if rule.bound is None:
        return ""
    if rule.kind == "target":
        return f"{number(rule.bound)} ± {number(rule.margin)}"
    at_least = rule.bound < 0 if rule.margin is not None else rule.kind == "floor"
    return f"at {'least' if at_least else 'most'} {_signed(rule, rule.bound)}"


def _weighed(rule: RuleVerdict) -> str:
    return rule.verdict if rule.severity == "block" else f"{rule.verdict} (warns)"


def _signed(rule: RuleVerdict, value: float | None) -> str:
    """Differences always bear their sign."""
    plus = "+" if rule.kind in _AGAINST and value is not None and value > 0 else ""
    return f"{plus}{number(value + 0.0 if value is not None else None)}"  # no -0


def _named(rule: RuleVerdict) -> str:
    """The name that its author gave it, else its kind."""
    return rule.kind if rule.rule.startswith(f"{rule.kind} {rule.suite}/") else rule.rule


def difference_cells(one: MetricDifference) -> tuple[str, ...]:
    """A difference's row, by `DIFFERENCE_COLUMNS`."""
    flips = "" if one.gained is None else f"+{one.gained} -{one.lost}"
    return (
        difference_name(one),
        number(one.first),
        number(one.second),
        number(one.difference),
        interval(one.low, one.high),
        number(one.p_holm),
        str(one.n) + (f" ({one.invalid_share:.1%} unusable)" if one.invalid_share else ""),
        flips,
        one.change if one.reason is None else f"{one.change}: {one.reason}",
    )


def difference_name(one: MetricDifference) -> str:
    """What it is of: a suite's one score by the suite alone."""
    group = f" [{one.group}]" if one.group else ""
    return (one.suite if one.level == "suite" else f"{one.suite}/{one.task}/{one.metric}") + group


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
    """The gate's verdict for a pull request or a step summary: a narrow table, then a sentence a rule."""
    against = f" against `{verdict.baseline_run_id}`" if verdict.baseline_run_id else ""
    parts = [f"## {headline(verdict)}", f"Run `{verdict.run_id}`{against} by the policy {plain(verdict.policy)}."]
    rows = [
        (
            _MARKS[rule.verdict] + _weighed(rule),
            _titled(rule),
            values_of(rule.reason),
            _signed(rule, rule.value),
            allowed(rule),
            "" if rule.n is None else f"{rule.n:,}",
        )
        for rule in verdict.rules
    ]
    parts.append(table(("verdict", "rule", "values", "number", "allowed", "n"), rows))
    parts.append(
        "\n".join(f"- **{plain(_titled(rule))}**: {plain(sentence_of(rule.reason))}" for rule in verdict.rules)
    )
    if settling := _settling(verdict):
        parts += [_SETTLING, "\n".join(f"    {line}" for line in settling)]
    if methods := _methods(verdict):
        told = "\n".join(f"- {plain(how)}: {plain(', '.join(of))}" for how, of in methods.items())
        parts.append(f"<details><summary>{_RANGES.rstrip(':')}</summary>\n\n{told}\n\n</details>")
    return "\n\n".join(parts) + "\n"


_MARKS = {"PASS": "✓ ", "FAIL": "✗ ", "INCONCLUSIVE": "? ", "ERROR": "! "}


def comparison_markdown(comparisons: Sequence[Comparison], rows: Sequence[Sequence[MetricDifference]]) -> str:
    """The tables of comparisons, each with the given differences."""
    parts = []
    for one, shown in zip(comparisons, rows, strict=True):
        parts.append(f"## `{one.first_run_id}` ({plain(one.first_model)}) and `{one.second_run_id}`")
        parts += [f"Also differs: {plain('; '.join(one.conditions))}."] if one.conditions else []
        parts.append(table(DIFFERENCE_COLUMNS, map(difference_cells, shown)))
        parts.append(table(COST_COLUMNS, map(cost_cells, one.costs)))
    return "\n\n".join(parts) + "\n"
