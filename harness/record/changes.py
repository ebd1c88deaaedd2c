"""What of a sealed run was changed since, to the row or field; `check_seal` names the files alone, and is faster."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.record.opening import read_json
from harness.record.parts import PARTS, changed_parts
from harness.record.samples import TABLES, Leaf, leaves, root_of
from harness.record.seal import SAMPLES, SEAL, Seal, faults_of, other_run, read_leaves, read_seal, uncovered

__all__ = ["Change", "changes", "other_files"]

SIDE_FILES = frozenset({SEAL, f"{SEAL}.tsr", "attestation.dsse.json", "run.log", "run.lock", "holder.pid"})
"""Files that stand in a run's folder beside the sealed ones."""
SIDE_FOLDERS = frozenset({"gates", "attestations", "set-aside"})


@dataclass(frozen=True, slots=True)
class Change:
    """A file that isn't as it was sealed: what is wrong with it, and which of its parts, where that can be told."""

    file: str
    fault: str
    parts: tuple[str, ...] = ()


def changes(folder: Path) -> list[Change]:
    """Every change since the seal. Empty where there is none.

    Beside the digests of all files it computes the tree of the samples again from their tables. Raises `RecordError`
    for a run without a seal.
    """
    seal = read_seal(folder)
    found = [] if seal.intact else [Change(SEAL, "was changed after the run")]
    found += [Change(name, "is not covered by the seal") for name in uncovered(folder, seal)]
    faults = faults_of(folder, seal.files)
    tables = [f"{table}.parquet" for table in TABLES]
    samples = _changed_samples(folder) if faults.keys() & set(tables) and SAMPLES not in faults else ()
    for name, fault in faults.items():
        parts: tuple[str, ...] = ()
        if fault != "is missing":
            parts = samples if name in tables else _changed_fields(folder, name)
        found.append(Change(name, fault, parts))
    return found or [*_disagreements(folder, seal), *(Change(SEAL, fault) for fault in other_run(folder, seal))]


def other_files(folder: Path) -> list[str]:
    """Files in the folder that the seal doesn't cover and that the harness doesn't put there."""
    sealed = read_seal(folder).files
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(
        str(path)
        for path in paths
        if path.as_posix() not in sealed and path.as_posix() not in SIDE_FILES and path.parts[0] not in SIDE_FOLDERS
    )


def _disagreements(folder: Path, seal: Seal) -> list[Change]:
    """A seal whose files are as it says may still lie about the samples in them."""
    if seal.root is None:
        return []
    found = leaves(folder)
    if found != read_leaves(folder):
        return [Change(SAMPLES, "is not the tree of the samples in the tables")]
    if root_of(found) != seal.root or len(found) != seal.sample_count:
        return [Change(SEAL, "holds another root than that of its samples")]
    return []


def _changed_samples(folder: Path) -> tuple[str, ...]:
    try:
        sealed, found = _by_name(read_leaves(folder)), _by_name(leaves(folder))
    except RecordError as error:
        return (f"{Path(error.place or '').name} {error.problem}",)
    told = [f"sample {name}" for name in found if name in sealed and found[name] != sealed[name]]
    told += [f"sample {name} is new" for name in found if name not in sealed]
    told += [f"sample {name} is gone" for name in sealed if name not in found]
    return tuple(told) or ("no sample in it",)


def _changed_fields(folder: Path, name: str) -> tuple[str, ...]:
    try:
        parts: Mapping[str, Any] = read_json(folder / PARTS)
        return tuple(changed_parts(parts[name], folder / name)) if name in parts else ()
    except (RecordError, OSError, ValueError, TypeError, AttributeError):
        return ()


def _by_name(found: list[Leaf]) -> dict[str, str]:
    return {leaf.name: leaf.sha256 for leaf in found}
