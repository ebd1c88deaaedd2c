"""A run as a notebook shows it."""

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.core.errors import HarnessError
from harness.core.scores import OVERALL
from harness.core.text.display import aim, elided, interval, number, visible

if TYPE_CHECKING:
    from harness.record.record import RunRecord

__all__ = ["frame_card", "record_card"]


def record_card(record: "RunRecord") -> str:
    """HTML: what was evaluated, how far the run came, and the one score of each suite with its interval.

    Where no suite has one, as those of a file, it is the first score of each task.
    """
    told = [f"<b>{escape(elided(record.spec.model))}</b>", f"run {escape(record.run_id)}", record.state]
    heading = f"<p>{' · '.join(told)}</p>"
    if record.state == "started":
        return f"{heading}<p>No scores yet: the same command goes on with it.</p>"
    try:
        rows = record.headlines
        if rows.empty:
            rows = record.task_estimates.drop_duplicates(["suite", "task"])
    except HarnessError as error:
        return f"{heading}<p>{escape(visible(str(error)))}</p>"
    return heading + frame_card(
        pd.DataFrame([_row(row) for row in rows.to_dict("records")], columns=["suite", "score", "95 %", "n", "unit"])
    )


def frame_card(rows: pd.DataFrame) -> str:
    """HTML of a table of texts, of which none is read as HTML."""
    return str(rows.to_html(index=False, escape=True, border=0, justify="left"))


def _row(row: dict[Any, Any]) -> dict[str, str]:
    value = None if pd.isna(row["value"]) else row["value"]
    ends = (None, None) if pd.isna(row["low"]) or pd.isna(row["high"]) else (row["low"], row["high"])
    score = number(value) if value is not None else visible(str(row["reason"] or "absent"))
    aimed = aim(row["direction"], row["target"])
    return {
        "suite": elided(str(row["suite"]) if row["task"] == OVERALL else f"{row['suite']}/{row['task']}"),
        "score": f"{score} (estimated)" if value is not None and row["basis"] == "estimated" else score,
        "95 %": interval(*ends),
        "n": f"{row['n']:,}",
        "unit": f"{row['metric']} ({row['unit']}) {aimed}".rstrip(),
    }
