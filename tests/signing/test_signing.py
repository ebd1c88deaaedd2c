"""Signed runs: what fits is accepted, any changed byte is refused and its file named."""

import json
import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from harness.core.errors import InputError, RecordError, UnknownName
from harness.decision.verdicts import RuleVerdict, Verdict, write_verdict
from harness.record.samples import leaf_of, samples
from harness.record.seal import SEAL
from harness.signing import (
    attest_file,
    attest_run,
    load_public_key,
    load_signing_key,
    new_keys,
    prove,
    verify_file,
    verify_proof,
    verify_run,
)
from harness.signing.envelope import pre_authentication_encoding, read_envelope
from tests.limits import bounded_memory, files_up_to
from tests.record.sealed import sealed_run

FLIPS = 200
NOT_COVERED = {"run.lock"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    private, public, _ = new_keys(tmp_path_factory.mktemp("keys"))
    return load_signing_key(private), load_public_key(public)


@pytest.fixture(scope="module")
def signed(tmp_path_factory, keys):
    record = sealed_run(tmp_path_factory.mktemp("signed"))
    (record.folder / "run.log").write_text("what happened\n")
    rules = [
        RuleVerdict(
            rule=outcome, kind="floor", severity="block", suite="accuracy", task="piqa", metric="acc", verdict=outcome
        )
        for outcome in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")
    ]
    verdict = Verdict(
        run_id=record.run_id,
        baseline_run_id=None,
        policy="strict",
        policy_sha256="d" * 64,
        decided_at="2026-01-02T03:04:05+00:00",
        verdict="FAIL",
        rules=tuple(rules),
    )
    write_verdict(record.folder, verdict)
    attest_run(record, keys[0])
    return record


@pytest.fixture
def copy(signed, tmp_path):
    return shutil.copytree(signed.folder, tmp_path / signed.folder.name)


def named(report):
    return {one.file for one in report.changes}


def test_a_signed_run_is_accepted_with_its_key_and_without(signed, keys):
    report = verify_run(signed.folder, keys[1])
    assert (report.ok, report.signature.trusted, report.signature.key_id) == (True, True, keys[1].id)
    assert (report.file_count, report.sample_count, report.notes) == (12, 5, ())
    assert not verify_run(signed.folder).signature.trusted


def test_flipping_any_byte_of_any_file_is_refused_and_the_file_named(copy, keys):
    rng = random.Random(0)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.name not in NOT_COVERED)
    assert len(files) == 17
    chosen = files + rng.choices(files, weights=[path.stat().st_size for path in files], k=FLIPS - len(files))
    for path in chosen:
        content = path.read_bytes()
        if not content:
            continue
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
        name = path.relative_to(copy).as_posix()
        try:
            assert name in named(verify_run(copy, keys[1])), (name, at)
        except RecordError as error:
            assert name in str(error), (name, at)  # noqa: PT017 - a seal that can't be read
        path.write_bytes(content)
    assert verify_run(copy, keys[1]).ok


def test_every_file_that_is_taken_away_is_named(copy, keys):
    for path in sorted(copy.rglob("*")):
        if path.is_file() and path.name not in {*NOT_COVERED, SEAL} and path.parent.name != "attestations":
            content = path.read_bytes()
            path.unlink()
            assert path.relative_to(copy).as_posix() in named(verify_run(copy, keys[1])), path
            path.write_bytes(content)


def test_an_unsigned_run_says_so_and_is_no_run_signed_with_a_key(copy, keys):
    (copy / "attestation.dsse.json").unlink()
    report = verify_run(copy)
    assert (report.ok, report.signature) == (True, None)
    assert named(verify_run(copy, keys[1])) == {"attestation.dsse.json"}


def test_another_key_is_refused(signed, tmp_path):
    _, public, _ = new_keys(tmp_path)
    (one, _) = verify_run(signed.folder, load_public_key(public)).changes
    assert "signed with another key" in one.fault


def test_a_run_made_anew_does_not_fit_the_old_signature(signed, tmp_path, keys):
    other = sealed_run(tmp_path, sample_count=4)
    shutil.copy(signed.folder / "attestation.dsse.json", other.folder)
    assert SEAL in named(verify_run(other.folder, keys[1]))


def test_what_came_after_the_signature_is_noted_and_no_fault(copy, keys):
    shutil.copy(next((copy / "gates").iterdir()), copy / "gates" / "later.json")
    (copy / "note.txt").write_text("mine")
    report = verify_run(copy, keys[1])
    assert report.ok
    assert [note.split()[0] for note in report.notes] == ["note.txt", "gates/later.json"]


def test_the_envelope_is_that_of_securesystemslib(signed, keys):
    public = SSlibKey.from_crypto(keys[1].key, keyid=keys[1].id)
    for path in (signed.folder / "attestation.dsse.json", *(signed.folder / "attestations").iterdir()):
        value = json.loads(path.read_bytes())
        envelope = Envelope.from_dict(json.loads(path.read_bytes()))
        ours = read_envelope(path)
        assert envelope.pae() == pre_authentication_encoding(value["payloadType"], ours.payload)
        assert set(envelope.verify([public], 1)) == {keys[1].id}
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([public], 1)


def test_the_statement_names_all_that_the_run_was_made_from(signed):
    statement = read_envelope(signed.folder / "attestation.dsse.json").statement
    names = {one["name"] for one in statement["subject"]}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert names >= {
        "seal.json",
        "run.log",
        "scores.parquet",
        "checkpoint:model.safetensors",
        "checkpoint:tokenizer.json",
    }
    assert names >= {"code:accuracy/piqa", "definition:accuracy/piqa", "requests:accuracy/piqa"}
    assert len(names) == len(statement["subject"])
    (headline,) = statement["predicate"]["headlines"]
    assert (headline["suite"], headline["value"], headline["n"]) == ("accuracy", 0.4, 5)
    assert statement["predicate"]["verdicts"][0]["verdict"] == "FAIL"


