"""Digests of a finished run's files, so that any later change shows."""

import json
from pathlib import Path

from harness.core.errors import RecordError
from harness.core.hashing import canonical_json, file_digest
from harness.record.files import write_whole

__all__ = ["SEAL", "check_seal", "write_seal"]

SEAL = "seal.json"


def write_seal(folder: Path, names: list[str]) -> None:
    """Write the digests of the named files, as the last file of a run. Raises `RecordError`."""
    files = {name: file_digest(folder / name) for name in sorted(names)}
    write_whole(folder / SEAL, canonical_json({"format": 1, "run_id": folder.name, "files": files}) + b"\n")


def check_seal(folder: Path) -> list[str]:
    """What differs from the seal, one sentence a file; empty if nothing does. Raises `RecordError` without a seal."""
    try:
        sealed = json.loads((folder / SEAL).read_bytes())
        files = dict(sealed["files"])
    except FileNotFoundError as error:
        raise RecordError("the run is not finished, so it has no seal", place=folder) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError("is not a seal", place=folder / SEAL) from error
    changed = []
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            changed.append(f"{name} is missing")
        elif file_digest(path) != expected:
            changed.append(f"{name} was changed after the run")
    return changed
