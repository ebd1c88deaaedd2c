"""What a notebook gets: frames, their columns, cards and charts of sealed runs."""

import json
import logging

import pandas as pd
import pytest

import harness
from harness.core.errors import InputError, RecordError, UnknownName
from harness.core.text.hashing import canonical_json
from harness.record.notebook.columns import COLUMNS
from tests.decision.runs import reading, run_spec, scores_of, seal_anew, sealed

HOSTILE = "<script>alert(1)</script>"


def dated(record, day):
    (record.folder / "environment.json").write_bytes(
        canonical_json({"packages": {}, "started_at": f"2026-03-{day:02d}T00:00:00+00:00"}) + b"\n"
    )
    return seal_anew(record)


@pytest.fixture
def pair(tmp_path):
    """Two runs, 20 and 30 right of 40; the worse one is the younger."""
    better = sealed(tmp_path / "runs", "a", scores_of([1.0] * 30 + [0.0] * 10), measurements=[reading(9.0)])
    worse = sealed(tmp_path / "runs", "b", scores_of([1.0] * 20 + [0.0] * 20), measurements=[reading(5.0)])
    return dated(better, 1), dated(worse, 2)


def test_headlines_tasks_and_groups_make_up_the_estimates(pair):
    record = pair[0]
    parts = pd.concat([record.task_estimates, record.group_estimates, record.headlines])
    assert sorted(map(repr, parts.itertuples(index=False))) == sorted(
        map(repr, record.estimates.itertuples(index=False))
    )
    assert record.headlines["value"].tolist() == [0.75]
    assert record.group_estimates["group"].tolist() == ["sex=female", "sex=male"]
    assert record.task_estimates["metric"].tolist()[0] == "acc"


def test_every_column_of_every_frame_has_a_meaning(pair, policy):
    better, worse = pair
    verdict = harness.gate(worse, policy({"kind": "floor", "suite": "quiz", "bound": 0.1}))
    frames = {
        "estimates": better.estimates,
        "in_context": harness.in_context(worse, better),
        "scores": better.scores,
        "samples": better.samples,
        "attributions": better.attributions,
        "comparison": harness.compare(better, worse).frame,
        "verdict": verdict.frame,
    }
    assert {name: list(meanings) for name, meanings in COLUMNS.items()} == {
        name: list(frame.columns) for name, frame in frames.items()
    }
    assert harness.columns("headlines").equals(harness.columns("estimates"))
    assert harness.columns("scores")["meaning"].str.len().min() > 0
    with pytest.raises(UnknownName, match="did you mean scores"):
        harness.columns("score")


def test_the_runs_of_a_folder_are_read_in_the_order_of_their_dates(pair, tmp_path, caplog):
    unfinished = harness.record.RunWriter(tmp_path / "runs", run_spec("c"))
    unfinished.close()
    with caplog.at_level(logging.WARNING):
        found = harness.load_records(tmp_path / "runs")
    assert [one.run_id for one in found] == [one.run_id for one in pair]
    assert str(unfinished.folder) in caplog.text
    assert "not finished" in caplog.text
    with pytest.raises(RecordError, match="no such folder"):
        harness.load_records(tmp_path / "rums")


def test_a_comparison_and_a_verdict_are_frames(pair, tmp_path, policy):
    better, worse = pair
    found = harness.compare(better, worse)
    assert found.frame["level"].tolist()[0] == "suite"
    assert found.frame["difference"].tolist()[0] == pytest.approx(-0.25)
    assert len(found.frame) == len(found.differences)
    judged = harness.gate(worse, policy({"kind": "floor", "suite": "quiz", "bound": 0.9}))
    assert judged.frame["verdict"].tolist() == ["FAIL"]
    by_name = harness.gate(worse, tmp_path / "policy.yaml")
    assert by_name.rules == judged.rules


