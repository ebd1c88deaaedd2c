"""Estimates as the rows of a record, of tables and of JSON, and back."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from harness.core.scores import Estimate, SampleGroup
from harness.core.text.codec import Codec
from harness.core.text.reasons import reworded, wording

__all__ = ["estimate_of", "estimate_row", "present_unit", "recorded"]

_ESTIMATES = Codec(Estimate)
_TEXTS = ("group", "reason", "interval")
_WORDING = "wording"
_UNITS = {"points of 100": "out of 100"}
"""What units were called by earlier versions."""


def estimate_row(estimate: Estimate) -> dict[str, Any]:
    """The fields of an estimate, as JSON has them; its group as text."""
    texts = {name: str(one) for name in _TEXTS if (one := getattr(estimate, name)) is not None}
    return {**asdict(estimate), **texts}


def recorded(estimate: Estimate) -> dict[str, Any]:
    """As `estimate_row`, with what its reason and the text of its interval are made of."""
    return {**estimate_row(estimate), _WORDING: wording(reason=estimate.reason, interval=estimate.interval)}


def estimate_of(row: Mapping[str, Any]) -> Estimate:
    """The estimate that was written as JSON, whose numbers may have become integers there.

    Reads rows of version 0.1.0 too, which say in texts what has fields of its own since. Raises `ValueError` for what
    is none.
    """
    read = dict(row) if "parts" in row else {**row, **_told_in_text(row)}
    said = reworded(row, read.pop(_WORDING, {}))
    if read.get("group") is not None:
        read["group"] = asdict(SampleGroup.parse(read["group"]))
    found = _ESTIMATES.decode(read)
    return replace(
        found,
        unit=present_unit(found.unit),
        reason=said.get("reason", found.reason),
        interval=said.get("interval", found.interval),
    )


def present_unit(recorded: str) -> str:
    """What a unit is called today, by what a record calls it."""
    return _UNITS.get(recorded, recorded)


def _told_in_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the reason, the interval and the signature of an earlier version's row say."""
    said = (row["interval"] or "").split("; ")
    p_values = [float(part.removeprefix("p = ")) for part in said if part.startswith("p = ")]
    return {
        "failed": (row["reason"] or "").startswith("failed: the code of the task or suite "),
        "left_out": [part.removeprefix("without ") for part in said if part.startswith("without ")],
        "p_value": next(iter(p_values), None),
        "parts": _parts(row["signature"]),
    }


def _parts(signature: str) -> list[dict[str, Any]]:
    head, *others = signature.split("|")
    kind, _, made_of = head.partition(":")
    if kind != "mean-of" or not made_of:
        return []
    # A metric may end in plus signs (chrF++), so a part begins only where a task's name and its slash follow.
    named = [part.rpartition("/") for part in re.split(r"\+(?=[^+/]+/)", made_of)]
    weighed = next((part.partition(":")[2].split("+") for part in others[:1] if part.startswith("weights:")), None)
    weights = [1.0] * len(named) if weighed is None else list(map(float, weighed))
    return [
        {"task": task, "metric": metric, "weight": weight}
        for (task, _, metric), weight in zip(named, weights, strict=True)
    ]
