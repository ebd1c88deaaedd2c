"""Disks without room, folders that a killed process left, and files that are not what the harness wrote."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from harness.core.errors import RecordError
from harness.core.requests import Request, Response
from harness.core.text.hashing import canonical_json
from harness.record import RunWriter, environment, load_record
from harness.record.changes import changes, other_files
from harness.record.estimates import estimate_row
from harness.record.files import write_whole
from harness.record.parts import changed_parts, parts_of
from harness.record.samples import leaves, read_rows
from harness.record.seal import read_leaves, read_seal
from harness.record.tables import response_row
from tests.limits import files_up_to
from tests.record.sealed import sealed_run
from tests.record.test_record import ESTIMATE, REQUEST, RESPONSE, SPEC, finish


@pytest.fixture
def folder(tmp_path) -> Path:
    return sealed_run(tmp_path).folder


def test_without_room_the_old_file_stays_whole_and_nothing_is_left(tmp_path):
    path = tmp_path / "file.json"
    write_whole(path, b"old")
    with files_up_to(1000), pytest.raises(RecordError, match="Make room and run the same command again"):
        write_whole(path, bytes(5000))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file.json", b"old")]


def test_without_room_for_the_seal_the_run_can_be_sealed_later(tmp_path):
    with files_up_to(400), pytest.raises(RecordError, match="Make room"):
        finish(tmp_path)
    record = finish(tmp_path)
    assert record.verify() == []
    assert other_files(record.folder) == []


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    left = tmp_path / SPEC.run_id / ".seal.json.x1y2z3ab"
    left.parent.mkdir()
    left.write_text("{")
    assert other_files(finish(tmp_path).folder) == []
    assert not left.exists()


def test_answers_that_were_put_by_are_none_of_the_run(tmp_path):
    writer = RunWriter(tmp_path, SPEC)
    kept = []
    for _ in range(2):
        writer.append([RESPONSE])
        kept.append(writer.set_aside())
        assert writer.responses == {}
    writer.close()
    assert len(set(kept)) == 2
    assert all(REQUEST.id in path.read_text() for path in kept)
    record = finish(tmp_path)
    assert record.verify() == []
    assert other_files(record.folder) == []


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 2}', '{"format": 2, "files": 3, "run_id": "x"}', "3"])
def test_what_is_no_seal_is_refused_by_name(folder, content):
    (folder / "seal.json").write_text(content)
    with pytest.raises(RecordError, match=r"seal\.json: is not a seal"):
        read_seal(folder)


def test_without_a_seal_there_is_nothing_to_verify(folder):
    (folder / "seal.json").unlink()
    with pytest.raises(RecordError, match="not finished, so it has no seal"):
        load_record(folder).verify()


def test_a_file_that_is_gone_is_named(folder):
    (folder / "engine.json").unlink()
    assert load_record(folder).verify() == ["engine.json is missing"]
    (change,) = changes(folder)
    assert (change.file, change.fault, change.parts) == ("engine.json", "is missing", ())


def test_without_its_tree_or_with_a_broken_one_no_leaf_can_be_read(folder):
    (folder / "samples.merkle").write_text('{"samples": 3}')
    with pytest.raises(RecordError, match="holds no leaves"):
        read_leaves(folder)
    (folder / "samples.merkle").unlink()
    with pytest.raises(RecordError, match="without a tree"):
        read_leaves(folder)


def test_a_run_of_an_early_version_has_no_tree_and_verifies(folder):
    seal = json.loads((folder / "seal.json").read_bytes())
    early = {"format": 1, "run_id": seal["run_id"], "files": seal["files"]}
    (folder / "seal.json").write_bytes(canonical_json(early) + b"\n")
    assert load_record(folder).verify() == []
    assert changes(folder) == []
    assert read_seal(folder).root is None


def test_a_table_that_can_not_be_read_any_more_is_named_as_such(folder):
    content = (folder / "scores.parquet").read_bytes()
    (folder / "scores.parquet").write_bytes(content[: len(content) // 2])
    (change,) = changes(folder)
    assert change.file == "scores.parquet"
    assert change.parts == ("scores.parquet is damaged",)


def test_a_table_without_the_names_of_samples_is_refused(tmp_path):
    path = tmp_path / "scores.parquet"
    pd.DataFrame({"value": [1.0]}).to_parquet(path)
    with pytest.raises(RecordError, match="lacks the columns suite, task, sample_id"):
        read_rows(path)


def test_without_the_parts_the_file_is_named_all_the_same(folder):
    (folder / "engine.json").write_text("{}")
    (folder / "parts.json").unlink()
    assert {change.file: change.parts for change in changes(folder)} == {"engine.json": (), "parts.json": ()}


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_spec_that_is_none_is_named(folder, content):
    (folder / "spec.json").write_text(content)
    assert any(change.file == "spec.json" for change in changes(folder))
    with pytest.raises(RecordError, match=r"spec\.json"):
        load_record(folder)


def test_a_value_of_another_form_is_named_as_a_whole(tmp_path):
    path = tmp_path / "any.json"
    found = {}
    for content in ('{"a": 1}', "[1, 2]", '"text"'):
        path.write_text(content)
        found[content] = parts_of(path)
    path.write_text("[1, 2]")
    assert changed_parts(found['{"a": 1}'], path) == ["it holds something else altogether"]
    assert changed_parts(found['"text"'], path) == ["row 1", "row 2"]
    path.write_text('{"b": 1}')
    assert changed_parts(found['{"a": 1}'], path) == ["the field a is gone", "the field b is new"]
    path.write_text("[2, 1]")
    assert changed_parts(found["[1, 2]"], path) == ["its rows stand in another order, or twice"]
    path.write_text("{")
    assert changed_parts(found["[1, 2]"], path) == ["it is no JSON any more"]


def test_runs_in_which_code_failed_are_partial_and_say_what_failed(tmp_path):
    record = finish(tmp_path)
    assert record.failures == []
    failed = replace(ESTIMATE, value=None, n=0, reason="failed: its code raised X", failed=True)
    (record.folder / "estimates.json").write_bytes(canonical_json([estimate_row(failed)]))
    assert record.is_partial
    assert record.failures == ["accuracy/piqa failed: its code raised X"]


def test_every_kind_of_answer_survives_the_journal(tmp_path):
    answers = [
        Response(request_id="1", tags=("O", "B-PER"), token_count=2),
        Response(request_id="2", vector=(1.0, -0.5)),
        Response(request_id="3", label_scores={"z": 0.25, "a": 0.75}),
        Response(request_id="4", invalid="no number"),
    ]
    writer = RunWriter(tmp_path, SPEC)
    writer.append(answers)
    writer.close()
    again = RunWriter(tmp_path, SPEC)
    assert list(again.responses.values()) == answers
    assert list(again.responses["3"].label_scores) == ["z", "a"]
    again.close()


def test_a_request_of_a_kind_without_columns_is_refused():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Riddle(Request):
        kind = "riddle"

    with pytest.raises(TypeError, match="no columns for the kind riddle"):
        response_row("s", "t", "0", 0, Riddle(), Response(request_id="1"))


def test_a_package_that_is_not_installed_is_left_out_of_the_environment(monkeypatch):
    monkeypatch.setattr(environment, "_PACKAGES", ("numpy", "no-such-package"))
    packages = environment.describe_environment({"thread_count": 1})["packages"]
    assert "numpy" in packages
    assert "no-such-package" not in packages


def test_the_peak_of_memory_is_absent_where_the_system_tells_none(monkeypatch):
    assert (environment.peak_memory_bytes() or 0) > 1 << 20

    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    environment.forget_peak_memory()
    assert environment.peak_memory_bytes() is None or os.name == "nt"


def test_leaves_stand_in_the_order_of_their_names(folder):
    names = [leaf.name for leaf in leaves(folder)]
    assert names == sorted(names)


def test_a_device_is_written_to_and_never_replaced() -> None:
    """Root could replace it, and a machine without /dev/null can do little."""
    with pytest.raises(RecordError, match="Make room"):
        write_whole(Path("/dev/full"), b"text")
    assert Path("/dev/full").is_char_device()
