"""One sample of a run, proved without the others: what was asked, answered and scored, and the path to the root."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, InputError, RecordError, UnknownName
from harness.core.text.hashing import canonical_json
from harness.record import RunRecord
from harness.record.merkle import inclusion_path, root_from_path
from harness.record.opening import is_there, read_json
from harness.record.samples import leaf_of, samples
from harness.record.seal import SEAL, parse_seal
from harness.signing.attestation import ATTESTATION, refuse_changed
from harness.signing.envelope import parse_envelope
from harness.signing.keys import PublicKey
from harness.signing.statement import RUN_PREDICATE
from harness.signing.verification import Signature, check_signature

__all__ = ["ProofReport", "is_proof", "prove", "verify_proof"]

_FIX = "Give the file that `harness prove` wrote"
_TYPE = "responsible-eval-harness sample proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What the check of a proof found; `faults` is empty where it holds. `root` is what the sample leads to."""

    sample: dict[str, Any]
    name: str
    run_id: str
    root: str
    faults: tuple[str, ...]
    signature: Signature | None

    @property
    def ok(self) -> bool:
        """Whether the proof holds."""
        return not self.faults


def prove(record: RunRecord, name: str) -> dict[str, Any]:
    """The proof of a sample, by its id, `TASK/ID` or `SUITE/TASK/ID`, as a JSON value.

    Raises `UnknownName` for a name that is no sample's, `InputError` for one of several samples, `RecordError` for a
    run that is not sealed, was changed since, or was sealed without a tree.
    """
    refuse_changed(record)
    seal = read_json(record.folder / SEAL)
    if "samples" not in seal:
        raise RecordError(
            "was sealed without a tree of its samples", place=record.folder, fix="Run the evaluation again"
        )
    found = samples(record.folder)
    leaves = [leaf_of(sample) for sample in found]
    index = _index([leaf.name for leaf in leaves], name)
    attestation = record.folder / ATTESTATION
    return {
        "type": _TYPE,
        "format": 1,
        "sample": found[index],
        "index": index,
        "path": [one.hex() for one in inclusion_path([bytes.fromhex(leaf.sha256) for leaf in leaves], index)],
        "seal": seal,
        "attestation": read_json(attestation) if is_there(attestation) else None,
    }


def is_proof(path: Path) -> bool:
    """Whether a file is JSON, as a proof is: what else is signed, such as a report, is not."""
    return path.suffix == ".json"


def verify_proof(path: Path, key: PublicKey | None = None) -> ProofReport:
    """Check the proof in a file; with a `key`, its run has to be signed with it.

    Raises `RecordError` for a file that is no proof.
    """
    try:
        value = read_json(path)
        if value["type"] != _TYPE or value["format"] != 1:
            raise RecordError("is not a proof of a sample that is known here", place=path, fix=_FIX)
        sample, seal = value["sample"], parse_seal(value["seal"], None, path)
        leaf = leaf_of(sample)
        steps = [bytes.fromhex(step) for step in value["path"]]
        root = root_from_path(bytes.fromhex(leaf.sha256), value["index"], int(seal.sample_count or 0), steps).hex()
        attestation = value["attestation"]
    except OSError as error:
        raise RecordError(f"can't be read ({error.strerror})", place=path) from error
    except KeyError as error:
        raise RecordError(f"is not a proof of a sample: it lacks {error}", place=path, fix=_FIX) from error
    except (ValueError, TypeError) as error:
        raise RecordError(f"is not a proof of a sample: {error}", place=path, fix=_FIX) from error
    faults = [] if seal.intact else ["the seal was changed"]
    if root != seal.root:
        faults.append(f"the sample {leaf.name} is not the one that was sealed, or its path was changed")
    signature = None
    if attestation is not None or key is not None:
        signature, fault = _check_attestation(attestation, value["seal"], key)
        faults += [fault] if fault else []
    return ProofReport(
        sample=sample, name=leaf.name, run_id=seal.run_id, root=root, faults=tuple(faults), signature=signature
    )


def _check_attestation(
    attestation: Any, seal: dict[str, Any], key: PublicKey | None
) -> tuple[Signature | None, str | None]:
    if attestation is None:
        return None, "the run is not signed"
    try:
        envelope = parse_envelope(attestation, "the proof's attestation")
        signature = check_signature(envelope, key, RUN_PREDICATE)
    except HarnessError as error:
        return None, f"the attestation {error.problem}"
    expected = hashlib.sha256(canonical_json(seal) + b"\n").hexdigest()
    if {"name": SEAL, "digest": {"sha256": expected}} not in envelope.statement["subject"]:
        return None, "the attestation is of another run: it doesn't name this seal"
    return signature, None


def _index(names: list[str], wanted: str) -> int:
    matching = [at for at, name in enumerate(names) if name == wanted]
    matching = matching or [at for at, name in enumerate(names) if name.endswith(f"/{wanted}") and wanted]
    if not matching:
        raise UnknownName("sample in this run", wanted, names)
    if len(matching) > 1:
        several = ", ".join(names[at] for at in matching[:5])
        raise InputError(f"stands for {len(matching)} samples: {several}", place=wanted, fix="Give SUITE/TASK/ID")
    return matching[0]
