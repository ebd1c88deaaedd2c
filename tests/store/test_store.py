"""The contract of a store, on every database: it says what the records say, whoever writes and however often."""

import json
import shutil
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from harness.core.errors import InputError, RecordError, StoreError
from harness.decision.verdicts import RuleVerdict, Verdict, write_verdict
from harness.record.estimates import estimate_row
from harness.store import NO_STORE, Store, add_or_say, add_run, index_folder, locate
from harness.store.schema import METADATA, estimates, runs
from tests.forks import started
from tests.store.databases import emptied
from tests.store.records import make_record
from tests.store.writing import write_runs


def dump(store):
    """Every row of every table."""
    with store.reading() as connection:
        return {
            name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns.values()))
            ]
            for name, table in METADATA.tables.items()
        }


def ids(store):
    with store.reading() as connection:
        return sorted(connection.execute(select(runs.c.run_id)).scalars())


def test_an_index_built_anew_is_equal_to_the_one_that_grew_run_by_run(opened, tmp_path):
    store, folder = opened(), tmp_path / "runs"
    records = [make_record(folder, seed=seed, n=12) for seed in range(4)]
    broken = make_record(folder, seed=9, n=12)
    (broken.folder / "scores.parquet").write_bytes(b"")
    for record in [*records, broken]:
        add_run(store, record.folder)
    grown = dump(store)
    assert len(grown["runs"]) == 5
    assert len(grown["headline_values"]) == 12
    index_folder(store, folder)
    assert dump(store) == grown
    index_folder(opened(), folder)
    assert dump(store) == grown


