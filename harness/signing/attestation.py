"""Signed statements, written beside what they speak of."""

from pathlib import Path
from typing import Any

from harness.core.errors import InputError, RecordError
from harness.core.text.hashing import canonical_json
from harness.decision.verdicts import kept_verdicts
from harness.record import RunRecord
from harness.record.changes import changes
from harness.record.files import make_folder, write_whole
from harness.signing.envelope import sealed_in
from harness.signing.keys import SigningKey
from harness.signing.statement import about_file, about_run, about_verdict

__all__ = ["ATTESTATION", "VERDICTS", "attest_file", "attest_run", "detached", "refuse_changed"]

ATTESTATION = "attestation.dsse.json"
"""The signed statement about a run, in its folder."""
VERDICTS = "attestations"
"""The folder of the signed statements about gates' verdicts, each `gate-` and the name of the verdict's file."""

_SUFFIX = ".dsse.json"


def attest_run(record: RunRecord, key: SigningKey) -> list[Path]:
    """Sign a sealed run as it stands, and each gate's verdict on it; gives the files written.

    An earlier signature is replaced. Raises `RecordError` for a run that is not sealed or was changed since.
    """
    refuse_changed(record)
    written = [_write(record.folder / ATTESTATION, about_run(record, key.public), key)]
    for kept, verdict in kept_verdicts(record.folder):
        path = make_folder(record.folder / VERDICTS) / f"gate-{kept.stem}{_SUFFIX}"
        written.append(_write(path, about_verdict(record, kept, verdict, key.public), key))
    return written


def attest_file(folder: Path, path: Path, key: SigningKey) -> Path:
    """Sign a file that was made from the sealed run in `folder`, such as its report: `PATH.dsse.json` beside the file.

    Raises `RecordError` as `attest_run` does, `InputError` where there is no such file.
    """
    record = RunRecord(folder)
    refuse_changed(record)
    if not path.is_file():
        raise InputError("no such file", place=path)
    return _write(detached(path), about_file(record, path, key.public), key)


def detached(path: Path) -> Path:
    """Where the signature of a file stands."""
    return path.with_name(path.name + _SUFFIX)


def refuse_changed(record: RunRecord) -> None:
    """Raises `RecordError` for a run that is not sealed, or of which anything was changed since."""
    if found := changes(record.folder):
        told = "; ".join(f"{one.file} {one.fault}" for one in found)
        raise RecordError(told, place=record.folder, fix="Do not sign it: `harness verify` says more")


def _write(path: Path, statement: dict[str, Any], key: SigningKey) -> Path:
    write_whole(path, canonical_json(sealed_in(statement, key)) + b"\n")
    return path
