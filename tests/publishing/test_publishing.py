"""What is published of a run is read back by the tools that it is for."""

import csv
import importlib.resources
import json
import re

import pytest
import yaml
from huggingface_hub import ModelCard
from lm_eval.utils import make_table

from harness.core.errors import UnknownName
from harness.core.scores import Estimate
from harness.decision.verdicts import RuleVerdict, Verdict, write_verdict
from harness.publishing import FORMATS, export, model_card
from tests.record.sealed import sealed_run


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return sealed_run(tmp_path_factory.mktemp("runs"))


def known(record, *, groups=True):
    return [one for one in record.estimate_list if one.value is not None and (groups or one.group is None)]


def test_the_card_is_read_back_with_every_score(record, tmp_path):
    path = tmp_path / "README.md"
    model_card(record).save(path)
    card = ModelCard.load(path)
    found = {(one.dataset_config, one.dataset_type, one.metric_type): one for one in card.data.eval_results}
    expected = {(one.suite, one.task, one.metric): one for one in known(record, groups=False)}
    assert found.keys() == expected.keys()
    for key, one in found.items():
        assert one.metric_value == expected[key].value
        assert one.metric_args["n"] == expected[key].n
    assert card.data.model_name == "model"
    sections = [line[3:] for line in card.text.splitlines() if line.startswith("## ")]
    assert sections[:4] == ["Model details", "Intended use", "Factors", "Metrics"]
    assert "attributes of the samples: sex" in card.text
    assert "fairness: not measured" in card.text
    assert "Absent (no sample counts for it): accuracy/piqa acc\\_norm" in card.text.replace("acc_norm", "acc\\_norm")


def test_what_others_wrote_is_no_markup_of_the_card(record, monkeypatch):
    hostile = "a | b\n<script>alert(1)</script> [x](http://evil)"
    monkeypatch.setattr(type(record), "checkpoint", property(lambda _: {"origin": hostile, "notes": [hostile]}))
    text = str(model_card(record))
    assert "<script>" not in text
    assert "a \\| b \\<script\\>" in text
    assert "\\[x\\]" in text


def test_csv_holds_every_score_and_no_formula(record, tmp_path, monkeypatch):
    odd = Estimate(
        suite="=1+1", task="@x", metric="-m", value=-0.5, n=1, unit="+u", direction="higher", signature="\ts"
    )
    monkeypatch.setattr(type(record), "estimate_list", property(lambda _: [odd]))
    (row,) = csv.DictReader(export(record, "csv", tmp_path / "scores.csv").open(newline=""))
    assert [row[name] for name in ("suite", "task", "metric", "unit", "signature")] == [
        "'=1+1",
        "'@x",
        "'-m",
        "'+u",
        "'\ts",
    ]
    assert (float(row["value"]), row["run_id"], row["reason"]) == (-0.5, record.run_id, "")


def test_csv_has_a_row_a_score(record, tmp_path):
    rows = list(csv.DictReader(export(record, "csv", tmp_path / "scores.csv").open(newline="")))
    assert [(row["task"], row["metric"], row["group"]) for row in rows] == [
        (one.task, one.metric, str(one.group or "")) for one in record.estimate_list
    ]


def test_lm_eval_prints_its_table_of_it(record, tmp_path):
    value = json.loads(export(record, "lm-eval", tmp_path / "results.json").read_text())
    table = make_table(value)
    assert value["results"]["piqa"]["acc,none"] == 0.4
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    (row,) = [cells for cells in rows if cells[0] == "piqa"]
    assert row[1:6] == ["1", "none", "0", "acc", "↑"]
    assert (float(row[6]), row[7], float(row[8])) == (0.4, "±", 0.1)
    assert set(value["results"]) == {"piqa", "accuracy"}


def test_every_eval_ever_has_every_score(record, tmp_path):
    value = json.loads(export(record, "every-eval-ever", tmp_path / "log.json").read_text())
    assert [one["score_details"]["score"] for one in value["evaluation_results"]] == [
        one.value for one in known(record)
    ]
    assert value["retrieved_timestamp"] == "1767323045"


