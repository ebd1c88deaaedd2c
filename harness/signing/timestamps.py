"""A timestamp by an authority (RFC 3161): that a run's seal existed at a time which is not our own clock's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc3161_client
from cryptography import x509

from harness.core.errors import InputError, RecordError
from harness.record.files import write_whole
from harness.record.opening import is_there, read_bytes
from harness.record.seal import SEAL

__all__ = ["TIMESTAMP", "Timestamp", "add_timestamp", "read_roots", "timestamp_of"]

TIMESTAMP = f"{SEAL}.tsr"
"""The authority's answer, in the run's folder beside the seal that it is about."""

_HASHES: dict[str, Callable[[bytes], Any]] = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}
_QUERY = "`openssl ts -query -data {seal} -sha256 -cert` makes what to send to an authority"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """When an authority saw the seal, as ISO 8601 in UTC; `trusted` says whether the verifier's certificates vouch."""

    at: str
    trusted: bool


def add_timestamp(folder: Path, path: Path) -> Path:
    """Put an authority's answer about a run's seal beside it; gives the file written.

    Nothing is fetched: asking an authority is up to whoever seals. Raises `InputError` for a file that is no granted
    timestamp, or one of something else, `RecordError` for a run without a seal.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read ({error.strerror})", place=path) from error
    seal = read_bytes(folder / SEAL)
    try:
        _checked(content, seal, [])
    except RecordError as error:
        raise InputError(error.problem, place=path, fix=_QUERY.format(seal=folder / SEAL)) from error
    write_whole(folder / TIMESTAMP, content)
    return folder / TIMESTAMP


def timestamp_of(folder: Path, roots: list[x509.Certificate]) -> Timestamp | None:
    """The timestamp of a run, checked against the certificates of authorities, offline; None where there is none.

    Without certificates only what it is about is checked. Raises `RecordError` where it doesn't fit.
    """
    if not is_there(folder / TIMESTAMP):
        return None
    return _checked(read_bytes(folder / TIMESTAMP), read_bytes(folder / SEAL), roots)


def read_roots(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file. Raises `InputError` for what is none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise InputError(f"can't be read ({error.strerror})", place=path) from error
    except ValueError as error:
        raise InputError("holds no certificate", place=path, fix="Give the authority's root as PEM") from error


def _checked(content: bytes, seal: bytes, roots: list[x509.Certificate]) -> Timestamp:
    try:
        response = rfc3161_client.decode_timestamp_response(content)
        granted = response.status == rfc3161_client.PKIStatus.GRANTED
        told = response.tst_info
        made = _HASHES.get(told.message_imprint.hash_algorithm.dotted_string)
        imprint, at = told.message_imprint.message, told.gen_time.isoformat()
    except ValueError as error:
        raise RecordError("is no timestamp response (RFC 3161)") from error
    if not granted:
        raise RecordError("is a request that the authority did not grant")
    if made is None:
        raise RecordError("has a hash that isn't SHA-256, SHA-384 or SHA-512")
    if imprint != made(seal).digest():
        raise RecordError("is about something else than this seal")
    if roots:
        builder = rfc3161_client.VerifierBuilder(roots=roots)
        try:
            builder.build().verify_message(response, seal)
        except (rfc3161_client.VerificationError, ValueError) as error:
            raise RecordError("is not signed by an authority of these certificates") from error
    return Timestamp(at=at, trusted=bool(roots))
