"""Timestamps of runs, made by an authority of OpenSSL's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.core.errors import InputError
from harness.record import RunRecord
from harness.signing import add_timestamp, read_roots, verify_run
from harness.signing.timestamps import TIMESTAMP
from tests.decision.runs import scores_of, sealed

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is the authority")

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
[extensions]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
"""


class Authority:
    """A root, a stamp signed by it, and what it answers."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "tsa.cnf").write_text(CONFIG)
        (self.folder / "serial").write_text("01\n")
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        root = ("-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", f"/CN={name}", "-days", "30")
        self._openssl("req", *new_key, *root, "-config", "tsa.cnf", "-extensions", "root")
        self._openssl("req", *new_key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name} stamp")
        signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "20", "-out", "tsa.pem")
        self._openssl("x509", "-req", "-in", "tsa.csr", *signed, "-extfile", "tsa.cnf", "-extensions", "extensions")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def stamped(self, path: Path, digest: str = "sha256") -> Path:
        self._openssl("ts", "-query", "-data", str(path), f"-{digest}", "-cert", "-out", "asked.tsq")
        key = ("-signer", "tsa.pem", "-inkey", "tsa.key")
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "asked.tsq", *key, "-out", "said.tsr")
        return self.folder / "said.tsr"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    return sealed(tmp_path / "runs", "a", scores_of([1.0, 0.0] * 10))


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_a_timestamp_is_kept_and_checked_offline(authority: Authority, run: RunRecord, digest: str) -> None:
    add_timestamp(run.folder, authority.stamped(run.folder / "seal.json", digest))
    unchecked = verify_run(run.folder)
    assert unchecked.ok
    assert unchecked.notes == ()
    assert unchecked.timestamp is not None
    assert not unchecked.timestamp.trusted
    checked = verify_run(run.folder, roots=read_roots(authority.root))
    assert checked.ok
    assert checked.timestamp is not None
    assert checked.timestamp.trusted
    assert checked.timestamp.at == unchecked.timestamp.at


def test_a_timestamp_of_another_authority_or_none_is_a_fault(
    authority: Authority, run: RunRecord, tmp_path: Path
) -> None:
    theirs = read_roots(Authority(tmp_path, "theirs").root)
    (missing,) = verify_run(run.folder, roots=theirs).changes
    assert "is missing" in missing.fault
    add_timestamp(run.folder, authority.stamped(run.folder / "seal.json"))
    (other,) = verify_run(run.folder, roots=theirs).changes
    assert (other.file, "is not signed by an authority" in other.fault) == (TIMESTAMP, True)


def test_what_is_no_timestamp_of_the_seal_is_refused(authority: Authority, run: RunRecord, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="about something else"):
        add_timestamp(run.folder, authority.stamped(run.folder / "spec.json"))
    (tmp_path / "bad.tsr").write_bytes(b"no timestamp")
    with pytest.raises(InputError, match="is no timestamp response"):
        add_timestamp(run.folder, tmp_path / "bad.tsr")
    assert not (run.folder / TIMESTAMP).exists()
    # One that is put there by hand is found, and so is one that was altered.
    (run.folder / TIMESTAMP).write_bytes(authority.stamped(run.folder / "spec.json").read_bytes())
    assert not verify_run(run.folder).ok
    content = bytearray(authority.stamped(run.folder / "seal.json").read_bytes())
    content[-5] ^= 1
    (run.folder / TIMESTAMP).write_bytes(bytes(content))
    assert not verify_run(run.folder, roots=read_roots(authority.root)).ok
