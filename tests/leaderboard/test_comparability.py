"""The leaderboard ranks together what `harness compare` compares, and sets apart what it refuses, for its reason."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from harness.core.errors import RecordError
from harness.decision.comparison import comparable, compare
from harness.store import Store, index_folder, locate, migrations
from leaderboard.data import queries
from leaderboard.data.history import history_of
from tests.store.records import SUITES, make_record


def _task(**changes):
    """Another first task."""
    return lambda spec: replace(spec, tasks=(replace(spec.tasks[0], **changes), *spec.tasks[1:]))


REFUSED = {
    "seed": lambda spec: replace(spec, seed=1),
    "chat template": lambda spec: replace(spec, apply_chat_template=True),
    "version": _task(version=2),
    "exemplars": _task(num_fewshot=3),
    "samples": _task(sample_count=39),
    "data": _task(data_sha256="e" * 64),
    "prompts": _task(requests_sha256="e" * 64),
    "definition": _task(definition_sha256="e" * 64),
    "code": _task(code_sha256="e" * 64),
    "nothing in common": lambda spec: replace(spec, tasks=spec.tasks[2:], suites=spec.suites[1:]),
}
ALLOWED = {
    "as it was": lambda spec: spec,
    "dtype": lambda spec: replace(spec, dtype="bfloat16"),
    "kind": lambda spec: replace(spec, kind="masked"),
    "versions": lambda spec: replace(spec, versions={"torch": "3"}),
    "another task besides": lambda spec: replace(
        spec, tasks=(*spec.tasks, replace(spec.tasks[0], suite="mine", task="own"))
    ),
    "its like, of other data": lambda spec: replace(
        spec, tasks=(*spec.tasks, replace(spec.tasks[0], suite="mine", task="own", data_sha256="e" * 64))
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A record for each change of a spec, by run id, and the store that indexes them; the first suite alone, too."""
    folder = tmp_path_factory.mktemp("runs")
    wanted = [(name, change, SUITES) for name, change in {**REFUSED, **ALLOWED}.items()]
    wanted += [("as it was", ALLOWED["as it was"], SUITES[:1]), ("code", REFUSED["code"], SUITES[:1])]
    records = [
        make_record(folder, model=name, fingerprint=f"{place:064d}", n=8, change=change, suites=suites)
        for place, (name, change, suites) in enumerate(wanted)
    ]
    with Store(locate(None, folder)) as store:
        index_folder(store, folder)
        yield {record.run_id: record for record in records}, store


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_whatever_compare_refuses_the_board_sets_apart_with_the_same_reason(runs, data):
    records, store = runs
    shown = data.draw(st.lists(st.sampled_from(sorted(records)), min_size=1, max_size=8, unique=True))
    reference = data.draw(st.sampled_from([None, *shown]))
    apart = queries.comparability(store, shown, reference=reference).set_index("run_id")
    together = [run_id for run_id in shown if apart["apart"][run_id] is None]
    assert reference is None or reference in together
    for one in together:
        assert all(comparable(records[one], records[other]) == [] for other in together)
    for one in set(shown) - set(together):
        against = apart["reference"][one]
        assert against in together
        assert apart["apart"][one] == "; ".join(comparable(records[against], records[one]))


@pytest.mark.parametrize(("name", "whole"), [("chat template", True), ("code", True), ("nothing in common", False)])
def test_compare_refuses_what_is_set_apart(runs, name, whole):
    records, store = runs
    of = {record.spec.model: record for record in records.values() if ("robustness" in record.spec.suites) is whole}
    first = of["as it was"]
    second = next(record for record in records.values() if record.spec.model == name)
    apart = queries.comparability(store, [first.run_id, second.run_id], reference=first.run_id)
    with pytest.raises(RecordError) as refusal:
        compare(first, second)
    assert apart["apart"].iloc[1] in str(refusal.value)


def test_scores_made_of_other_tasks_do_not_rank_though_their_tasks_compare(tmp_path):
    class Half(type(SUITES[0])):
        headline = SUITES[0].headline[:1]

    records = [
        make_record(tmp_path, n=8, fingerprint=str(place) * 64, suites=[suite])
        for place, suite in enumerate((SUITES[0], Half()))
    ]
    assert comparable(*records) == []
    (whole,) = compare(*records, groups=False).at("suite")
    assert whole.reason == "the two are means of different tasks"
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
        apart = queries.comparability(store, [one.run_id for one in records])
    assert apart["apart"].tolist() == [None, f"accuracy: {whole.reason}"]


def test_history_holds_a_run_against_the_last_that_it_may_be_compared_with(tmp_path):
    changes = (ALLOWED["as it was"], REFUSED["chat template"], ALLOWED["dtype"], REFUSED["code"])
    made = [
        make_record(tmp_path, n=8, change=change, started_at=f"2026-11-0{day}T10:00:00+00:00").run_id
        for day, change in enumerate(changes, 1)
    ]
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
        rows = history_of(store, made[0])
    before = rows.set_index(["run_id", "suite"])["previous_run_id"]
    assert [before[one, "accuracy"] for one in made] == [None, None, made[0], None]
    assert before[made[3], "robustness"] == made[2]


def test_a_store_of_an_older_form_says_that_its_runs_are_to_be_indexed_again(tmp_path, monkeypatch):
    record = make_record(tmp_path, n=8)
    with monkeypatch.context() as older:
        older.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        with Store(locate(None, tmp_path)) as store, store.writing("runs") as connection:
            connection.execute(
                text("INSERT INTO runs (run_id, status, host, folder, model) VALUES (:run, 'verified', '', :run, 'm')"),
                {"run": record.run_id},
            )
    with Store(locate(None, tmp_path)) as store:
        assert "`harness index`" in queries.comparability(store, [record.run_id])["apart"].item()
        index_folder(store, tmp_path)
        assert queries.comparability(store, [record.run_id])["apart"].item() is None
