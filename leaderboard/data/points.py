"""Checkpoints by two measures, and by all dimensions on one scale. Pure."""

from collections.abc import Mapping

import pandas as pd

from harness.charts import Axis
from harness.core.reports import PERFORMANCE
from harness.core.reports.installed import suite_report
from harness.core.text.display import number
from harness.core.text.translation import Translate
from leaderboard.data.scales import scale_in

__all__ = ["AXES", "READ_FROM", "WHOLE_RUN", "axis_of", "known_costs", "performance_first", "points", "scaled_axis"]

WHOLE_RUN = "run"
"""The task of a meter's readings under which those of the whole run stand."""

AXES: Mapping[str, tuple[str, str]] = {
    "energy_joules": ("energy of the run", "J"),
    "joules_per_token_decode": ("energy a decoded token", "J/token"),
    "parameters": ("parameters", "millions"),
    "size": ("size of the weights", "MB"),
    "bits": ("bits a weight", "bits"),
    "memory": ("peak memory", "GB"),
}
"""Costs of a checkpoint beside its scores: what people call it, and its unit. Lower is better."""

READ_FROM: Mapping[str, tuple[str, float]] = {
    "parameters": ("parameter_count", 1e6),
    "size": ("size_bytes", 1e6),
    "bits": ("bits_per_weight", 1.0),
    "memory": ("peak_memory_bytes", 1e9),
}
"""Those that the index has of a checkpoint, each by its column and what it is divided by."""


def axis_of(name: str, scores: pd.DataFrame, t: Translate = str, title: Translate = str) -> Axis:
    """The axis of a cost, named by `t`, or of a suite's headline, named by `title`.

    A score with a target is read as lower is better: its distance.
    """
    if name in AXES:
        words, unit = AXES[name]
        return Axis(metric=t(words), unit=unit, direction="lower")
    first = scores[scores["suite"] == name].iloc[0]
    return Axis(
        metric=title(name), unit=first["unit"], direction="higher" if first["direction"] == "higher" else "lower"
    )


def points(
    x: str,
    y: str,
    checkpoints: pd.DataFrame,
    scores: pd.DataFrame,
    energy: pd.DataFrame,
    names: Mapping[str, str],
) -> pd.DataFrame:
    """One row a run: run_id, name, and for each side `x`, `x_low`, `x_high` (None where it isn't known)."""
    frame = pd.DataFrame({"run_id": checkpoints["run_id"], "name": [names[one] for one in checkpoints["run_id"]]})
    for side, name in (("x", x), ("y", y)):
        values = _values(name, checkpoints, scores, energy).reindex(frame["run_id"])
        for field, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            frame[f"{side}{suffix}"] = pd.to_numeric(values[field]).to_numpy(dtype=float)
    return frame


def performance_first(scores: pd.DataFrame) -> list[str]:
    """The suites that have a score; first those that say how well the work is done: most people ask what that costs."""
    known = dict.fromkeys(scores.loc[scores["value"].notna(), "suite"])
    return sorted(known, key=lambda suite: suite_report(suite).evidence is not PERFORMANCE)


def known_costs(
    up: str, checkpoints: pd.DataFrame, scores: pd.DataFrame, energy: pd.DataFrame, names: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """Of the costs of `AXES` those that some run is known to have, each with its `points`."""
    made = {one: points(one, up, checkpoints, scores, energy, names) for one in AXES}
    return {one: frame for one, frame in made.items() if frame["x"].notna().any()}


def scaled_axis(scores: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a run and suite: name, suite, scaled (see `scale_of`; None without fixed ends), shown (the score in its
    own unit)."""
    rows = []
    for suite, of_suite in scores[scores["value"].notna()].groupby("suite", sort=False):
        scale = scale_in(of_suite)
        for row in of_suite.to_dict("records"):
            value = None if scale is None else scale.value(row["value"])
            shown = f"{number(row['value'])} {row['unit']}"
            rows.append({"name": names[row["run_id"]], "suite": suite, "scaled": value, "shown": shown})
    return pd.DataFrame(rows, columns=["name", "suite", "scaled", "shown"])


def _values(name: str, checkpoints: pd.DataFrame, scores: pd.DataFrame, energy: pd.DataFrame) -> pd.DataFrame:
    if name in READ_FROM:
        column, unit = READ_FROM[name]
        known = checkpoints.set_index("run_id")
        value = known[column].astype(float) / unit
        if name == "bits":  # of what isn't quantised nobody says it
            value = value.fillna(8 * known["size_bytes"].astype(float) / known["parameter_count"].astype(float))
        return pd.DataFrame({"value": value, "low": float("nan"), "high": float("nan")})
    chosen = energy[energy["metric"] == name] if name in AXES else scores[scores["suite"] == name]
    return chosen.drop_duplicates("run_id").set_index("run_id")[["value", "low", "high"]]
