"""Ed25519 keys in files: a private one that signs, and a public one that checks.

Private keys are PKCS #8 in PEM, public ones SubjectPublicKeyInfo in PEM, as other tools read and write them. A key's id
is the SHA-256 of the public key's DER form.
"""

import hashlib
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from harness.core.errors import InputError
from harness.record.files import make_folder, write_new

__all__ = ["PASSPHRASE", "PublicKey", "SigningKey", "load_public_key", "load_signing_key", "new_keys"]

PASSPHRASE = "HARNESS_KEY_PASSPHRASE"
"""The environment variable with the passphrase that private keys are encrypted with; without it they aren't."""

_PRIVATE, _PUBLIC = "harness.key", "harness.pub"
_READABLE = 0o644
_LARGEST_BYTES = 1 << 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures."""

    key: Ed25519PublicKey

    @property
    def id(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    @property
    def pem(self) -> str:
        """The key as text."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether the private half of this key signed the message."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The half that may be given away."""
        return PublicKey(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        return self.key.sign(message)


def new_keys(folder: Path) -> tuple[Path, Path, PublicKey]:
    """Make a key pair and write it into the folder; the private file can be read by its owner alone.

    Gives the two paths and the public key. Raises `InputError` where a key is there already, `RecordError` where the
    folder can't be written.
    """
    private, public = make_folder(folder) / _PRIVATE, folder / _PUBLIC
    for path in (private, public):
        if path.exists():
            raise _already(path)
    key = Ed25519PrivateKey.generate()
    made = PublicKey(key.public_key())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption())
    _write_new(public, made.pem.encode())
    public.chmod(_READABLE)
    try:
        _write_new(private, pem)
    except BaseException:
        public.unlink(missing_ok=True)
        raise
    return private, public, made


def _write_new(path: Path, content: bytes) -> None:
    try:
        write_new(path, content)
    except FileExistsError as error:
        raise _already(path) from error


def _already(path: Path) -> InputError:
    return InputError("exists already", place=path, fix="Give another folder with --out; keys are never replaced")


def load_signing_key(path: Path) -> SigningKey:
    """The private key in a file; warns where others than its owner may read it.

    Raises `InputError` for whatever is no Ed25519 private key that can be read.
    """
    content = _content(path, "private key")
    if b"PUBLIC KEY" in content:
        raise InputError("holds a public key", place=path, fix=f"Give the private one, such as {_PRIVATE}")
    secret = os.environ.get(PASSPHRASE)
    encrypted = b"ENCRYPTED" in content
    if encrypted and not secret:
        raise InputError("is encrypted", place=path, fix=f"Set {PASSPHRASE} to its passphrase")
    try:
        key = load_pem_private_key(content, secret.encode() if encrypted and secret else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise InputError(f"can't be opened with the passphrase in {PASSPHRASE}", place=path) from error
        raise InputError("holds no private key", place=path, fix="`harness keys new` makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(
            f"holds a key of another kind ({_kind(key)}), not an Ed25519 one",
            place=path,
            fix="`harness keys new` makes one",
        )
    _warn_if_open(path)
    return SigningKey(key)


def load_public_key(path: Path) -> PublicKey:
    """The public key in a file. Raises `InputError` for whatever is no Ed25519 public key."""
    content = _content(path, "public key")
    if b"PRIVATE KEY" in content:
        raise InputError("holds a private key", place=path, fix=f"Give the public one, such as {_PUBLIC}")
    return parse_public_key(content, path)


def parse_public_key(content: bytes, place: Path | str) -> PublicKey:
    """The public key in PEM text. Raises `InputError` about `place`."""
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError("holds no public key", place=place, fix="`harness keys new` makes one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"holds a key of another kind ({_kind(key)}), not an Ed25519 one", place=place)
    return PublicKey(key)


def _content(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_BYTES)  # a device has no end; what is cut off is no key, and told as such
    except OSError as error:
        raise InputError(f"can't be read ({error.strerror})", place=path, fix=f"Give the file of a {what}") from error


def _encryption() -> KeySerializationEncryption:
    secret = os.environ.get(PASSPHRASE)
    return BestAvailableEncryption(secret.encode()) if secret else NoEncryption()


def _kind(key: object) -> str:
    return type(key).__name__.lstrip("_").removesuffix("PrivateKey").removesuffix("PublicKey")


def _warn_if_open(path: Path) -> None:
    if os.name != "nt" and path.stat().st_mode & _OTHERS:
        _log.warning("%s: others on this machine may read this private key. Run `chmod 600 %s`", path, path)
