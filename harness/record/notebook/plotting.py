"""Charts of runs, as a notebook draws them: every dimension of several, or one score by when, by step or by another."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from harness.charts import Axis, Chart, Panels, Theme, by_quantity, dimensions, themed, tradeoff
from harness.core.errors import InputError, UnknownName
from harness.core.scores import OVERALL, Estimate
from harness.record.estimates import estimate_row
from harness.record.notebook.given import require_record

if TYPE_CHECKING:
    from harness.record.record import RunRecord

__all__ = ["plot"]

STARTED, STEP = "started_at", "step"
"""What runs are put in order by: every one has the first."""


def plot(
    records: "RunRecord | Iterable[RunRecord]",
    x: str = STARTED,
    y: str | None = None,
    *,
    theme: Theme = "light",
    language: str = "en",
) -> Chart | Panels:
    """A chart of runs, which a notebook shows and `.save("scores.html")` keeps.

    Without `y`: the headline of each suite with its 95 % interval, a panel a suite, all runs in it. With it: that score
    of each run, `x` being `started_at`, `step` (of the training, where a run says it), or the name of another score. A
    score is named by its suite (its headline) or
    as `suite/task/metric`, with `/attribute=value` behind it for one group. Raises `UnknownName` for a score that no
    run has, and `InputError` where there is nothing to draw.
    """
    given: Any = records
    shown = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for one in shown:
        require_record(one)
    if theme not in get_args(Theme):
        raise UnknownName("theme", theme, get_args(Theme))
    if not shown:
        raise InputError("there are no runs to draw", fix="harness.load_records(folder) reads those of a folder")
    if y is None:
        return themed(dimensions(_headlines(shown), theme, language), theme)
    if x in (STARTED, STEP):
        rows = [{**_row(record, one), **_when(record)} for record, one in _named(shown, y)]
        known = [row for row in rows if row[x] is not None]
        if not known:
            raise InputError(
                "no run says at which step of a training its checkpoint was saved", fix="Give --step to `harness eval`"
            )
        return themed(by_quantity(pd.DataFrame(known), x, theme, language), theme)
    return themed(_against(shown, x, y, theme, language), theme)


def _headlines(records: "Sequence[RunRecord]") -> pd.DataFrame:
    rows = [_row(record, one) for record in records for one in record.estimate_list if one.is_headline]
    if not any(row["value"] is not None for row in rows):
        raise InputError("no run has a headline", fix="Name a score: y='suite/task/metric'")
    return pd.DataFrame(rows)


def _against(records: "Sequence[RunRecord]", x: str, y: str, theme: Theme, language: str) -> Chart:
    across = {record.run_id: one for record, one in _named(records, x)}
    both = [(record, across[record.run_id], one) for record, one in _named(records, y) if record.run_id in across]
    if not both:
        raise InputError(f"no run has both {x} and {y}")
    points = [
        {
            "name": _name(record),
            **{f"x{end}": getattr(first, field) for end, field in _ENDS},
            **{f"y{end}": getattr(second, field) for end, field in _ENDS},
        }
        for record, first, second in both
    ]
    frame = pd.DataFrame(points).astype({f"{side}{end}": float for side in "xy" for end, _ in _ENDS})
    chart = tradeoff(frame, _axis(x, both[0][1]), _axis(y, both[0][2]), theme, language)
    return chart.properties(width=520)


_ENDS = (("", "value"), ("_low", "low"), ("_high", "high"))


def _axis(name: str, estimate: Estimate) -> Axis:
    if estimate.direction is None:
        raise InputError(f"{name} is best at a target, so no front can be drawn", fix="Choose a score with a direction")
    return Axis(metric=name, unit=estimate.unit, direction=estimate.direction)


def _named(records: "Sequence[RunRecord]", name: str) -> "list[tuple[RunRecord, Estimate]]":
    """The runs that have a value of that score, with it. Raises `UnknownName` where none has."""
    by_run = [(record, {_path(one): one for one in record.estimate_list}) for record in records]
    found = [(record, known[name]) for record, known in by_run if name in known and known[name].value is not None]
    if not found:
        raise UnknownName("score with a value", name, {path for _, known in by_run for path in known})
    return found


def _path(one: Estimate) -> str:
    if one.task == OVERALL and one.group is None:
        return one.suite
    return "/".join([one.suite, one.task, one.metric, *([] if one.group is None else [str(one.group)])])


def _when(record: "RunRecord") -> dict[str, Any]:
    return {STARTED: record.started_at, STEP: record.spec.step, "series": record.spec.lineage or record.spec.model}


def _row(record: "RunRecord", estimate: Estimate) -> dict[str, Any]:
    return {**estimate_row(estimate), "name": _name(record)}


def _name(record: "RunRecord") -> str:
    return f"{record.spec.model} ({record.run_id[:6]})"