def test_the_estimates_are_those_of_the_record(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs")
    add_run(store, record.folder)
    with store.reading() as connection:
        rows = connection.execute(select(estimates).order_by(estimates.c.position)).mappings().all()
    for row, one in zip(rows, record.estimate_list, strict=True):
        for field in ("suite", "task", "metric", "group", "value", "stderr", "low", "high", "n", "unit", "direction"):
            assert row[field] == estimate_row(one)[field]


def test_a_record_that_was_changed_is_kept_with_its_reason_and_nothing_else(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs")
    assert add_run(store, record.folder) is None
    changed = json.loads((record.folder / "estimates.json").read_text())
    changed[0]["value"] = 1.0
    (record.folder / "estimates.json").write_text(json.dumps(changed))
    assert "estimates.json" in (add_run(store, record.folder) or "")
    kept = dump(store)
    assert [(row[1], "estimates.json" in row[2]) for row in kept.pop("runs")] == [("failed", True)]
    assert not any(kept.values())


def test_a_seal_that_leaves_files_out_is_not_trusted(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs")
    seal = json.loads((record.folder / "seal.json").read_text())
    (record.folder / "seal.json").write_text(json.dumps({"format": 1, "run_id": seal["run_id"], "files": {}}))
    assert add_run(store, record.folder) is not None


def test_a_changed_copy_never_takes_the_place_of_the_verified_run(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs")
    copy = tmp_path / "copies" / record.run_id
    shutil.copytree(record.folder, copy)
    (copy / "estimates.json").write_text("[]")
    for order in ((record.folder, copy), (copy, record.folder)):
        for folder in order:
            add_run(store, folder)
        with store.reading() as connection:
            assert connection.execute(select(runs.c.status)).scalar_one() == "verified"


def test_runs_whose_folder_is_gone_leave_and_unfinished_ones_stay_out(opened, tmp_path):
    store, folder = opened(), tmp_path / "runs"
    records = [make_record(folder, seed=seed, n=6) for seed in range(3)]
    index_folder(store, folder)
    shutil.rmtree(records[0].folder)
    (records[1].folder / "seal.json").unlink()
    found = index_folder(store, folder)
    assert found.verified == (records[2].run_id,)
    assert found.unfinished == (records[1].run_id,)
    assert sorted(found.removed) == sorted(record.run_id for record in records[:2])
    assert ids(store) == [records[2].run_id]


HOSTILE = {
    "nul": "a\0b",
    "bidi": "\u202egnp.exe\u2066",
    "quotes": "'; DROP TABLE runs; --\"`",
    "markup": "<script>alert(1)</script> ![x](http://x) =cmd()",
    "escape": "\u241b0000 \u241b",
    "long": "x" * 100_000,
}


@pytest.mark.parametrize("model", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_text_survives(opened, tmp_path, model):
    store, record = opened(), make_record(tmp_path / "runs", model=model, n=4)
    assert add_run(store, record.folder) is None
    with store.reading() as connection:
        assert connection.execute(select(runs.c.model)).scalar_one() == model


def test_a_record_whose_spec_no_database_takes_is_shown_by_its_id(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs", n=4)
    spec = json.loads((record.folder / "spec.json").read_text())
    (record.folder / "spec.json").write_text(json.dumps({**spec, "model": "\ud800"}))
    assert add_run(store, record.folder) is not None
    with store.reading() as connection:
        assert connection.execute(select(runs.c.model)).scalar_one() == record.folder.name


def test_sizes_beyond_32_bits_are_kept(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs", n=4, parameter_count=2**50)
    assert add_run(store, record.folder) is None
    with store.reading() as connection:
        assert connection.execute(select(runs.c.size_bytes)).scalar_one() == 2**52


@pytest.mark.parametrize("size", [1.5, "many", [1]])
def test_a_sealed_record_that_says_nonsense_is_kept_as_failed(opened, tmp_path, size):
    store, record = opened(), make_record(tmp_path / "runs", n=4, parameter_count=size)
    assert "parameter_count" in (add_run(store, record.folder) or "")
    assert [row[1] for row in dump(store)["runs"]] == ["failed"]


def test_verdicts_beside_a_run_are_indexed_and_an_unreadable_one_counts_as_an_error(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs", n=4)
    rule = RuleVerdict(
        rule="floor",
        kind="absolute",
        severity="block",
        suite="accuracy",
        task="overall",
        metric="acc",
        verdict="FAIL",
        value=0.5,
        bound=0.9,
    )
    verdict = Verdict(
        run_id=record.run_id,
        baseline_run_id=None,
        policy="strict",
        policy_sha256="1" * 64,
        decided_at="2026-11-02T00:00:00+00:00",
        verdict="FAIL",
        rules=(rule,),
    )
    path = write_verdict(record.folder, verdict)
    assert add_run(store, record.folder) is None
    kept = dump(store)
    assert [row[3:7] for row in kept["verdicts"]] == [("strict", "1" * 64, verdict.decided_at, "FAIL")]
    assert len(kept["verdict_rules"]) == 1
    path.write_text("{}")
    assert add_run(store, record.folder) is None
    assert dump(store)["verdicts"][0][6] == "ERROR"


def test_eight_writers_at_once_lose_nothing_on_either_database(server, tmp_path):
    names = [str(tmp_path / "index.sqlite"), emptied(server)]
    own = [[str(make_record(tmp_path / "runs", seed=8 * n + k, n=4).folder) for k in range(3)] for n in range(8)]
    shared = str(make_record(tmp_path / "runs", seed=99, n=4).folder)
    # None has opened the stores before: they also race to create them.
    writers = [started(write_runs, (names, [*folders, shared])) for folders in own]
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 8
    for named in names:
        with Store(locate(named, tmp_path)) as store:
            grown = dump(store)
            assert len(grown["runs"]) == 25
            index_folder(store, tmp_path / "runs")
            assert dump(store) == grown


def delete_and_fail(store):
    with store.writing("a run") as connection:
        connection.execute(text("DELETE FROM runs"))
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_a_writer_that_fails_midway_leaves_what_was_there(opened, tmp_path):
    store, record = opened(), make_record(tmp_path / "runs", n=4)
    add_run(store, record.folder)
    before = dump(store)
    with pytest.raises(StoreError):
        delete_and_fail(store)
    assert dump(store) == before


def test_the_migrations_make_the_tables_of_the_schema(opened):
    store = opened()
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differing = [one for one in compare_metadata(context, METADATA) if "schema_versions" not in str(one)]
    assert differing == []


def test_a_store_of_a_newer_version_is_refused(opened):
    store = opened()
    with store.writing("schema") as connection:
        connection.execute(text("INSERT INTO schema_versions (number, name) VALUES (999, 'later')"))
    with pytest.raises(StoreError, match="newer version"):
        opened()


def test_an_unfinished_run_is_not_indexed(opened, tmp_path):
    record = make_record(tmp_path / "runs", n=4)
    (record.folder / "seal.json").unlink()
    with pytest.raises(RecordError, match="not finished"):
        add_run(opened(), record.folder)


def test_a_store_that_cant_be_written_is_said_with_the_command_that_mends_it(tmp_path):
    record, told = make_record(tmp_path / "runs", n=4), []
    (tmp_path / "file").write_text("")
    add_or_say(str(tmp_path / "file" / "index.sqlite"), record.folder, told.append)
    assert f"harness index {tmp_path / 'runs'} --store" in told[0]
    add_or_say(NO_STORE, record.folder, told.append)
    assert len(told) == 1


def test_the_store_and_the_runs_below_it_can_be_moved_together(tmp_path):
    record = make_record(tmp_path / "runs", n=4)
    with Store(locate(None, tmp_path / "runs")) as store:
        add_run(store, record.folder)
    moved = (tmp_path / "runs").rename(tmp_path / "moved")
    with Store(locate(None, moved)) as store:
        before = dump(store)
        assert index_folder(store, moved).removed == ()
        assert dump(store) == before


def test_a_name_that_is_no_store_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="neither"):
        locate("mysql://host/db", tmp_path)
    with pytest.raises(InputError, match="not a database URL"):
        locate("://", tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "named.sqlite"))
    assert locate(None, tmp_path).database == str(tmp_path / "named.sqlite")


def test_without_the_driver_the_error_names_the_extra_and_no_password(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"\[postgres\]") as error:
        locate("postgresql://me:secret@host/db", tmp_path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("number", [5e-324, -5e-324, 2.0**53, 1e20, 999999999999999900000.0, 1.7976931348623157e308])
def test_numbers_of_any_size_are_kept(opened, tmp_path, number):
    store, record = opened(), make_record(tmp_path / "runs", n=4, value=number)
    assert add_run(store, record.folder) is None
    of_tasks = select(estimates.c.value).where(~estimates.c.is_headline)
    with store.reading() as connection:
        assert connection.execute(of_tasks).scalars().all() == [number] * 3
