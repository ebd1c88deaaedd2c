"""Each sample of a run is a leaf, and a change of it, or of any field of the run, is named."""

import json
import math

import pandas as pd
import pytest

from harness.core.attributions import AttributionSettings
from harness.core.errors import RecordError
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import (
    Attribute,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
)
from harness.core.text.hashing import canonical_json, digest
from harness.core.training.lessons import Lessons
from harness.core.training.requests import TunedLoglikelihood
from harness.record import RunSpec, load_record
from harness.record.changes import changes, other_files
from harness.record.codec import request_of
from harness.record.merkle import inclusion_path, leaf_hash, root_from_path
from harness.record.samples import samples
from harness.record.seal import read_leaves, read_seal
from harness.record.tables import response_row
from tests.record.sealed import sealed_run

MADE = ("samples.merkle", "parts.json")


@pytest.fixture
def record(tmp_path):
    return sealed_run(tmp_path)


def found(record):
    return {one.file: " | ".join(one.parts) or one.fault for one in changes(record.folder)}


def rewrite(path, change):
    value = json.loads(path.read_bytes())
    change(value)
    path.write_bytes(canonical_json(value) + b"\n")


def test_the_seal_holds_the_root_over_all_samples(record):
    seal, leaves = read_seal(record.folder), read_leaves(record.folder)
    assert (seal.sample_count, len(leaves)) == (5, 5)
    digests = [bytes.fromhex(leaf.sha256) for leaf in leaves]
    for index, sample in enumerate(samples(record.folder)):
        assert digests[index] == leaf_hash(canonical_json(sample))
        path = inclusion_path(digests, index)
        assert root_from_path(digests[index], index, 5, path).hex() == seal.root
        sample["scores"][0]["value"] = 0.5
        assert root_from_path(leaf_hash(canonical_json(sample)), index, 5, path).hex() != seal.root


def test_a_sample_is_its_requests_its_answers_and_its_scores(record):
    first = samples(record.folder)[0]
    assert {name: first[name] for name in ("suite", "task", "sample_id")} == {
        "suite": "accuracy",
        "task": "piqa",
        "sample_id": "0",
    }
    assert [row["kind"] for row in first["responses"]] == ["loglikelihood", "generate_until"]
    assert first["responses"][1]["text"] == "中文 =1+1"
    assert first["scores"] == [
        {"metric": "acc", "value": 0.0, "weight": 1.0, "tie": False, "groups": [["sex", "f"]], "truncated": False},
    ]


def test_numbers_that_json_lacks_have_a_leaf_too(record):
    table = pd.read_parquet(record.folder / "scores.parquet").drop(columns="groups")
    table["weight"] = [math.nan, math.inf, -math.inf, 1.0, -0.0]
    table.to_parquet(record.folder / "scores.parquet")
    weights = [sample["scores"][0].get("weight") for sample in samples(record.folder)]
    assert weights[1:4] == ["Infinity", "-Infinity", 1.0]


def test_an_unchanged_run_has_no_changes(record):
    assert changes(record.folder) == []
    assert other_files(record.folder) == []


def test_changed_added_and_lost_samples_are_named(record):
    path = record.folder / "responses.parquet"
    table = pd.read_parquet(path)
    table.loc[2, "loglikelihood"] = -0.1
    table.loc[9, "sample_id"] = "9"
    table[table["sample_id"] != "3"].to_parquet(path, index=False)
    named = found(record)["responses.parquet"]
    # Sample 3 lost its answers and keeps its scores.
    assert named == (
        "sample accuracy/piqa/1 | sample accuracy/piqa/3 | sample accuracy/piqa/4 | sample accuracy/piqa/9 is new"
    )


def test_rewriting_a_table_alone_names_no_sample(record):
    path = record.folder / "responses.parquet"
    pd.read_parquet(path).to_parquet(path, compression="gzip")
    assert found(record) == {"responses.parquet": "no sample in it"}


