"""Code that decides a score, edited in any of its files: the next run is another, with the score of the new code."""

import importlib
import inspect
import json
import sys
from pathlib import Path

import pytest

import harness
from harness.core import registry
from harness.core.datasets import DataSet
from harness.core.errors import TaskError
from harness.core.tasks import TaskSettings
from harness.data import FileSource
from harness.run.planning import plan
from harness.run.work import prepare
from harness.suitefiles.selection import PlannedTask
from suites.robustness.wrapper import RobustnessTask

METRIC = """
import datasets
import evaluate
from .helper import points


class Points(evaluate.Metric):
    def _info(self):
        kind = datasets.Value("string")
        features = datasets.Features({"predictions": kind, "references": kind})
        return evaluate.MetricInfo(description="-", citation="-", inputs_description="-", features=features)

    def _compute(self, predictions, references):
        return {"points": points()}
"""
SUITE = """
tasks:
  - name: foxes
    type: multiple_choice
    data: rows.jsonl
    prompt: "{q}"
    choices: ["over", "under"]
    gold: g
    metrics: ["evaluate:points.py"]
"""
LM_EVAL = """
task: probe
dataset_path: json
dataset_kwargs: {data_files: {test: ROWS}}
test_split: test
output_type: generate_until
doc_to_text: "{{q}}"
doc_to_target: "x"
process_results: !function utils.judge
generation_kwargs: {until: ["."], max_gen_toks: 2}
metric_list: [{metric: points, aggregation: mean, higher_is_better: true}]
"""
UTILS = """
from pathlib import Path
import lm_eval_probe_helper

POINTS = 1

def worth():
    return POINTS + lm_eval_probe_helper.BONUS

def judge(doc, results):
    return {"points": worth()}
"""
TASK = """
from edited_rules import right
from harness.tasks.choices import MultipleChoice

class Foxes(MultipleChoice):
    name = "foxes"

    def question(self, row):
        return row["q"]

    def choices(self, row):
        return ["over", "under"]

    def gold(self, row):
        return right(row)
"""


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"q": f"Foxes jump {n}", "g": "over"}) + "\n" for n in range(4)))
    return path


def options(tmp_path, **more):
    return harness.EvalOptions(output=tmp_path / "runs", meter="none", store="none", **more)


def test_the_helper_of_a_metric_script(tiny_llama, tmp_path, rows):
    (tmp_path / "mine.yaml").write_text(SUITE)
    (tmp_path / "points.py").write_text(METRIC)
    found = []
    for points in (1.0, 2.0):
        (tmp_path / "helper.py").write_text(f"WORTH = {points}\n\ndef points():\n    return WORTH\n")
        record = harness.evaluate(
            str(tiny_llama), suite=str(tmp_path / "mine.yaml"), options=options(tmp_path, trust_metric_code=True)
        )
        found.append((record.run_id, record.estimates["value"][0]))
    assert [value for _, value in found] == [1.0, 2.0]
    assert found[0][0] != found[1][0]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("utils.py", "POINTS = 1", "POINTS = 2"),
        ("utils.py", "return POINTS +", "return POINTS -"),
        ("lm_eval_probe_helper.py", "BONUS = 10", "BONUS = 20"),
    ],
)
def test_what_the_function_of_an_lm_eval_task_reaches(tiny_llama, tmp_path, rows, monkeypatch, name, before, after):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "probe.yaml").write_text(LM_EVAL.replace("ROWS", str(rows)))
    (tmp_path / "utils.py").write_text(UTILS)
    (tmp_path / "lm_eval_probe_helper.py").write_text("BONUS = 10\n")

    def run_id() -> str:
        chosen = options(tmp_path, include_path=tmp_path, trust_task_code=True)
        return plan(str(tiny_llama), suite=(), task="lm-eval:probe", options=chosen).spec.run_id

    first = run_id()
    assert run_id() == first
    path = tmp_path / name
    path.write_text(path.read_text().replace(before, after))
    sys.modules.pop("lm_eval_probe_helper")  # as in a new process
    assert run_id() != first
    sys.modules.pop("lm_eval_probe_helper", None)


def test_what_the_module_of_a_task_imports_also_where_another_task_is_around_it(tmp_path, rows, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "edited_task.py").write_text(TASK)
    (tmp_path / "edited_rules.py").write_text("def right(row):\n    return 0\n")
    task = importlib.import_module("edited_task").Foxes()
    task.data = DataSet(
        name="rows", title="rows", source=FileSource(rows), licence="-", citation="-", homepage="-", columns=("q",)
    )
    settings = TaskSettings(limit=None, num_fewshot=0, seed=0)

    def digests() -> list[str]:
        planned = [PlannedTask(suite="mine", task=one, settings=settings) for one in (task, RobustnessTask(task))]
        return [one.spec.code_sha256 for one in prepare(planned, offline=True)]

    before = digests()
    (tmp_path / "edited_rules.py").write_text("def right(row):\n    return 1\n")
    with pytest.raises(TaskError, match=r"edited_rules\.py: was edited after it had been loaded"):
        digests()
    sys.modules.pop("edited_rules")  # as in a new process
    assert all(one != other for one, other in zip(before, digests(), strict=True))


def test_the_code_of_suites_and_meter_is_part_of_a_run(tiny_llama, tmp_path):
    chosen = harness.EvalOptions(output=tmp_path / "runs", store="none", limit=2)
    spec = plan(str(tiny_llama), suite="perplexity", task=(), options=chosen).spec
    assert set(spec.code) == {"suite/perplexity", "meter/codecarbon"}


@pytest.mark.parametrize("name", registry.names("harness.tasks"))
def test_a_class_that_a_call_made_is_of_the_module_that_made_it(name):
    assert Path(inspect.getfile(type(registry.task(name)))) == registry.source("harness.tasks", name)
