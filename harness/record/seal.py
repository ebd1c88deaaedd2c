"""Digests of a finished run's files, so that any later change shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json, digest
from harness.record.files import write_whole
from harness.record.opening import RESTORE, is_there, parsed, read_bytes, read_json, sha256_of
from harness.record.parts import PARTS, has_parts, parts_of
from harness.record.samples import Leaf, leaves, root_of
from harness.record.spec import run_id_of

__all__ = [
    "NEEDED",
    "OPTIONAL",
    "ORDER",
    "POLICY",
    "SAMPLES",
    "SEAL",
    "Seal",
    "check_seal",
    "faults_of",
    "other_run",
    "parse_seal",
    "read_leaves",
    "read_seal",
    "uncovered",
    "write_seal",
]

SEAL = "seal.json"
SAMPLES = "samples.merkle"
"""The digest of each sample's leaf, in the order of the Merkle tree whose root the seal holds."""

NEEDED = (
    "spec.json",
    "environment.json",
    "checkpoint.json",
    "engine.json",
    "responses.parquet",
    "scores.parquet",
    "estimates.json",
    "measurements.json",
)
"""What every finished run has, and every reader of it relies upon."""
POLICY = "policy.yaml"
"""The policy that a run was asked for, where it ended as soon as that was decided: kept before its first answer."""
ORDER = "order.json"
"""Which samples of such a run were asked together, and what came first."""
OPTIONAL = (
    "metrics.json",
    "journal.jsonl",
    "windows.jsonl",
    "attributions.parquet",
    SAMPLES,
    "parts.json",
    POLICY,
    ORDER,
)
"""What is read of a run where it is there."""

_FORMAT = 2
_KNOWN_FORMATS = (1, 2)


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it was read: `files` gives the SHA-256 of each sealed file by name, `root` that of the samples' tree.

    `root` and `sample_count` are None for a run that an early version of the harness sealed, without a tree. `intact`
    is False where the seal itself is not as it was written.
    """

    run_id: str
    files: Mapping[str, str]
    root: str | None
    sample_count: int | None
    intact: bool


def write_seal(folder: Path, names: Sequence[str]) -> None:
    """Write the tree of the samples, the parts of the JSON files, then the digests of the named files and of these.

    The seal is the last file of a run, and follows from the others alone. Raises `RecordError`.
    """
    found = leaves(folder)
    rows = [[leaf.suite, leaf.task, leaf.sample_id, leaf.sha256] for leaf in found]
    _write(folder / SAMPLES, {"format": 1, "hash": "rfc6962-sha256", "samples": rows})
    _write(folder / PARTS, {name: parts_of(folder / name) for name in names if has_parts(name)})
    seal = {
        "format": _FORMAT,
        "run_id": run_id_of(read_json(folder / "spec.json")),
        "files": {name: sha256_of(folder / name) for name in sorted([*names, SAMPLES, PARTS])},
        "samples": {"count": len(found), "root": root_of(found)},
    }
    _write(folder / SEAL, {**seal, "digest": digest(seal)})


def read_seal(folder: Path) -> Seal:
    """The seal of a run. Raises `RecordError` where there is none, or none that can be read."""
    try:
        content = read_bytes(folder / SEAL)
    except FileNotFoundError as error:
        raise RecordError(
            "the run is not finished, so it has no seal", place=folder, fix="Run the same `harness eval` command again"
        ) from error
    try:
        value = parsed(content)
    except ValueError as error:
        raise RecordError("is not a seal", place=folder / SEAL, fix=RESTORE) from error
    return parse_seal(value, content, folder / SEAL)


def parse_seal(value: Any, content: bytes | None, place: Path | str) -> Seal:
    """A seal from its JSON value, which stood in a file as `content`. Raises `RecordError` for anything else."""
    try:
        if value["format"] not in _KNOWN_FORMATS:
            fix = "Read the run with the version that wrote it"
            raise RecordError(f"is of the format {value['format']}, which is not known here", place=place, fix=fix)
        samples = value.get("samples") or {"root": None, "count": None}
        return Seal(
            run_id=str(value["run_id"]),
            files={str(name): str(sha256) for name, sha256 in value["files"].items()},
            root=samples["root"],
            sample_count=samples["count"],
            intact=_is_intact(value, content),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RecordError("is not a seal", place=place, fix=RESTORE) from error


def check_seal(folder: Path) -> list[str]:
    """What differs from the seal, one sentence a file; empty if nothing does. Raises `RecordError` without a seal."""
    seal = read_seal(folder)
    faults = [] if seal.intact else [f"{SEAL} was changed after the run"]
    faults += [f"{name} is not covered by the seal" for name in uncovered(folder, seal)]
    faults += [f"{name} {fault}" for name, fault in faults_of(folder, seal.files).items()]
    return faults or [f"{SEAL} {fault}" for fault in other_run(folder, seal)]


def uncovered(folder: Path, seal: Seal) -> list[str]:
    """Files that are read of a run and that its seal says nothing of: those that every run has, and others there."""
    return [
        name for name in (*NEEDED, *OPTIONAL) if name not in seal.files and (name in NEEDED or is_there(folder / name))
    ]


def other_run(folder: Path, seal: Seal) -> list[str]:
    """What is wrong where the seal isn't of the run that the spec says; empty where it is."""
    try:
        run_id = run_id_of(read_json(folder / "spec.json"))
    except (OSError, ValueError, AttributeError):
        return ["covers a spec.json that is no run's spec"]
    return (
        [] if seal.run_id == run_id else [f"is the seal of another run: {seal.run_id}, where spec.json gives {run_id}"]
    )


def faults_of(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each file that hasn't the digest given for it."""
    faults = {}
    for name, expected in files.items():
        if not _is_within(folder, name):
            faults[name] = "is no file of the run's folder"
            continue
        try:
            if sha256_of(folder / name) != expected:
                faults[name] = "was changed after the run"
        except FileNotFoundError:
            faults[name] = "is missing"
        except RecordError as error:
            faults[name] = error.problem
    return faults


def _is_within(folder: Path, name: str) -> bool:
    """Whether the name leads to no place but the folder; a seal that somebody else wrote may name any file."""
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts:
        return False
    try:
        return not any(folder.joinpath(*parts[:count]).is_symlink() for count in range(1, len(parts)))
    except (OSError, ValueError):  # a name longer than any can be, or with a NUL
        return False


def read_leaves(folder: Path) -> list[Leaf]:
    """The leaves as they were sealed. Raises `RecordError` where they can't be read."""
    try:
        return [Leaf(*map(str, row)) for row in read_json(folder / SAMPLES)["samples"]]
    except FileNotFoundError as error:
        raise RecordError(
            "the run was sealed without a tree of its samples", place=folder, fix="Run the evaluation again"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError("holds no leaves of samples", place=folder / SAMPLES, fix=RESTORE) from error


def _is_intact(value: dict[str, Any], content: bytes | None) -> bool:
    if content is not None and content != canonical_json(value) + b"\n":
        return False
    body = {name: part for name, part in value.items() if name != "digest"}
    return value["format"] == 1 or value.get("digest") == digest(body)


def _write(path: Path, value: Any) -> None:
    write_whole(path, canonical_json(value) + b"\n")
