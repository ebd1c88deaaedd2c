"""Records made by somebody who means harm: refused by name, at once, whoever reads them."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json, digest
from harness.core.text.jsontext import parse_json
from harness.decision.verdicts import read_verdicts
from harness.record import load_record
from harness.record.changes import changes
from harness.record.parquet import check_table, read_table
from harness.record.samples import TABLES
from harness.record.seal import NEEDED, OPTIONAL, read_seal, write_seal
from harness.signing import attest_run, load_signing_key, new_keys, prove, verify_proof, verify_run
from harness.signing.envelope import parse_envelope, sealed_in
from harness.store import Store, index_folder, locate
from harness.store.schema import runs as indexed_runs
from tests.cli.conftest import harness_here
from tests.decision.runs import scores_of, sealed
from tests.faults.conftest import ALL
from tests.record.sealed import sealed_run

assert harness_here  # a fixture

POLICY = "format: 1\nname: p\nrules: [{kind: floor, suite: quiz, bound: 0.1}]\n"
READERS = (
    ("show", "RUN"),
    ("runs",),
    ("compare", "RUN", "RUN"),
    ("gate", "RUN", "--policy", "policy.yaml"),
    ("report", "RUN", "--markdown", "report.md"),
    ("index",),
    ("verify", "RUN"),
    ("export", "RUN", "--out", "scores.csv"),
    ("card", "RUN"),
    ("prove", "RUN", "0"),
    ("seal", "RUN", "--key", "keys/harness.key"),
    ("policy", "init", "RUN"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a sealed run, with a policy and keys at hand."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    new_keys(tmp_path / "keys")
    return sealed(tmp_path / "runs", "a", scores_of([1.0, 0.0, 1.0] * 20)).folder


def link(path: Path) -> None:
    target = path.with_name(f"moved-{path.name}")
    path.rename(target)
    path.symlink_to(target)


def link_to(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return make


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def sparse(path: Path) -> None:
    os.truncate(path, 1 << 40)


KINDS = (link, link_to("/dev/zero"), link_to("/dev/stdin"), link_to("gone"), pipe, directory, sparse)
PLACES = [
    (kind, name)
    for kind in KINDS
    for name in (*NEEDED, "seal.json", "samples.merkle", "journal.jsonl", "windows.jsonl")
]


@pytest.mark.parametrize(("number", "place"), list(enumerate(PLACES if ALL else PLACES[::4])))
def test_what_is_no_regular_file_is_refused_by_every_reader(number, place, folder, harness_here):
    kind, name = place
    kind(folder / name)
    for command in READERS if ALL else READERS[number % len(READERS) :: len(READERS)]:
        ended = harness_here(*(folder.name if part == "RUN" else part for part in command))
        # The list reads two files of each run, and the index names the runs that it can't trust.
        expected = {("runs",): (0, 2), ("index",): (2, 3)}.get(command, (2,))
        assert ended.returncode in expected, (command, ended.stdout)
        assert "Traceback" not in ended.stderr
        assert "nobody foresaw" not in ended.stderr


def one_text_many_times() -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * 2500, pa.int32()), pa.array(["x" * 1_000_000]))


BOMBS: dict[str, Callable[[], pa.Array]] = {
    "one text many times": one_text_many_times,
    "many rows of nothing": lambda: pa.nulls(30_000_000, pa.string()),
    "a long text": lambda: pa.array(["z" * 80_000_000]),
    "lists of one value": lambda: pa.array([[1] * 2_000_000] * 3, pa.list_(pa.int8())),
    "maps of one text": lambda: pa.array([[("k", "v" * 100_000)]] * 1000, pa.map_(pa.string(), pa.string())),
    "many truths": lambda: pa.array([True]).take(pa.array(bytearray(20_000_000), pa.uint8())),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_table_that_takes_far_more_memory_than_its_file_is_refused_before_it_does(name, tmp_path):
    path = tmp_path / "scores.parquet"
    long = name == "a long text"
    table = pa.table({"mine": BOMBS[name]()})
    pq.write_table(table, path, compression="zstd", use_dictionary=not long, write_statistics=not long)
    assert path.stat().st_size < 100_000
    for read in (check_table, read_table):
        before = pa.total_allocated_bytes()
        with pytest.raises(RecordError, match=r"takes more than .* bytes of memory"):
            read(path)
        assert pa.total_allocated_bytes() - before < 100_000_000


def test_a_column_of_another_type_is_refused(folder):
    table = pq.read_table(folder / "scores.parquet")
    at = table.schema.get_field_index("value")
    pq.write_table(table.set_column(at, "value", table["value"].cast(pa.string())), folder / "scores.parquet")
    with pytest.raises(RecordError, match="holds value as string, not as double"):
        _ = load_record(folder).scores


def sealed_with(folder: Path, files: dict[str, str]) -> None:
    seal = json.loads((folder / "seal.json").read_bytes())
    body = {**{name: part for name, part in seal.items() if name != "digest"}, "files": files}
    (folder / "seal.json").write_bytes(canonical_json({**body, "digest": digest(body)}) + b"\n")


def test_a_seal_has_to_cover_all_that_is_read(folder):
    whole = dict(read_seal(folder).files)
    for name in (*NEEDED, *OPTIONAL):
        if name in whole:
            sealed_with(folder, {one: sha256 for one, sha256 in whole.items() if one != name})
            assert load_record(folder).verify() == [f"{name} is not covered by the seal"]
            assert f"{name} is not covered by the seal" in [f"{one.file} {one.fault}" for one in changes(folder)]
    sealed_with(folder, {})
    assert len(load_record(folder).verify()) >= len(NEEDED)
    assert not verify_run(folder).ok
    sealed_with(folder, whole)
    assert verify_run(folder).ok
    pq.write_table(pa.table({"suite": ["quiz"]}), folder / "attributions.parquet")
    assert load_record(folder).verify() == ["attributions.parquet is not covered by the seal"]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "x/../../outside", "x" * 5000, "a\0b", "", ".", "linked/file"]
)
def test_a_seal_names_no_file_elsewhere(folder, name):
    (folder.parent / "outside").write_text("mine")
    (folder / "linked").symlink_to(folder.parent)
    (folder.parent / "file").write_text("mine")
    sealed_with(folder, {**read_seal(folder).files, name: "0" * 64})
    (fault,) = load_record(folder).verify()
    assert (
        "is no file of the run's folder" in fault
        or "is missing" in fault
        or "can't be read" in fault
        or "is not a regular" in fault
    )


@pytest.mark.parametrize("place", ["sample", "seal", "whole"])
def test_a_key_that_stands_twice_is_refused(folder, tmp_path, place):
    key = load_signing_key(tmp_path / "keys" / "harness.key")
    record = load_record(folder)
    attest_run(record, key)
    proof = json.dumps(prove(record, "quiz/foxes/0"))
    again = {
        "whole": proof.replace('"index":', '"sample": {"suite": "quiz"}, "index":', 1),
        "seal": proof.replace('"run_id":', '"run_id": "0", "run_id":', 1),
        "sample": proof.replace('"sample_id":', '"sample_id": "7", "sample_id":', 1),
    }[place]
    path = tmp_path / "proof.json"
    path.write_text(proof)
    assert verify_proof(path, key.public).ok
    path.write_text(again)
    with pytest.raises(RecordError, match="occurs twice in an object"):
        verify_proof(path, key.public)


def test_json_of_far_more_values_than_fit_the_memory_is_refused(folder):
    (folder / "estimates.json").write_bytes(b"[" + b"[]," * 20_000_001 + b"[]]")
    with pytest.raises(RecordError, match="is not JSON"):
        _ = load_record(folder).estimate_list


def test_a_run_is_its_id_whatever_its_folder_is_called(folder, harness_here):
    run_id = folder.name
    renamed = Path(shutil.copytree(folder, folder.with_name("another")))
    assert load_record(renamed).run_id == run_id
    with Store(locate(None, folder.parent)) as store:
        assert index_folder(store, folder.parent).verified == (run_id,)
        with store.reading() as connection:
            assert [row.run_id for row in connection.execute(indexed_runs.select())] == [run_id]
    listed = harness_here("runs")
    assert listed.stdout.count(run_id) == 1
    assert f"is a copy of the run {run_id}" in listed.stderr
    shutil.rmtree(folder)
    assert harness_here("show", run_id).returncode == 0
    assert harness_here("gate", run_id, "--policy", "policy.yaml").returncode == 0
    (verdict,) = read_verdicts(renamed)
    assert verdict.run_id == run_id


def test_gating_again_changes_nothing_that_is_signed(folder, tmp_path, harness_here):
    key = load_signing_key(tmp_path / "keys" / "harness.key")
    gated = ("gate", folder.name, "--policy", "policy.yaml")
    assert harness_here(*gated).returncode == 0
    attest_run(load_record(folder), key)
    for count in (2, 3):
        assert harness_here(*gated).returncode == 0
        report = verify_run(folder, key.public)
        assert report.ok, report.changes
        assert len(read_verdicts(folder)) == count
        assert sum("came after the signature" in note for note in report.notes) == count - 1


@pytest.mark.parametrize("signer", [None, 7, [], {"public_key": 7}, {"public_key": ["x"]}, "me"])
def test_a_signer_that_is_no_text_is_told(folder, tmp_path, signer):
    key = load_signing_key(tmp_path / "keys" / "harness.key")
    (path,) = attest_run(load_record(folder), key)
    statement = parse_envelope(json.loads(path.read_bytes()), path).statement
    for name in ("signer", "signed_at"):
        forged = {**statement, "predicate": {**statement["predicate"], name: signer}}
        path.write_bytes(canonical_json(sealed_in(forged, key)) + b"\n")
        assert verify_run(folder).ok is (name == "signed_at" and isinstance(signer, str | None))


@pytest.mark.parametrize("began", [None, "", "soon", 7, [], "2026-13-45", "99999-01-01", "2026-01-01T00:00:00+99:99"])
def test_a_date_that_is_none_is_told(tmp_path, harness_here, began):
    folder = sealed_run(tmp_path / "runs").folder
    environment = json.loads((folder / "environment.json").read_bytes())
    (folder / "environment.json").write_bytes(canonical_json({**environment, "started_at": began}) + b"\n")
    write_seal(folder, [name for name in read_seal(folder).files if name not in OPTIONAL[-2:]])
    for command in (("report", "--markdown", "a.md"), ("export", "--out", "b", "--format", "mlflow")):
        ended = harness_here(command[0], folder.name, *command[1:])
        assert ended.returncode == 2
        assert "environment.json: is not a description of where a run happened and when" in ended.stderr


def test_every_file_of_a_record_is_for_its_owner_alone(folder, harness_here):
    assert harness_here("gate", folder.name, "--policy", "policy.yaml").returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert {name: mode for name, mode in modes.items() if mode != 0o600} == {}


def test_the_parser_of_all_this_knows_no_key_twice():
    assert parse_json('{"a": {"b": 1}, "b": 1}') == {"a": {"b": 1}, "b": 1}
    assert TABLES
    for text in ('{"a": 1, "a": 1}', '[{"b": {"a": 1, "\\u0061": 2}}]'):
        with pytest.raises(ValueError, match="twice"):
            parse_json(text)
