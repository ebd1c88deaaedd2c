"""What people call the columns of a table that programs know by other names. Pure."""

from collections.abc import Callable, Mapping

import pandas as pd

from leaderboard.words import BoardWords

__all__ = ["titled"]

_TITLES: Mapping[str, str] = {
    "name": "checkpoint",
    "run_id": "run",
    "started_at": "date (UTC)",
    "sample_id": "sample",
    "value": "score",
    "gold": "reference answer",
    "predicted": "model's answer",
    "first": "baseline",
    "second": "candidate",
    "p_holm": "p (Holm)",
    "regressed": "regression",
    "label": "what",
    "shown": "score",
    "scaled": "scaled 0 to 1",
}
"""Of those that another word says better than their own name, in English."""

_SAID = ("metric", "unit", "basis", "verdict", "change", "method")
"""Columns whose cells are words of ours."""


def titled(frame: pd.DataFrame, t: BoardWords) -> pd.DataFrame:
    """The frame with its columns, and words of ours in its cells, in the reader's language; dates without zone.

    What is no name of a column that we know stays as it is.
    """
    shown = frame.copy()
    for column in shown.columns.intersection(list(_SAID)):
        shown[column] = [t(text) if isinstance(text, str) else text for text in shown[column]]
    for column, change in _CHANGES.items():
        if column in shown:
            shown[column] = shown[column].map(change)
    return shown.rename(columns={name: t(_TITLES.get(name, name)) for name in map(str, shown.columns)})


def _date(value: object) -> object:
    return value[:16].replace("T", " ") if isinstance(value, str) else value


def _tick(value: object) -> str:
    return "✓" if value is True or value == 1 else ""


_CHANGES: Mapping[str, Callable[[object], object]] = {"started_at": _date, "regressed": _tick}