def test_cards_say_the_headline_and_show_foreign_texts_as_texts(pair, tmp_path, policy):
    better, worse = pair
    assert "0.7500" in better._repr_html_()
    assert "better" in harness.compare(worse, better)._repr_html_()
    judged = harness.gate(worse, policy({"kind": "floor", "suite": "quiz", "bound": 0.9}))
    assert "1 of 1 rules decided" in judged._repr_html_()
    foreign = sealed(tmp_path / "foreign", "d", scores_of([1.0, 0.0]), model=HOSTILE)
    cards = (foreign._repr_html_(), harness.compare(foreign, foreign)._repr_html_())
    for card in cards:
        assert "&lt;script&gt;" in card
        assert HOSTILE not in card


def test_a_run_without_headlines_shows_a_score_of_each_task(tmp_path):
    card = sealed(tmp_path / "runs", "d", scores_of([1.0, 0.0, 1.0]), task="wolves")._repr_html_()
    assert "quiz/wolves" in card
    assert "0.6667" in card


def test_a_folders_name_is_no_record_and_it_is_said_how_to_read_one(pair, policy):
    record, _ = pair
    rules = policy({"kind": "floor", "suite": "quiz", "bound": 0.9})
    for call in (
        lambda: harness.compare(record, "runs/a"),
        lambda: harness.gate("runs/a", rules),
        lambda: harness.plot("runs/a"),
        lambda: harness.plot([record, "runs/a"]),
    ):
        with pytest.raises(InputError, match=r"'runs/a': is not a record\. harness\.load_record"):
            call()


def test_an_unfinished_run_has_a_card_too(tmp_path):
    writer = harness.record.RunWriter(tmp_path / "runs", run_spec("c"))
    writer.close()
    assert "No scores yet" in harness.load_record(writer.folder)._repr_html_()


def drawn(chart):
    """The rows that a chart draws, all of them."""
    return [row for rows in json.loads(chart.to_json())["datasets"].values() for row in rows]


def test_charts_draw_the_scores(pair):
    better, worse = pair
    rows = drawn(harness.plot(pair))
    assert {row["value"] for row in rows} == {0.75, 0.5}
    over_time = [row for row in drawn(harness.plot(pair, y="quiz/foxes/acc/sex=male")) if "started_at" in row]
    assert [row["value"] for row in over_time] == pytest.approx([0.75, 0.5])
    assert over_time[0]["started_at"] < over_time[1]["started_at"]
    energy = f"{reading(1).suite}/{reading(1).task}/{reading(1).metric}"
    points = [row for row in drawn(harness.plot(pair, x=energy, y="quiz")) if "y" in row]
    assert {(row["x"], row["y"]) for row in points} == {(9.0, 0.75), (5.0, 0.5)}
    assert drawn(better.plot()) != drawn(worse.plot())


def test_a_training_is_drawn_along_its_steps(tmp_path):
    """Runs in the order of their steps, whenever they were evaluated; a run of no known step is left out."""
    late = dated(sealed(tmp_path / "runs", "a", scores_of([1.0]), lineage="pretrain", step=2000), 1)
    early = dated(sealed(tmp_path / "runs", "b", scores_of([0.0]), lineage="pretrain", step=500), 2)
    other = dated(sealed(tmp_path / "runs", "c", scores_of([1.0])), 3)
    rows = [row for row in drawn(harness.plot([late, early, other], x="step", y="quiz")) if "step" in row]
    assert [(row["step"], row["value"], row["series"]) for row in rows] == [
        (500, 0.0, "pretrain"),
        (2000, 1.0, "pretrain"),
    ]
    with pytest.raises(InputError, match="at which step"):
        harness.plot([other], x="step", y="quiz")


def test_a_chart_of_nothing_is_refused(pair):
    with pytest.raises(UnknownName, match="did you mean quiz"):
        harness.plot(pair, y="quizz")
    with pytest.raises(InputError, match="no runs"):
        harness.plot([])


def test_all_that_is_public_is_listed_and_there():
    assert set(harness.__all__) <= set(dir(harness))
    assert all(getattr(harness, name).__doc__ for name in harness.__all__)
