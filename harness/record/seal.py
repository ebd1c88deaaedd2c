"""Digests of a finished run's files, so that any later change shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.hashing import canonical_json, digest, file_digest
from harness.core.jsontext import parse_json
from harness.record.files import write_whole
from harness.record.parts import PARTS, has_parts, parts_of
from harness.record.samples import Leaf, leaves, root_of

__all__ = ["SAMPLES", "SEAL", "Seal", "check_seal", "faults_of", "parse_seal", "read_leaves", "read_seal", "write_seal"]

SEAL = "seal.json"
SAMPLES = "samples.merkle"
"""The digest of each sample's leaf, in the order of the Merkle tree whose root the seal holds."""

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
        "run_id": folder.name,
        "files": {name: file_digest(folder / name) for name in sorted([*names, SAMPLES, PARTS])},
        "samples": {"count": len(found), "root": root_of(found)},
    }
    _write(folder / SEAL, {**seal, "digest": digest(seal)})


def read_seal(folder: Path) -> Seal:
    """The seal of a run. Raises `RecordError` where there is none, or none that can be read."""
    try:
        content = (folder / SEAL).read_bytes()
    except FileNotFoundError as error:
        raise RecordError("the run is not finished, so it has no seal", place=folder) from error
    try:
        value = parse_json(content)
    except ValueError as error:
        raise RecordError("is not a seal", place=folder / SEAL) from error
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
        raise RecordError("is not a seal", place=place) from error


def check_seal(folder: Path) -> list[str]:
    """What differs from the seal, one sentence a file; empty if nothing does. Raises `RecordError` without a seal."""
    seal = read_seal(folder)
    faults = [] if seal.intact else [f"{SEAL} was changed after the run"]
    return faults + [f"{name} {fault}" for name, fault in faults_of(folder, seal.files).items()]


def faults_of(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each file that hasn't the digest given for it."""
    faults = {}
    for name, expected in files.items():
        path = folder / name
        if not _is_within(name):
            faults[name] = "is no file of the run's folder"
        elif not _is_file(path):
            faults[name] = "is missing"
        elif file_digest(path) != expected:
            faults[name] = "was changed after the run"
    return faults


def _is_within(name: str) -> bool:
    """Whether the name leads to no place but the folder; a seal that somebody else wrote may name any file."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any can be
        return False


def read_leaves(folder: Path) -> list[Leaf]:
    """The leaves as they were sealed. Raises `RecordError` where they can't be read."""
    try:
        return [Leaf(*map(str, row)) for row in parse_json((folder / SAMPLES).read_bytes())["samples"]]
    except FileNotFoundError as error:
        raise RecordError(
            "the run was sealed without a tree of its samples", place=folder, fix="Run the evaluation anew"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError("holds no leaves of samples", place=folder / SAMPLES) from error


def _is_intact(value: dict[str, Any], content: bytes | None) -> bool:
    if content is not None and content != canonical_json(value) + b"\n":
        return False
    body = {name: part for name, part in value.items() if name != "digest"}
    return value["format"] == 1 or value.get("digest") == digest(body)


def _write(path: Path, value: Any) -> None:
    write_whole(path, canonical_json(value) + b"\n")