def test_a_verdict_is_a_test_result(signed):
    (path,) = (signed.folder / "attestations").iterdir()
    statement = read_envelope(path).statement
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["configuration"] == [{"name": "strict", "digest": {"sha256": "d" * 64}}]
    assert predicate["passedTests"] == ["PASS"]
    assert predicate["warnedTests"] == ["INCONCLUSIVE"]
    assert predicate["failedTests"] == ["FAIL", "ERROR"]


def test_a_changed_run_is_not_signed(copy, keys):
    from harness.record import load_record

    (copy / "scores.parquet").write_bytes(b"other")
    with pytest.raises(RecordError, match=r"scores\.parquet was changed"):
        attest_run(load_record(copy), keys[0])


def test_a_file_is_signed_beside_it(copy, keys, tmp_path):
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF")
    assert attest_file(copy, report, keys[0]).name == "report.pdf.dsse.json"
    assert verify_file(report, keys[1]).ok
    report.write_bytes(b"%PDF-")
    assert named(verify_file(report, keys[1])) == {"report.pdf"}
    with pytest.raises(RecordError, match="no signature"):
        verify_file(copy / "run.log")


def test_every_sample_is_proved_and_a_changed_one_is_not(signed, keys, tmp_path):
    path = tmp_path / "proof.json"
    for sample in samples(signed.folder):
        proof = prove(signed, leaf_of(sample).name)
        path.write_text(json.dumps(proof))
        report = verify_proof(path, keys[1])
        assert (report.ok, report.signature.trusted) == (True, True)
        proof["sample"]["scores"][0]["value"] = 0.25
        path.write_text(json.dumps(proof))
        assert "is not the one that was sealed" in verify_proof(path, keys[1]).faults[0]


def test_a_proof_holds_for_its_own_seal_and_signature_alone(signed, keys, tmp_path):
    path, proof = tmp_path / "proof.json", prove(signed, "piqa/3")
    for change, words in (
        ({"index": 1}, "not the one that was sealed"),
        ({"path": proof["path"][::-1]}, "not the one that was sealed"),
        ({"seal": {**proof["seal"], "run_id": "0"}}, "the seal was changed"),
        ({"attestation": None}, "not signed"),
    ):
        path.write_text(json.dumps({**proof, **change}))
        assert words in " ".join(verify_proof(path, keys[1]).faults)
    for broken in ("{", "[]", json.dumps({**proof, "path": proof["path"][1:]}), json.dumps({**proof, "sample": {}})):
        path.write_text(broken)
        with pytest.raises(RecordError, match="is not a proof"):
            verify_proof(path, keys[1])


def test_a_sample_is_named_by_as_much_as_tells_it_apart(signed):
    assert prove(signed, "3")["sample"] == prove(signed, "accuracy/piqa/3")["sample"]
    with pytest.raises(UnknownName):
        prove(signed, "33")


def test_private_keys_are_the_owners_alone_and_can_be_encrypted(tmp_path, monkeypatch, caplog):
    private, _, made = new_keys(tmp_path / "plain")
    assert private.stat().st_mode & 0o777 == 0o600
    load_signing_key(private)
    assert not caplog.records
    private.chmod(0o644)
    load_signing_key(private)
    assert "others on this machine may read" in caplog.text
    with pytest.raises(InputError, match="exists already"):
        new_keys(tmp_path / "plain")
    monkeypatch.setenv("HARNESS_KEY_PASSPHRASE", "open sesame")
    assert load_signing_key(private).public.id == made.id
    private, _, made = new_keys(tmp_path / "secret")
    assert load_signing_key(private).public.id == made.id
    monkeypatch.setenv("HARNESS_KEY_PASSPHRASE", "wrong")
    with pytest.raises(InputError, match="can't be opened"):
        load_signing_key(private)
    monkeypatch.delenv("HARNESS_KEY_PASSPHRASE")
    with pytest.raises(InputError, match="is encrypted"):
        load_signing_key(private)


@pytest.mark.parametrize("most_bytes", [0, 50, 115])
def test_where_the_keys_find_no_room_none_is_left_that_blocks_the_next_try(tmp_path, most_bytes):
    """Not for the public one, of 113 bytes, or not for the private one, of 119."""
    with files_up_to(most_bytes), pytest.raises(RecordError):
        new_keys(tmp_path)
    assert list(tmp_path.iterdir()) == []
    private, public, _ = new_keys(tmp_path)
    assert (public.stat().st_size, private.stat().st_size) == (113, 119)


def test_keys_of_the_wrong_kind_are_one_clear_error(tmp_path):
    other = rsa.generate_private_key(65537, 1024)
    path = tmp_path / "some.key"
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InputError, match=r"another kind \(RSA\)"):
        load_signing_key(path)
    path.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(InputError, match=r"another kind \(RSA\)"):
        load_public_key(path)
    with pytest.raises(InputError, match="holds a public key"):
        load_signing_key(path)
    own = Ed25519PrivateKey.generate()
    path.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InputError, match="holds a private key"):
        load_public_key(path)
    path.write_text("ssh-ed25519 AAAA")
    for load in (load_signing_key, load_public_key):
        with pytest.raises(InputError, match="harness keys new"):
            load(path)
        with pytest.raises(InputError, match="can't be read"):
            load(tmp_path / "none")
        with bounded_memory(), pytest.raises(InputError, match="harness keys new"):
            load(Path("/dev/full"))