def test_fields_rows_and_lines_are_named(record):
    rewrite(record.folder / "estimates.json", lambda rows: rows[1].update(value=0.9))
    rewrite(record.folder / "spec.json", lambda spec: (spec.update(seed=1), spec["tasks"][0].update(limit=7)))
    rewrite(record.folder / "checkpoint.json", lambda one: (one.pop("notes"), one.update(more=1)))
    journal = (record.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    changed = journal[3].replace(b"1+1", b"1+2")
    (record.folder / "journal.jsonl").write_bytes(b"".join([*journal[:3], changed, *journal[5:]]))
    (record.folder / "engine.json").write_text("{")
    (record.folder / "measurements.json").unlink()
    assert found(record) == {
        "estimates.json": "row 2 (accuracy/piqa/acc/sex=f)",
        "spec.json": "the field seed | tasks 0 (accuracy/piqa)",
        "checkpoint.json": "the field more is new | the field notes is gone",
        "journal.jsonl": "line 4 | 1 of 10 lines are gone",
        "engine.json": "it is no JSON any more",
        "measurements.json": "is missing",
    }


def test_a_seal_that_was_made_to_fit_is_found_out(record):
    rewrite(record.folder / "seal.json", lambda seal: seal["samples"].update(root="0" * 64))
    assert found(record) == {"seal.json": "was changed after the run"}
    assert record.verify() == ["seal.json was changed after the run"]


def test_a_seal_whose_root_is_not_that_of_its_samples_is_found_out(record):
    from harness.core.text.hashing import digest

    def lie(seal):
        seal["samples"]["root"] = "0" * 64
        seal["digest"] = digest({name: part for name, part in seal.items() if name != "digest"})

    rewrite(record.folder / "seal.json", lie)
    assert record.verify() == []
    assert found(record) == {"seal.json": "holds another root than that of its samples"}


def test_the_seal_of_another_run_is_found_out(record):
    def of_another(seal):
        seal["run_id"] = "0123456789ab"
        seal["digest"] = digest({name: part for name, part in seal.items() if name != "digest"})

    rewrite(record.folder / "seal.json", of_another)
    (told,) = record.verify()
    assert told == f"seal.json is the seal of another run: 0123456789ab, where spec.json gives {record.run_id}"
    (one,) = changes(record.folder)
    assert "is the seal of another run" in one.fault


def test_a_spec_of_an_earlier_version_is_no_change(tmp_path, monkeypatch):
    """One that lacks a field which this version has: its id is still that of what stands in the file."""
    whole = RunSpec.to_json

    def earlier(spec):
        return {name: value for name, value in whole(spec).items() if name != "source_language"}

    monkeypatch.setattr(RunSpec, "to_json", earlier)
    record = sealed_run(tmp_path)
    monkeypatch.undo()
    assert "source_language" not in json.loads((record.folder / "spec.json").read_bytes())
    assert load_record(record.folder).spec.run_id != record.folder.name
    assert changes(record.folder) == []


def test_a_seal_of_a_later_version_is_refused(record):
    rewrite(record.folder / "seal.json", lambda seal: seal.update(format=9))
    with pytest.raises(RecordError, match="format 9"):
        record.verify()


def test_files_that_nobody_sealed_are_listed(record):
    (record.folder / "note.txt").write_text("mine")
    (record.folder / "gates").mkdir()
    (record.folder / "gates" / "policy.json").write_text("{}")
    assert other_files(record.folder) == ["note.txt"]
    assert changes(record.folder) == []


REQUESTS: list[Request] = [
    Loglikelihood(context="", continuation=" b"),
    LoglikelihoodRolling(text="a text", max_length=8, stride=2),
    TokenLoglikelihoods(text="a text", max_tokens=3),
    Divergence(text="a text", reference="f", max_tokens=3),
    ReferenceLoglikelihood(context="a", continuation=" b", reference="f"),
    TunedLoglikelihood(
        context="a", continuation=" b", lessons=Lessons(task="t", seed=3, rows=(("a", " b"), ("c", " d")))
    ),
    PseudoLoglikelihood(text="a text"),
    GenerateUntil(context="a", until=("\n", "。"), max_tokens=9, temperature=0.7, top_p=0.9, seed=3, num_beams=2),
    GenerateUntil(context="a"),
    Classify(text="a", text_pair="b"),
    Classify(text="a"),
    Tag(words=("two words", "x")),
    Embed(text="a"),
    Attribute(context="a b", continuations=(" c", " d"), methods=("x",), settings=AttributionSettings(seed=4)),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.kind)
def test_a_row_holds_the_whole_request(request_):
    row = response_row("suite", "task", "0", 0, request_, Response(request_id=request_.id))
    assert request_of(row) == request_


def test_a_row_of_another_request_is_refused():
    row = response_row("suite", "task", "7", 0, REQUESTS[0], Response(request_id=REQUESTS[0].id))
    with pytest.raises(RecordError, match="suite/task/7: its request is not the one"):
        request_of({**row, "continuation": " c"})
    with pytest.raises(RecordError, match="holds no request"):
        request_of({**row, "settings": "[1]"})
    with pytest.raises(RecordError, match="whole request"):
        request_of({name: value for name, value in row.items() if name != "settings"})


def test_requests_survive_the_file(record):
    table = load_record(record.folder).samples.astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    assert {request_of(row).kind for row in rows} == {"loglikelihood", "generate_until"}
