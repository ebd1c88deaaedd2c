"""What gates said of a run, as rows: the side files that lie beside its seal."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.reasons import worded
from harness.decision.verdicts import FOLDER, read_verdicts

__all__ = ["verdict_rows"]

_OF_VERDICT = ("baseline_run_id", "policy", "policy_sha256", "decided_at", "verdict")


def verdict_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of `verdicts` and `verdict_rules`, the oldest verdict first.

    They are no part of the seal, so one that can't be read doesn't touch the run: it counts as the verdict ERROR.
    """
    try:
        found = read_verdicts(folder)
    except RecordError as error:
        blank = dict.fromkeys(_OF_VERDICT, "")
        unread = {**blank, "policy": FOLDER, "baseline_run_id": None, "verdict": "ERROR", "reason": str(error)}
        return {"verdicts": [unread], "verdict_rules": []}
    rules = [
        {"verdict_position": position, **asdict(rule), "wording": worded(rule.reason)}
        for position, one in enumerate(found)
        for rule in one.rules
    ]
    verdicts = [{**{name: getattr(one, name) for name in _OF_VERDICT}, "reason": None} for one in found]
    return {"verdicts": verdicts, "verdict_rules": rules}
