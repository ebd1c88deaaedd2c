"""`harness eval` and what it leaves behind, end to end on a tiny checkpoint; tests/faults kills and interrupts it."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from safetensors.torch import load_file, save_file

from harness.record import load_record

FIELDS = {"suite", "task", "metric", "value", "stderr", "low", "high", "n", "unit", "basis", "signature"}


def evaluate(harness, model, suite, *more, **environment):
    return harness("eval", "--model", model, "--suite", suite, "--meter", "none", *more, **environment)


def test_eval_prints_a_table_and_leaves_a_sealed_record(harness, tiny_llama, suite_file, tmp_path):
    finished = evaluate(harness, tiny_llama, suite_file)
    assert finished.returncode == 0, finished.stderr
    for word in ("foxes", "acc_norm", "bits_per_byte", "stderr", "24", "measured"):
        assert word in finished.stdout
    (folder,) = (tmp_path / "runs").glob("*/")
    record = load_record(folder)
    assert record.verify() == []
    assert set(record.scores["sample_id"][record.scores["task"] == "foxes"].value_counts()) == {2}


def test_json_is_one_document_and_nothing_else(harness_here, tiny_llama, suite_file):
    finished = evaluate(harness_here, tiny_llama, suite_file, "--json")
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert finished.stderr == ""
    for estimate in result["estimates"]:
        assert estimate.keys() >= FIELDS
        assert ("direction" in estimate) or ("target" in estimate)
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_a_finished_run_returns_at_once_with_the_same_results(harness_here, tiny_llama, suite_file, tmp_path):
    first = evaluate(harness_here, tiny_llama, suite_file, "--json")
    (folder,) = (tmp_path / "runs").glob("*/")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    second = evaluate(harness_here, tiny_llama, suite_file, "--json")
    assert second.stdout == first.stdout
    assert "finished already" in second.stderr
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_show_and_runs_find_the_run_again(harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    listed = json.loads(harness_here("runs", "--json").stdout)
    assert [(row["run_id"], row["state"]) for row in listed] == [(folder.name, "sealed")]
    shown = harness_here("show", folder.name[:4], "--samples", "--task", "foxes", "--limit", "2", "--json")
    samples = json.loads(shown.stdout)["samples"]
    assert len(samples) == 6
    assert all(row["continuation"].startswith(" ") and row["loglikelihood"] < 0 for row in samples)
    assert "Question: Where does the fox" in harness_here("show", folder, "--samples").stdout
    (folder / "scores.parquet").write_bytes(b"other")
    changed = harness_here("show", folder.name)
    assert changed.returncode == 2
    assert "scores.parquet was changed after the run" in changed.stderr


def test_a_damaged_run_is_named_and_the_others_are_still_listed(harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "spec.json").write_text("{")
    listed = harness_here("runs", "--json")
    assert [row["run_id"] for row in json.loads(listed.stdout)] == [folder.name]
    assert listed.returncode == 2
    assert "broken/spec.json: is not JSON" in listed.stderr
    (tmp_path / "empty").mkdir()
    assert "no runs in" in harness_here("runs", "--records", tmp_path / "empty").stdout


def test_a_run_without_its_seal_is_never_shown_as_sealed(harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    (folder / "seal.json").unlink()
    refused(harness_here("show", folder.name), folder.name, "the run is not finished")


def test_a_pipe_that_is_not_utf8_gets_escapes_and_no_traceback(harness, harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    shown = harness("show", folder, PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert "\\xb1 stderr" in shown.stdout


def test_a_name_too_long_for_a_path_is_no_run(harness_here):
    refused(harness_here("show", "a" * 5000), "no such run")
    refused(harness_here("runs", "--output", "a" * 5000), "can't be read")


def test_an_id_that_several_runs_begin_with_is_refused(harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    shutil.copytree(folder, folder.with_name(folder.name[:4] + "00000000"))
    refused(harness_here("show", folder.name[:4]), "begins 2 ids of runs", "Give more of the id")


def test_budgets_give_the_same_scores(harness_here, tiny_llama, suite_file, tmp_path):
    tables = []
    for budget in (64, 1000, 10_000):
        finished = evaluate(
            harness_here, tiny_llama, suite_file, "--batch-tokens", budget, "--output", tmp_path / str(budget)
        )
        assert finished.returncode == 0, finished.stderr
        (folder,) = (tmp_path / str(budget)).glob("*/")
        tables.append(load_record(folder))
    for record in tables[1:]:
        assert record.samples["loglikelihood"].to_numpy() == pytest.approx(
            tables[0].samples["loglikelihood"].to_numpy(), abs=5e-4
        )
        chosen = record.scores["task"] == "foxes"
        assert record.scores[chosen].equals(tables[0].scores[chosen])


def test_nothing_but_the_output_folder_is_written(harness_here, tiny_llama, suite_file, tmp_path):
    before = set(tmp_path.rglob("*"))
    evaluate(harness_here, tiny_llama, suite_file, "--output", tmp_path / "out")
    new = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path not in before}
    assert new == {"out"}


def test_the_chat_template_is_used_on_request_alone(harness_here, tiny_llama, suite_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain, chat = (
        load_record(json.loads(evaluate(harness_here, tiny_llama, suite_file, "--json", *flag).stdout)["folder"])
        for flag in ((), ("--apply-chat-template",))
    )
    changed = plain.samples["loglikelihood"] != chat.samples["loglikelihood"]
    assert changed.equals(plain.samples["task"] == "foxes")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--suite", "acuracy"), ("acuracy", "did you mean accuracy")),
        (("--task", "piqqa"), ("piqqa", "did you mean piqa")),
        (("--task", "piqa", "--limit", "0"), ("--limit",)),
        (("--task", "piqa", "--limit", "-3"), ("--limit",)),
        (("--task", "piqa", "--limit", "some"), ("--limit some", "`all`")),
        (("--task", "piqa", "--num-fewshot", "-1"), ("--num-fewshot",)),
        (("--task", "piqa", "--batch-tokens", "0"), ("--batch-tokens",)),
        (("--task", "piqa", "--dtype", "float31"), ("float31",)),
        (("--task", "piqa", "--device", "cuda:7"), ("--device cuda:7", "harness doctor")),
        (("--task", "piqa", "--meter", "codecarbn"), ("codecarbn", "did you mean codecarbon")),
        (("--suite", "nowhere.yaml"), ("nowhere.yaml",)),
    ],
)
def test_a_bad_option_is_one_clear_line(harness_here, tiny_llama, arguments, words):
    refused(harness_here("eval", "--model", tiny_llama, *arguments), *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ("empty",)),
        ('{"question": "q", "options": ["a", "b"]}\n', ("gold",)),
        ('{"question": "q", "options": ["a", "b"], "gold": 2}\n', ("gold", "2")),
        ('{"question": "q", "options": ["a", "b"], "gold": 0}\n{"question": \n', ("2",)),
        (b'{"question": "\xff\xfe", "options": ["a", "b"], "gold": 0}\n', ("UTF-8",)),
    ],
)
def test_bad_data_is_one_clear_line_that_names_the_file(harness_here, tiny_llama, suite_file, content, words):
    content = content if isinstance(content, bytes) else content.encode()
    (suite_file.parent / "questions.jsonl").write_bytes(content)
    refused(evaluate(harness_here, tiny_llama, suite_file), "questions.jsonl", *words)


def test_a_folder_that_can_not_be_written_is_one_clear_line(harness_here, tiny_llama, suite_file, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(evaluate(harness_here, tiny_llama, suite_file, "--output", tmp_path / "file" / "runs"), "--out")


def test_no_network_and_an_empty_cache_say_which_command_fills_it(harness_here, tiny_llama, tmp_path):
    finished = harness_here(
        "eval", "--model", tiny_llama, "--task", "piqa", "--offline", HARNESS_CACHE=str(tmp_path / "empty")
    )
    refused(finished, "harness data fetch piqa")


def refused(finished: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Exit code 2, one line on standard error that holds the words, nothing on standard output."""
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == ""
    assert finished.stderr.count("\n") == 1
    assert finished.stderr.startswith("harness: ")
    for word in words:
        assert word in finished.stderr


