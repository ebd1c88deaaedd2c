"""The DSSE envelope: a payload, what it is, and a signature over both.

"DSSE: Dead Simple Signing Envelope", version 1.0.2 of its protocol (secure-systems-lab, 2021). Envelopes are written in
their canonical JSON form and read in no other, so that no byte of one can be changed unnoticed.
"""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json
from harness.record.opening import parsed, read_bytes
from harness.signing.keys import PublicKey, SigningKey, parse_public_key

__all__ = ["PAYLOAD_TYPE", "Envelope", "parse_envelope", "pre_authentication_encoding", "read_envelope", "sealed_in"]

_LARGEST_BYTES = 64 << 20

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement with the signature under it, neither of them checked yet."""

    statement: dict[str, Any]
    payload: bytes
    key_id: str
    signature: bytes

    @property
    def named_key(self) -> PublicKey:
        """The key that the statement itself says it is signed with. Raises `InputError` where it names none."""
        signer = self.statement["predicate"].get("signer")
        named = signer.get("public_key") if isinstance(signer, dict) else None
        text = named if isinstance(named, str) else ""
        return parse_public_key(text.encode("ascii", errors="replace"), "the statement's signer")

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the signature is this key's, over this very payload."""
        encoded = pre_authentication_encoding(PAYLOAD_TYPE, self.payload)
        return self.key_id == key.id and key.accepts(self.signature, encoded)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sealed_in(statement: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """The envelope of a statement, as a JSON value."""
    payload = canonical_json(statement)
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.public.id, "sig": base64.b64encode(signature).decode()}],
    }


def read_envelope(path: Path) -> Envelope:
    """The envelope in a file. Raises `RecordError` where it is none, or not in its canonical form."""
    try:
        content = read_bytes(path, _LARGEST_BYTES)
        value = parsed(content)
        canonical = canonical_json(value) + b"\n"
    except (OSError, ValueError) as error:
        raise RecordError("is not a signed envelope", place=path) from error
    if content != canonical:
        raise RecordError("is not as it was written", place=path)
    return parse_envelope(value, path)


def parse_envelope(value: Any, place: Path | str) -> Envelope:
    """The envelope in a JSON value. Raises `RecordError` for anything else."""
    try:
        if value["payloadType"] != PAYLOAD_TYPE:
            raise RecordError(f"holds {value['payloadType']}, not {PAYLOAD_TYPE}", place=place)
        (signature,) = value["signatures"]
        payload = _decoded(value["payload"])
        statement = parsed(payload)
        if (
            not isinstance(statement, dict)
            or not isinstance(statement["subject"], list)
            or not isinstance(statement["predicate"], dict)
        ):
            raise RecordError("holds no statement", place=place)
        return Envelope(statement, payload, str(signature["keyid"]), _decoded(signature["sig"]))
    except (KeyError, ValueError, TypeError, binascii.Error) as error:
        raise RecordError("is not a signed envelope", place=place) from error


def _decoded(text: str) -> bytes:
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError("not the canonical base64")
    return content
