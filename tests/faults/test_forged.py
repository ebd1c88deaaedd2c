"""Records that are sound as files, sealed anew by whoever holds the folder, and yet not what their answers give."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json
from harness.decision.gate import gate
from harness.decision.policy import read_policy
from harness.record import load_record
from harness.record.journal import Journal
from harness.record.seal import read_seal, write_seal
from harness.run.rescore import rescore
from tests.decision.runs import flipped, scores_of, sealed
from tests.faults.conftest import Place

POLICY = """
format: 1
name: lenient
inconclusive: pass
rules:
  - {kind: floor, suite: mine, task: foxes, metric: acc, bound: 0.0}
"""


@pytest.fixture
def forged(undisturbed: Place, tmp_path: Path) -> Path:
    """A copy of a real run, to be forged; beside it its suite file and a policy that nearly everything passes."""
    for name in ("mine.yaml", "questions.jsonl", "texts.jsonl"):
        shutil.copy(undisturbed.folder / name, tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return Path(shutil.copytree(undisturbed.record, tmp_path / undisturbed.record.name))


def seal_anew(folder: Path) -> None:
    names = [name for name in read_seal(folder).files if name not in ("samples.merkle", "parts.json")]
    write_seal(folder, [name for name in names if (folder / name).exists()])
    assert load_record(folder).verify() == []


def edit_estimates(
    change: Callable[[list[dict[str, Any]]], Any], name: str = "estimates.json"
) -> Callable[[Path], None]:
    def forge(folder: Path) -> None:
        rows = json.loads((folder / name).read_bytes())
        change(rows)
        (folder / name).write_bytes(canonical_json(rows) + b"\n")

    return forge


def acc(**fields: Any) -> Callable[[Path], None]:
    """Other fields of the accuracy's estimate."""
    return edit_estimates(lambda rows: next(row for row in rows if row["metric"] == "acc").update(fields))


def edit_table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def forge(folder: Path) -> None:
        table = pq.read_table(folder / name)
        rows = change(table.to_pandas())
        pq.write_table(pa.Table.from_pandas(rows, schema=table.schema, preserve_index=False), folder / name)

    return forge


def without_scores(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["metric"] != "acc"]


def all_right(rows: pd.DataFrame) -> pd.DataFrame:
    rows.loc[rows["metric"] == "acc", "value"] = 1.0
    return rows


def one_is_huge(rows: pd.DataFrame) -> pd.DataFrame:
    rows.loc[rows["metric"] == "acc", "value"] = 1e308
    return rows


def one_weighs_less_than_nothing(rows: pd.DataFrame) -> pd.DataFrame:
    rows.loc[rows["metric"] == "word_perplexity", "weight"] = -1.0
    return rows


def among_the_readings(folder: Path) -> None:
    """The accuracy as if it had been read from a meter, whose readings are believed as they are."""
    (row,) = (row for row in json.loads((folder / "estimates.json").read_bytes()) if row["metric"] == "acc")
    edit_estimates(lambda rows: rows.remove(row))(folder)
    edit_estimates(lambda rows: rows.append({**row, "value": 0.99}), "measurements.json")(folder)
    edit_table("scores.parquet", without_scores)(folder)


