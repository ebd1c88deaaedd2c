"""Whether a run, or a file made from one, is what was sealed and signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.x509 import Certificate

from harness.core.errors import HarnessError, RecordError
from harness.core.text.hashing import file_digest
from harness.decision.verdicts import FOLDER
from harness.record.changes import Change, changes, other_files
from harness.record.opening import is_there, listed
from harness.record.seal import SEAL, faults_of, read_seal
from harness.signing.attestation import ATTESTATION, VERDICTS, detached
from harness.signing.envelope import Envelope, read_envelope
from harness.signing.keys import PublicKey
from harness.signing.statement import FILE_PREDICATE, RUN_PREDICATE, VERDICT_PREDICATE
from harness.signing.timestamps import TIMESTAMP, Timestamp, timestamp_of

__all__ = ["Report", "Signature", "check_signature", "verify_file", "verify_run"]


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that fits. `trusted` says whether the key is one that the verifier gave."""

    key_id: str
    signed_at: str | None
    trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found. `changes` are faults; `notes` are worth knowing and no faults.

    `signature` is None where there is none, or none that fits (which is among the changes).
    """

    place: Path
    changes: tuple[Change, ...]
    signature: Signature | None
    notes: tuple[str, ...] = ()
    file_count: int = 0
    sample_count: int | None = None
    timestamp: Timestamp | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is as it was sealed, and as it was signed."""
        return not self.changes


def verify_run(folder: Path, key: PublicKey | None = None, roots: Sequence[Certificate] = ()) -> Report:
    """Check every digest of the run in the folder, the tree of its samples, and the signatures.

    With a `key`, the run has to be signed with it; without one, a signature is checked against the key that it names
    itself. An unsigned run is verified by its digests. With `roots`, the run has to have a timestamp by an authority
    whose certificate is among them. Raises `RecordError` for a folder without a seal.
    """
    seal = read_seal(folder)
    found = changes(folder)
    signature, covered, faults = _verify_attestation(folder, key)
    faults += _verify_verdicts(folder, key)
    timestamp, of_time = _verify_timestamp(folder, roots)
    faults += of_time
    known = {one.file for one in found}
    return Report(
        place=folder,
        changes=(*found, *(one for one in faults if one.file not in known)),
        signature=signature,
        notes=tuple(_notes(folder, covered)),
        file_count=len(seal.files),
        sample_count=seal.sample_count,
        timestamp=timestamp,
    )


def _verify_timestamp(folder: Path, roots: Sequence[Certificate]) -> tuple[Timestamp | None, list[Change]]:
    try:
        found = timestamp_of(folder, list(roots))
    except RecordError as error:
        return None, [Change(TIMESTAMP, error.problem)]
    missing = [Change(TIMESTAMP, "is missing: no authority stamped the run")] if roots and found is None else []
    return found, missing


def verify_file(path: Path, key: PublicKey | None = None) -> Report:
    """Check a file against the detached signature beside it. Raises `RecordError` where there is none."""
    place = detached(path)
    if not place.is_file():
        raise RecordError("has no signature beside it", place=path, fix=f"Put {place.name} into the same folder")
    try:
        envelope = read_envelope(place)
        signature = check_signature(envelope, key, FILE_PREDICATE)
        digests = _subjects(envelope)
    except HarnessError as error:
        return Report(place=path, changes=(Change(place.name, error.problem),), signature=None, file_count=1)
    fault = () if digests.get(path.name) == file_digest(path) else (Change(path.name, "is not the file signed"),)
    note = f"made from the run {envelope.statement['predicate'].get('run_id')}"
    return Report(place=path, changes=fault, signature=signature, notes=(note,), file_count=1)


def check_signature(envelope: Envelope, key: PublicKey | None, kind: str) -> Signature:
    """The signature of an envelope, checked with the key given or else with the one that it names.

    Raises `RecordError` where it doesn't fit, or the statement is of another kind.
    """
    used = key or envelope.named_key
    if envelope.key_id != used.id:
        raise RecordError(f"is signed with another key: {envelope.key_id}, not {used.id}")
    if not envelope.is_signed_by(used):
        raise RecordError("has a signature that doesn't fit: it was changed after it was signed")
    if envelope.statement.get("predicateType") != kind:
        raise RecordError(f"is about something else: {envelope.statement.get('predicateType')}")
    signed_at = envelope.statement["predicate"].get("signed_at")
    if not isinstance(signed_at, str | None):
        raise RecordError("says when it was signed in no text")
    return Signature(key_id=used.id, signed_at=signed_at, trusted=key is not None)


def _verify_attestation(folder: Path, key: PublicKey | None) -> tuple[Signature | None, set[str], list[Change]]:
    """The signature over the run, the files it covers, and what of them is other than it was signed."""
    path = folder / ATTESTATION
    if not is_there(path):
        fault = Change(ATTESTATION, "is missing: the run is not signed")
        return None, set(), [] if key is None else [fault]
    try:
        envelope = read_envelope(path)
        signature = check_signature(envelope, key, RUN_PREDICATE)
        files = {name: sha256 for name, sha256 in _subjects(envelope).items() if ":" not in name}
    except HarnessError as error:
        return None, set(), [Change(ATTESTATION, error.problem)]
    faults = [
        Change(name, fault.replace("after the run", "after it was signed"))
        for name, fault in faults_of(folder, files).items()
    ]
    if SEAL not in files:
        faults.append(Change(ATTESTATION, "says nothing of the seal"))
    return signature, files.keys() | set(), faults


def _verify_verdicts(folder: Path, key: PublicKey | None) -> list[Change]:
    faults = []
    for path in listed(folder / VERDICTS, ".dsse.json"):
        name = path.relative_to(folder).as_posix()
        try:
            envelope = read_envelope(path)
            check_signature(envelope, key, VERDICT_PREDICATE)
            files = {one: sha256 for one, sha256 in _subjects(envelope).items() if ":" not in one}
        except HarnessError as error:
            faults.append(Change(name, error.problem))
            continue
        told = faults_of(folder, files)
        faults += [Change(one, fault.replace("after the run", "after it was signed")) for one, fault in told.items()]
    return faults


def _subjects(envelope: Envelope) -> dict[str, str]:
    try:
        return {str(one["name"]): str(one["digest"]["sha256"]) for one in envelope.statement["subject"]}
    except (KeyError, TypeError) as error:
        raise RecordError("names subjects without a SHA-256") from error


def _notes(folder: Path, covered: set[str]) -> Sequence[str]:
    notes = [f"{name} is no part of the record" for name in other_files(folder)]
    if covered:
        gates = [path.relative_to(folder).as_posix() for path in listed(folder / FOLDER, ".json")]
        notes += [f"{name} came after the signature, which says nothing of it" for name in gates if name not in covered]
    return notes
