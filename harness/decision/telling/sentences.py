"""Why a rule holds, is broken or can't be told, in one sentence each."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.statistics import Standing
from harness.core.text.display import number
from harness.core.text.reasons import Reason, told_parts, told_together

__all__ = [
    "Edges",
    "both",
    "by_method",
    "how_it_stands",
    "method_of",
    "sentence_of",
    "settling_in",
    "together",
    "too_few",
    "values_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Between what a number may lie; at least one of the two is there."""

    floor: float | None = None
    ceiling: float | None = None

    def nearest(self, value: float) -> float:
        """The edge that is in the way."""
        return min((one for one in (self.floor, self.ceiling) if one is not None), key=lambda one: abs(value - one))


_HELD: dict[tuple[Standing, str], str] = {
    ("clears", "least"): "Holds: {ends} is within the limit {low}",
    ("clears", "most"): "Holds: {ends} is within the limit {high}",
    ("clears", "between"): "Holds: {ends} lies within {low} to {high}",
    ("beyond", "least"): "Broken: {ends} lies below the limit {low}",
    ("beyond", "most"): "Broken: {ends} lies above the limit {high}",
    ("beyond", "between"): "Broken: {ends} lies outside {low} to {high}",
    ("undecided", "least"): "Can't tell: {ends} crosses the limit {low}",
    ("undecided", "most"): "Can't tell: {ends} crosses the limit {high}",
    ("undecided", "between"): "Can't tell: {ends} lies partly in {low} to {high}",
}
_VALUES = "{now} against {before}"
_METHOD = "method: {method}"
_SETTLED = "About {count}"
_BETWEEN = ". "


def how_it_stands(stands: Standing, low: float, high: float, edges: Edges, *, change: bool) -> Reason:
    """A number with the ends of its likely range, or of its `change`, held against its edges."""
    shown = _signed if change else number
    kind = "most" if edges.floor is None else "least" if edges.ceiling is None else "between"
    if low == high:
        name = "the change {value}" if change else "the reading {value}"
        ends = Reason(name, value=shown(low))
    else:
        name = "the likely change {low} to {high}" if change else "the likely range {low} to {high}"
        ends = Reason(name, low=shown(low), high=shown(high))
    return Reason(_HELD[stands, kind], ends=ends, low=_shown(edges.floor, shown), high=_shown(edges.ceiling, shown))


def both(before: float | None, now: float | None) -> Reason:
    """The two values that a change lies between."""
    return Reason(_VALUES, now=number(now), before=number(before))


def too_few(units: int, smallest: int) -> Reason:
    """Why a number decides nothing, whatever it is."""
    return Reason(
        "Can't tell: {units} independent samples are too few, a PASS takes {smallest}",
        units=units,
        smallest=smallest,
    )


def by_method(method: str) -> Reason | None:
    """How a range was made, for a footnote; it is the last part of what a rule says. None where that isn't known."""
    return Reason(_METHOD, method=method) if method else None


def together(*parts: str | None) -> str:
    """What a rule says, in sentences."""
    return told_together(parts, _BETWEEN)


def method_of(reason: str) -> str:
    """How the range was made that a rule tells of; empty where it tells none."""
    return next((str(part.fields["method"]) for part in _made_as(reason, _METHOD)), "")


def settling_in(reason: str) -> tuple[str, str]:
    """How many questions would settle the rule, in words, and the command that asks them; each may be empty."""
    part = next(iter(_made_as(reason, _SETTLED)), None)
    if part is None:
        return "", ""
    command = str(part.fields.get("command", ""))
    return (f"about {part.fields['count']} questions" if command else f"{part[:1].lower()}{part[1:]}"), command


def values_of(reason: str) -> str:
    """The two values that a change lies between, in words; empty where it is no change."""
    return next(iter(_made_as(reason, _VALUES)), "")


def sentence_of(reason: str) -> str:
    """What a rule says in one sentence, without values, command and method."""
    asides = [part for template in (_VALUES, _METHOD, _SETTLED) for part in _made_as(reason, template)]
    return told_together((part for part in told_parts(reason) if part not in asides), _BETWEEN)


def _made_as(reason: str, template: str) -> list[Reason]:
    """The parts of what a rule says that were made of a template, by how it begins."""
    return [one for one in told_parts(reason) if isinstance(one, Reason) and one.template.startswith(template)]


def _shown(value: float | None, shown: Callable[[float], str]) -> str:
    return "" if value is None else shown(value)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}"