def metric(**changes: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Another class or other parameters of the accuracy."""

    def change(rows: list[dict[str, Any]]) -> None:
        row = next(row for row in rows if row["metric"] == "acc")
        row["class"] = changes.pop("class_name", row["class"])
        row["parameters"] = changes.pop("parameters", {**row["parameters"], **changes})

    return change


def as_another_metric(value: float, **changes: Any) -> Callable[[Path], None]:
    """The accuracy as what another metric gives on its scores: both files tell the same tale."""

    def forge(folder: Path) -> None:
        edit_estimates(metric(**changes), "metrics.json")(folder)
        told = {name: changes[name] for name in ("direction", "target", "unit") if name in changes}
        acc(value=value, low=None, high=None, stderr=None, **told)(folder)

    return forge


def without_metrics(folder: Path) -> None:
    """As a version sealed it that recorded none."""
    (folder / "metrics.json").unlink()
    acc(value=0.9, low=0.85, high=0.95)(folder)


MAXIMUM = "suites.privacy.memorisation:Maximum"

CHEAP = {
    "estimate of 0.9": acc(value=0.9, low=0.85, high=0.95),
    "estimate of 0.9 without an interval": acc(value=0.9, low=None, high=None, stderr=None),
    "share of 1e308": acc(value=1e308, high=1e308),
    "share below 0": acc(value=-0.5, low=-1.0),
    "interval beyond 1": acc(high=1.5),
    "interval upside down": acc(low=0.9, high=0.1),
    "error below 0": acc(stderr=-0.1),
    "a thousand times the samples": acc(n=24000),
    "invalid samples that are hidden": acc(invalid_count=-3),
    "more ties than samples": acc(tie_count=25),
    "lower is better": acc(direction="lower"),
    "another unit": acc(unit="percent"),
    "a target": acc(direction=None, target=0.5),
    "of another model": acc(signature="model:000000000000|seed:0"),
    "of another seed": acc(signature="seed:7"),
    "of other prompts": acc(signature="requests:000000000000"),
    "number that is a text": acc(value="0.9"),
    "count that is a fraction": acc(n=23.5),
    "a field that is unknown": acc(bonus=1),
    "the same twice": edit_estimates(lambda rows: rows.append(rows[0])),
    "a metric without its estimate": edit_estimates(lambda rows: rows.pop(0)),
    "an estimate without scores": edit_table("scores.parquet", without_scores),
    "scores of 1e308": edit_table("scores.parquet", one_is_huge),
    "weights below 0": edit_table("scores.parquet", one_weighs_less_than_nothing),
    "said not to apply": acc(value=None, low=None, high=None, stderr=None, interval=None, reason="-", applies=False),
    "a score among the readings": among_the_readings,
    "a metric of another class": edit_estimates(metric(class_name=MAXIMUM), "metrics.json"),
    "a metric of another class and what it gives": as_another_metric(1.0, class_name=MAXIMUM),
    "a metric whose direction is turned": edit_estimates(metric(direction="lower"), "metrics.json"),
    "an estimate and a metric whose direction is turned": as_another_metric(0.5, direction="lower"),
    "a metric with another end": edit_estimates(metric(highest=2.0), "metrics.json"),
    "a metric of smaller groups": edit_estimates(metric(smallest_group=1), "metrics.json"),
    "a metric that can't be made again": edit_estimates(metric(parameters=None), "metrics.json"),
    "no metrics, as in an early version": without_metrics,
}
"""What a gate refuses, always."""


@pytest.mark.parametrize("name", CHEAP)
def test_a_gate_says_error_of_estimates_that_do_not_follow_from_the_scores(forged, name):
    policy = read_policy(str(forged.parent / "policy.yaml"))
    CHEAP[name](forged)
    seal_anew(forged)
    with pytest.raises(RecordError):
        gate(load_record(forged), policy)


def journal_says_something_else(folder: Path) -> None:
    """Better answers in the journal than in the tables."""
    path = folder / "journal.jsonl"
    old = Journal(path)
    old.close()
    path.unlink()
    new = Journal(path)
    new.append({**one, "loglikelihood": -1.0} if one["loglikelihood"] else one for one in old.entries)
    new.close()


def consistent_scores(folder: Path) -> None:
    """All answers right, and the estimates that follow from that."""
    edit_table("scores.parquet", all_right)(folder)
    acc(value=1.0, low=0.8620246, high=1.0, stderr=0.0)(folder)


def answers_gone(folder: Path) -> None:
    edit_table("responses.parquet", lambda rows: rows[rows["task"] != "foxes"])(folder)


def other_prompt(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[0, "context"] = "Another question"
        return rows

    edit_table("responses.parquet", change)(folder)


EXPENSIVE = {
    "answers in the journal": journal_says_something_else,
    "scores and estimates alike": consistent_scores,
    "answers that are gone": answers_gone,
    "a prompt that was never asked": other_prompt,
    "another interval": acc(low=0.0, high=1.0),
    "another error": acc(stderr=0.0001),
    "another name of the interval": acc(interval="exact"),
}
"""What only whoever scores the answers again finds."""


def test_a_run_that_nobody_forged_is_what_its_answers_give(forged):
    assert gate(load_record(forged), read_policy(str(forged.parent / "policy.yaml"))).verdict == "PASS"
    found = rescore(load_record(forged), [str(forged.parent / "mine.yaml")])
    assert (found.differences, found.left_out) == ((), {})
    assert found.rescored == ("mine/foxes", "mine/minutes")


@pytest.mark.parametrize("name", EXPENSIVE)
def test_scoring_the_answers_again_finds_what_is_sound_in_itself(forged, name):
    EXPENSIVE[name](forged)
    seal_anew(forged)
    assert not rescore(load_record(forged), [str(forged.parent / "mine.yaml")]).ok


def test_what_can_not_be_scored_again_is_named_with_its_reason(forged):
    found = rescore(load_record(forged))
    assert found.ok
    assert set(found.left_out) == {"mine/foxes", "mine/minutes"}
    (forged.parent / "questions.jsonl").write_text(
        (forged.parent / "questions.jsonl").read_text().replace("dog", "cat")
    )
    found = rescore(load_record(forged), [str(forged.parent / "mine.yaml")])
    assert found.rescored == ("mine/minutes",)
    assert found.left_out == {"mine/foxes": "its data here are not those of the run"}


def test_a_headline_is_the_mean_of_all_its_parts(tmp_path):
    values, _ = flipped(100, gained=0, lost=0)
    record = sealed(tmp_path / "runs", "a", scores_of(values))
    (tmp_path / "policy.yaml").write_text("format: 1\nname: p\nrules: [{kind: floor, suite: quiz, bound: 0.1}]\n")
    policy = read_policy(str(tmp_path / "policy.yaml"))
    assert gate(record, policy).verdict == "PASS"
    sound = (record.folder / "estimates.json").read_bytes()
    birds = [{"task": task, "metric": "acc", "weight": 1} for task in ("foxes", "birds")]
    for fields in ({"value": 0.9}, {"n": 7}, {"signature": "s"}, {"parts": []}, {"parts": birds}):
        edit_estimates(lambda rows, new=fields: rows[-1].update(new))(record.folder)
        seal_anew(record.folder)
        with pytest.raises(RecordError, match="quiz/overall/acc"):
            gate(record, policy)
        (record.folder / "estimates.json").write_bytes(sound)
    assert asdict(record.estimate_list[-1])["task"] == "overall"