def test_a_finished_run_that_was_changed_is_not_shown_as_a_result(harness_here, tiny_llama, suite_file, tmp_path):
    evaluate(harness_here, tiny_llama, suite_file)
    (folder,) = (tmp_path / "runs").glob("*/")
    estimates = folder / "estimates.json"
    estimates.write_text(estimates.read_text().replace("0.", "0.9", 1))
    refused(evaluate(harness_here, tiny_llama, suite_file), "estimates.json was changed after the run", "Delete")


def test_what_trusted_code_prints_does_not_spoil_the_json(harness_here, tiny_llama, suite_file):
    metric = """
import evaluate
import datasets

class Talkative(evaluate.Metric):
    def _info(self):
        features = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
        return evaluate.MetricInfo(description="d", citation="c", inputs_description="i", features=features)

    def _compute(self, predictions, references):
        print("hello from a metric")
        return {"talkative": sum(p == r for p, r in zip(predictions, references)) / len(references)}
"""
    (suite_file.parent / "talkative.py").write_text(metric)
    suite_file.write_text(suite_file.read_text().replace("[acc, acc_norm]", "[acc, evaluate:./talkative.py]"))
    refused(evaluate(harness_here, tiny_llama, suite_file, "--json"), "talkative.py", "--trust-metric-code")
    finished = evaluate(harness_here, tiny_llama, suite_file, "--json", "--trust-metric-code")
    assert finished.returncode == 0, finished.stderr
    assert "hello from a metric" in finished.stderr
    values = {row["metric"]: row["value"] for row in json.loads(finished.stdout)["estimates"]}
    assert values["talkative"] == pytest.approx(values["acc"])


