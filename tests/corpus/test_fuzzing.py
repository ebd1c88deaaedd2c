"""Whatever bytes a file holds, its reader gives what is in it or one error, and takes nothing for what it isn't."""

import csv
import hashlib
import io
import json
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import safetensors
from hypothesis import example, given

from harness.checkpoints.files import read_object
from harness.checkpoints.headers import read_header
from harness.checkpoints.sentence import read_recipe
from harness.core.errors import DataError, HarnessError
from harness.data.readers import read
from harness.decision.policy import read_policy, templates
from harness.record import load_record
from harness.signing import attest_run, load_public_key, load_signing_key, new_keys, prove, verify_proof, verify_run
from harness.signing.attestation import ATTESTATION
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions
from tests.cli.conftest import SUITE, write_suite
from tests.corpus.mutations import fuzzed, mutated
from tests.record.sealed import sealed_run

HEADER = json.dumps(
    {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
    }
).encode()
DEEP = b"[" * 100_000
CONLL = b"-DOCSTART-\tO\n\nAlex\tB-PER\nis\tO\ngoing\tO\n\nto\tO\nLos\tB-LOC\nAngeles\tI-LOC\n"
TABLE = b'question,gold\r\n"Where, and ""how""?",1\r\nWhen?,0\r\n'
LINES = b'{"question": "Where?", "options": ["a", "b"], "gold": 0.5}\n{"question": "When\\u00e9?", "gold": null}\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a test share."""
    return tmp_path_factory.mktemp("fuzzed")


def clear(error: HarnessError, path: Path | None = None) -> None:
    """The error names its place, which is the file where only one was read, and is of one line."""
    assert error.place
    assert path is None or str(path) in error.place
    assert "\n" not in str(error)


@fuzzed
@given(text=mutated(HEADER))
@example(text=HEADER)
@example(text=DEEP)
def test_a_safetensors_header_is_read_as_the_library_reads_it_or_refused(place: Path, text: bytes) -> None:
    path = place / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(32))
    try:
        tensors = read_header(path)
    except HarnessError as error:
        clear(error, path)
        return
    with safetensors.safe_open(path, "np") as stored:
        assert set(stored.keys()) == set(tensors)
        for name, tensor in tensors.items():
            view = stored.get_slice(name)
            assert (tuple(view.get_shape()), view.get_dtype()) == (tensor.shape, tensor.dtype)


@fuzzed
@given(content=mutated(b'{"num_hidden_layers": 2, "eps": 1e-5, "names": ["a", {"b": null}]}'))
@example(content=DEEP)
@example(content=b'{"a":' * 100_000)
def test_a_json_file_of_a_checkpoint_is_an_object_or_refused(place: Path, content: bytes) -> None:
    path = place / "config.json"
    path.write_bytes(content)
    try:
        value = read_object(path)
    except HarnessError:
        return
    assert value == json.loads(content)
    assert not any(value != value for value in value.values() if isinstance(value, float))


@fuzzed
@given(
    content=mutated(b'[{"idx": 0, "path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"}]')
)
@example(content=DEEP)
def test_a_list_of_modules_is_read_or_refused(place: Path, content: bytes) -> None:
    folder = place / "sentence"
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "modules.json").write_bytes(content)
    try:
        assert read_recipe(folder).poolings
    except HarnessError as error:
        clear(error)


@fuzzed
@given(content=mutated(SUITE.encode()))
@example(content=DEEP)
@example(content=b"a: " * 5000)
@example(content=SUITE.replace("acc", "ac\r\rc", 1).encode())
def test_a_suite_file_is_read_or_refused(place: Path, content: bytes) -> None:
    write_suite(place)
    path = place / "fuzzed.yaml"
    path.write_bytes(content)
    options = TaskOptions(offline=True)
    try:
        selection = select([str(path)], [], limit=None, num_fewshot=None, seed=0, options=options)
    except HarnessError as error:
        clear(error)
        return
    assert selection.planned


@fuzzed
@given(content=mutated(next(iter(templates().values())).read_bytes()))
@example(content=DEEP)
def test_a_policy_is_read_or_refused(place: Path, content: bytes) -> None:
    path = place / "policy.yaml"
    path.write_bytes(content)
    try:
        assert read_policy(str(path)).rules
    except HarnessError as error:
        clear(error, path)


def rows_of(path: Path) -> list[Any] | None:
    """The rows of a file, or None where it is refused; the error says which file."""
    try:
        return list(read(path, hashlib.sha256()))
    except DataError as error:
        clear(error, path)
        return None


@fuzzed
@given(content=mutated(LINES))
@example(content=DEEP)
@example(content=b"\x1c")
def test_json_lines_are_read_as_python_reads_them_or_refused(place: Path, content: bytes) -> None:
    (place / "rows.jsonl").write_bytes(content)
    rows = rows_of(place / "rows.jsonl")
    if rows is not None:
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        assert rows == [json.loads(line) for line in lines if line.strip()]
        json.dumps(rows, allow_nan=False, ensure_ascii=False).encode()


