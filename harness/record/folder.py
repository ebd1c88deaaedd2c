"""The runs in a folder."""

import logging
from pathlib import Path

from harness.core.errors import HarnessError, RecordError
from harness.record.record import RunRecord

__all__ = ["load_records"]

_log = logging.getLogger(__name__)


def load_records(folder: str | Path = "runs") -> list[RunRecord]:
    """The sealed runs in a folder, the oldest first.

    A run that isn't finished, or can't be read, is left out with a warning that names it. Raises `RecordError` where
    there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise RecordError("there is no such folder", place=place, fix="Give the folder that `harness eval` wrote into")
    found = []
    for path in sorted(place.glob("*/spec.json")):
        try:
            record = RunRecord(path.parent)
            if record.state != "sealed":
                raise RecordError("the run is not finished", place=record.folder)
            found.append((record.started_at, record.run_id, record))
        except HarnessError as error:
            _log.warning("left out: %s", error)
    return [record for *_, record in sorted(found, key=lambda one: one[:2])]