def test_a_reader_that_has_seen_enough_is_no_failure(tiny_llama, suite_file, tmp_path):
    command = f"{sys.executable} -m harness tasks | head -n 1"
    finished = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, check=False, capture_output=True)
    assert finished.returncode == 0, finished.stderr


def test_several_checkpoints_of_a_training_end_side_by_side(harness_here, tiny_llama, suite_file, tmp_path):
    folders = [tmp_path / "my-training" / f"checkpoint-{step}" for step in (100, 1200)]
    for folder, step in zip(folders, (100, 1200), strict=True):
        shutil.copytree(tiny_llama, folder)
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    (folders[1] / "generation_config.json").write_text('{"repetition_penalty": 1.5}')
    models = [part for folder in folders for part in ("--model", folder)]
    finished = harness_here("eval", *models, "--suite", suite_file, "--meter", "none", "--tag", "lr=3e-4")
    assert finished.returncode == 0, finished.stderr
    table = finished.stdout.partition("side by side")[2]
    assert "step 100" in table
    assert "step 1200" in table
    assert re.search(r"foxes acc +0\.\d+ ± 0\.\d+ +0\.\d+ ± 0\.\d+ +↑", table)
    assert re.search(r"harness compare \w{12} \w{12}", table)
    listed = harness_here("runs").stdout
    assert "my-training" in listed
    assert "lr=3e-4" in listed
    refused(harness_here("eval", *models, "--step", "5"), "--step 5", "is the step of one checkpoint")
    # One that can't be loaded takes nothing from those before it; one that is named twice isn't held against itself.
    weights = load_file(folders[1] / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, folders[1] / "model.safetensors", {"format": "pt"})
    finished = harness_here("eval", *models[:2], *models, "--suite", suite_file, "--meter", "none", "--tag", "lr=3e-4")
    assert finished.returncode == 2
    assert "NaN" in finished.stderr
    assert finished.stdout.count("record: ") == 1
    assert "side by side" not in finished.stdout