@fuzzed
@given(content=mutated(b"[" + LINES.strip().replace(b"\n", b",\n") + b"]"))
@example(content=DEEP)
def test_a_json_list_is_read_as_python_reads_it_or_refused(place: Path, content: bytes) -> None:
    (place / "rows.json").write_bytes(content)
    rows = rows_of(place / "rows.json")
    assert rows is None or rows == json.loads(content)


@fuzzed
@given(content=mutated(TABLE))
def test_a_table_has_a_value_for_each_column_or_is_refused(place: Path, content: bytes) -> None:
    (place / "rows.csv").write_bytes(content)
    rows = rows_of(place / "rows.csv")
    if rows:
        header, *records = [
            record for record in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if record
        ]
        assert rows == [dict(zip(header, record, strict=True)) for record in records]


@fuzzed
@given(content=mutated(CONLL))
def test_a_tagged_file_has_a_tag_for_each_token_or_is_refused(place: Path, content: bytes) -> None:
    (place / "rows.conll").write_bytes(content)
    for row in rows_of(place / "rows.conll") or ():
        assert len(row["tokens"]) == len(row["tags"]) > 0
        assert all(row["tokens"])


@fuzzed
@given(content=mutated(b"PAR1" + bytes(40) + b"PAR1"))
def test_a_parquet_file_is_read_or_refused(place: Path, content: bytes) -> None:
    (place / "rows.parquet").write_bytes(content)
    rows_of(place / "rows.parquet")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A sealed and signed run, and the key that checks it."""
    private, public, _ = new_keys(tmp_path_factory.mktemp("keys"))
    record = sealed_run(tmp_path_factory.mktemp("signed"))
    attest_run(record, load_signing_key(private))
    return record.folder, load_public_key(public)


JOURNALS = ("journal.jsonl", "windows.jsonl")
SUMMED = b'{"crc32":"%08x","entry":%s}\n' % (zlib.crc32(b'{"a":1}'), b'{"a":1}')
"""A line that is no entry of any journal, under a checksum that is right."""
RECORD_FILES = ("spec.json", "seal.json", "samples.merkle", "parts.json", "estimates.json", "measurements.json")


@pytest.mark.parametrize(
    "name", [*RECORD_FILES, *JOURNALS, "scores.parquet", "checkpoint.json", "engine.json", ATTESTATION]
)
def test_a_changed_file_of_a_signed_run_is_named_or_refused(signed: tuple[Path, Any], name: str) -> None:
    folder, key = signed
    path = next(folder.rglob(name))
    sound = path.read_bytes()

    @fuzzed
    @given(content=mutated(sound))
    @example(content=DEEP)
    @example(content=b'{"format": 2, "run_id": NaN}')
    @example(content=b"[]")
    @example(content=b"null")
    @example(content=b"[1]")
    @example(content=json.dumps({"format": 2, "run_id": "a", "files": {"n" * 5000: "a", "../x": "b"}}).encode())
    @example(content=b'{"a": 1}')
    @example(content=SUMMED)
    def changes_are_found(content: bytes) -> None:
        if content == sound:
            return
        path.write_bytes(content)
        try:
            assert not verify_run(folder, key).ok
        except HarnessError as error:
            clear(error)
        try:
            record = load_record(folder)
            for read in (record.estimate_list, record.windows, record.environment, record.checkpoint):
                assert isinstance(read, list | dict)
            assert not record.is_partial
            assert len(record.token_counts) == 2
        except HarnessError as error:
            clear(error)

    try:
        changes_are_found()
    finally:
        path.write_bytes(sound)
    assert verify_run(folder, key).ok


def test_a_changed_proof_is_faulty_or_refused(signed: tuple[Path, Any], tmp_path: Path) -> None:
    folder, key = signed
    sound = json.dumps(prove(load_record(folder), "accuracy/piqa/0")).encode()
    value = json.loads(sound)
    path = tmp_path / "proof.json"

    @fuzzed
    @given(content=mutated(sound))
    @example(content=DEEP)
    @example(content=json.dumps({**value, "index": 10**400}).encode())
    @example(content=json.dumps({**value, "sample": []}).encode())
    @example(content=json.dumps({**value, "seal": {**value["seal"], "samples": []}}).encode())
    def changes_are_found(content: bytes) -> None:
        path.write_bytes(content)
        try:
            report = verify_proof(path, key)
        except HarnessError as error:
            clear(error)
            return
        # What a proof says may be spelt in other bytes; it never says another thing.
        assert not report.ok or json.loads(content)["sample"] == value["sample"]

    path.write_bytes(sound)
    assert verify_proof(path, key).ok
    changes_are_found()


def test_the_folder_of_the_run_is_as_it_was(signed: tuple[Path, Any], tmp_path: Path) -> None:
    folder, key = signed
    assert verify_run(Path(shutil.copytree(folder, tmp_path / folder.name)), key).ok