def test_every_eval_ever_accepts_it(record, tmp_path):
    """Where that package is: it needs Python 3.12."""
    package = pytest.importorskip("every_eval_ever")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((importlib.resources.files(package) / "schemas" / "eval.schema.json").read_text())
    value = json.loads(export(record, "every-eval-ever", tmp_path / "log.json").read_text())
    jsonschema.Draft7Validator(schema).validate(value)


def test_mlflow_finds_its_file_store(record, tmp_path):
    run = export(record, "mlflow", tmp_path / "mlruns")
    about = yaml.safe_load((run / "meta.yaml").read_text())
    assert (about["run_id"], len(about["run_id"]), about["status"]) == (run.name, 32, 3)
    assert yaml.safe_load((run.parent / "meta.yaml").read_text())["experiment_id"] == run.parent.name
    assert (run / "metrics" / "accuracy" / "piqa" / "acc").read_text() == "1767323045000 0.4 0\n"
    assert (run / "metrics" / "accuracy" / "piqa" / "acc.n").read_text() == "1767323045000 5 0\n"
    assert (run / "metrics" / "accuracy" / "piqa" / "acc by sex_f").read_text().split()[1] == "0.4"
    assert (run / "params" / "dtype").read_text() == "float32"


def test_oscal_has_an_observation_a_score_and_a_finding_a_rule(tmp_path):
    record = sealed_run(tmp_path / "runs")
    of_rule = {"kind": "floor", "severity": "block", "suite": "accuracy", "task": "piqa", "metric": "acc"}
    said = ("FAIL", "PASS", "INCONCLUSIVE")
    rules = tuple(RuleVerdict(rule=one.lower(), verdict=one, reason=f"{one}.", **of_rule) for one in said)
    write_verdict(
        record.folder,
        Verdict(
            run_id=record.run_id,
            baseline_run_id=None,
            policy="ours",
            policy_sha256="a" * 64,
            decided_at="2026-11-27T10:00:00+00:00",
            verdict="FAIL",
            rules=rules,
        ),
    )
    text = export(record, "oscal", tmp_path / "oscal.json").read_text()
    assert export(record, "oscal", tmp_path / "again.json").read_text() == text
    document = json.loads(text)["assessment-results"]
    (result,) = document["results"]
    titles = {one["title"]: one["uuid"] for one in result["observations"]}
    assert titles.keys() == {f"{one.suite}/{one.task}/{one.metric}" for one in known(record, groups=False)}
    told = {one["title"]: one["description"] for one in result["observations"]}
    assert told["accuracy/piqa/acc"].startswith("Accuracy, PIQA (physical commonsense), accuracy: ")
    states = [one["target"]["status"] for one in result["findings"]]
    assert [(one["state"], one["reason"]) for one in states] == [
        ("not-satisfied", "fail"), ("satisfied", "pass"), ("not-satisfied", "other")
    ]  # fmt: skip
    related = [one["related-observations"][0]["observation-uuid"] for one in result["findings"]]
    assert related == [titles["accuracy/piqa/acc"]] * 3
    # The pattern of the published schema for ids, each of which names one thing.
    ids = re.findall(r'"uuid": "(.*?)"', text)
    assert len(set(ids)) == len(ids)
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in ids
    )
    assert document["import-ap"]["href"][1:] in ids


def test_oscal_models_accept_it(record, tmp_path):
    """Where that package is."""
    models = pytest.importorskip("trestle.oscal.assessment_results")
    value = json.loads(export(record, "oscal", tmp_path / "oscal.json").read_text())
    models.Model.model_validate(value)


def test_an_unknown_format_is_refused(record, tmp_path):
    assert set(FORMATS) == {"csv", "every-eval-ever", "lm-eval", "mlflow", "oscal"}
    with pytest.raises(UnknownName, match="did you mean mlflow"):
        export(record, "mlflw", tmp_path / "x")
