"""What the leaderboard reads from the store."""

import pytest
from scipy import stats

from harness.core.errors import RecordError, StoreError, UnknownName
from harness.store import Store, index_folder, locate
from leaderboard.data import queries
from leaderboard.data.pairs import difference_p
from tests.store.records import make_record


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def store(runs):
    for index, right in enumerate((0.2, 0.59, 0.6)):
        for day in (1, 2):
            make_record(
                runs,
                model=f"./models/m{index}",
                fingerprint=str(index) * 64,
                right=right,
                batch_tokens=64 * day,
                n=60,
                started_at=f"2026-11-0{day}T10:00:00+00:00",
            )
    make_record(runs, model="shots", fingerprint="9" * 64, num_fewshot=3, n=60, right=0.99)
    changed = make_record(runs, model="cheat", fingerprint="c" * 64, right=1.0, n=60)
    (changed.folder / "estimates.json").write_text("[]")
    with Store(locate(None, runs)) as opened:
        index_folder(opened, runs)
        yield opened


def test_a_checkpoint_has_one_row_its_latest_run_and_a_changed_record_is_shown_as_such(store):
    table = queries.checkpoints(store).set_index("name")
    assert sorted(table.index) == ["cheat", "m0", "m1", "m2", "shots"]
    assert table["started_at"]["m0"].startswith("2026-11-02")
    assert table["status"].to_dict() == {**dict.fromkeys(("m0", "m1", "m2", "shots"), "verified"), "cheat": "failed"}
    assert "estimates.json" in table["reason"]["cheat"]
    assert table["suites"]["m0"] == ["accuracy", "robustness"]
    assert len(queries.checkpoints(store, every_run=True)) == 8


def test_a_changed_record_has_no_score_and_ranks_nowhere(store):
    table = queries.checkpoints(store)
    cheat = table.loc[table["name"] == "cheat", "run_id"].item()
    assert queries.scores(store, [cheat]).empty
    ranking = queries.ranking(
        store, list(table["run_id"]), queries.scores(store, list(table["run_id"])), {"accuracy": 1}
    )
    assert ranking.frame.set_index("run_id")["rank"].isna()[cheat]


def test_scores_are_those_of_the_record(store, runs):
    run_id = queries.checkpoints(store)["run_id"].iloc[0]
    record = queries.record(store, run_id)
    expected = {one.suite: one for one in record.estimate_list if one.task == "overall"}
    found = queries.scores(store, [run_id]).set_index("suite")
    assert found.index.tolist() == list(expected)
    for suite, one in expected.items():
        assert (found["value"][suite], found["low"][suite], found["n"][suite]) == (one.value, one.low, one.n)
        assert found["signature"][suite] == one.signature


def test_a_run_that_was_asked_otherwise_is_set_apart_with_the_reason(store):
    table = queries.checkpoints(store)
    names = dict(zip(table["run_id"], table["name"], strict=True))
    verified = table.loc[table["status"] == "verified", "run_id"].tolist()
    apart = queries.comparability(store, verified)
    reasons = {names[run_id]: why for run_id, why in zip(apart["run_id"], apart["apart"], strict=True)}
    assert reasons.pop("shots").startswith("accuracy/birds: exemplars 0 against 3, prompts; accuracy/fish: ")
    assert set(reasons.values()) == {None}


def test_neighbours_that_the_data_cant_tell_apart_share_a_rank(store):
    table = queries.checkpoints(store)
    ids = table.set_index("name").loc[["m0", "m1", "m2", "shots"], "run_id"].tolist()
    ranks = queries.ranking(store, ids, queries.scores(store, ids), {"accuracy": 2, "robustness": 1}).frame.set_index(
        "run_id"
    )["rank"]
    assert [ranks[run_id] for run_id in ids] == [4, 2, 2, 1]


def test_samples_that_flip_are_judged_by_mcnemars_exact_test_as_compare_does(store):
    table = queries.checkpoints(store).set_index("name")
    ids = [str(table["run_id"][name]) for name in ("m0", "m1")]
    parts = queries.part_estimates(store, ids, ["robustness"])
    values = queries.scores(store, ids).set_index(["run_id", "suite"])["value"]
    changed = [
        queries.record(store, run_id).scores.query("task == 'noise'").set_index("sample_id")["value"] for run_id in ids
    ]
    flips = (changed[0] - changed[1]).loc[lambda change: change != 0]
    found = difference_p(values[ids[0], "robustness"] - values[ids[1], "robustness"], parts[ids[0]], parts[ids[1]])
    assert found == pytest.approx(stats.binomtest(int((flips > 0).sum()), len(flips)).pvalue)


def test_a_run_is_found_by_the_beginning_of_its_id_and_an_unknown_one_is_not(store):
    run_id = queries.checkpoints(store)["run_id"].iloc[0]
    assert queries.run_named(store, run_id[:6])["run_id"] == run_id
    with pytest.raises(UnknownName):
        queries.run_named(store, "nothing")


def test_a_record_that_was_changed_is_not_given(store):
    table = queries.checkpoints(store)
    with pytest.raises(RecordError, match=r"estimates\.json"):
        queries.record(store, table.loc[table["name"] == "cheat", "run_id"].item())


def test_a_store_that_isnt_there_names_the_command_that_fills_it(tmp_path):
    with pytest.raises(StoreError, match="harness index"):
        queries.open_store(None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_one_verified_run_is_listed(tmp_path):
    record = make_record(tmp_path)
    with Store(locate(None, tmp_path)) as opened:
        assert queries.checkpoints(opened).empty
        index_folder(opened, tmp_path)
        assert queries.checkpoints(opened)["run_id"].tolist() == [record.run_id]
