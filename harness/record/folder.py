"""The runs in a folder."""

import logging
from pathlib import Path

from harness.core.errors import HarnessError, InputError, RecordError
from harness.record.record import RunRecord

__all__ = ["load_records", "require_record"]

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


def require_record(given: object) -> RunRecord:
    """`given` itself. Raises `InputError` where it is no record, but the name of a folder, say."""
    if not isinstance(given, RunRecord):
        raise InputError("is not a record", place=f"{given!r}", fix="harness.load_record(folder) reads one")
    return given
