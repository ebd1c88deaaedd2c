"""A metric that a record holds is handed back as it was, and nothing that a record names is run."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.core.errors import RecordError
from harness.core.metrics import Mean, Metric, Undefined
from harness.core.text.hashing import canonical_json
from harness.metrics.bertscore import bertscore_metrics
from harness.metrics.evaluate import EvaluateMetric
from harness.metrics.labels import class_report, label_set_metrics
from harness.metrics.standard import BITS_PER_BYTE, MACRO_F1, MCC
from harness.record.metrics import METRICS, RecordedMetric, metric_rows, recorded_metrics
from suites.long_tail.gap import tail_gap
from suites.robustness.metrics import RELATIVE_DROP
from tests.decision.runs import scores_of, sealed

TASKS = registry.names("harness.tasks")
PLAIN: dict[str, Any] = {"name": "acc", "unit": "share", "source": "-", "direction": "higher"}


def again(metric: Metric) -> Metric:
    """The metric as whoever reads the JSON of a record has it."""
    rows = json.loads(canonical_json(metric_rows({("suite", "task"): [metric]})))
    ((key, recorded),) = recorded_metrics(rows).items()
    assert key == ("suite", "task", metric.name)
    return recorded.metric()


@pytest.mark.parametrize("name", TASKS)
def test_every_metric_of_every_task_is_handed_back(name: str) -> None:
    for metric in registry.task(name).metrics:
        assert again(metric) == metric


def test_metrics_of_tasks_that_a_user_declares_are_handed_back() -> None:
    several = [*class_report(["a", "b"]), *label_set_metrics(["中文", "b"]), *bertscore_metrics(None)]
    for metric in [*several, MACRO_F1, MCC, BITS_PER_BYTE, RELATIVE_DROP]:
        assert again(metric) == metric


def test_a_metric_is_made_of_another_and_no_deeper() -> None:
    gap = tail_gap(Mean(**PLAIN), "rarity", ("frequent", "between", "rare"))
    assert again(gap) == gap
    with pytest.raises(Undefined, match="itself made of another"):
        again(replace(gap, of=gap))
    with pytest.raises(Undefined, match="holds code or objects"):
        again(replace(gap, of=EvaluateMetric(**PLAIN, module=object(), key=None, script=Path("mine.py"))))


def test_a_metric_that_holds_code_of_the_users_says_that_it_can_not_be_made_again(tmp_path: Path) -> None:
    metric = EvaluateMetric(**PLAIN, module=object(), key=None, script=tmp_path / "mine.py")
    with pytest.raises(Undefined, match="EvaluateMetric can't be rebuilt: it holds code or objects"):
        again(metric)


def test_a_class_of_no_package_that_registers_anything_is_not_looked_for() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Mine(Mean):
        """Ours, of a test."""

    with pytest.raises(Undefined, match="in no installed package that registers anything"):
        again(Mine(**PLAIN))


HOSTILE = {
    "a command": ("os:system", {"command": "touch hacked"}),
    "a process": ("subprocess:Popen", {"args": ["touch", "hacked"]}),
    "a builtin": ("builtins:exec", {"source": "open('hacked', 'w')"}),
    "a module that a module of ours imported": ("harness.core.metrics:inspect", {}),
    "a function of ours": ("harness.core.metrics:salt", PLAIN),
    "a class of ours that is no metric": ("harness.core.metrics:Undefined", {}),
    "a metric under another name": ("suites.robustness.metrics:Mean", PLAIN),
    "a metric that is abstract": ("harness.core.metrics:Metric", PLAIN),
    "the command line": ("harness.__main__:main", {}),
    "a way out of the package": ("harness.core.metrics.__builtins__:eval", PLAIN),
    "a path": ("../../etc/passwd:Mean", PLAIN),
    "a relative module": (".core.metrics:Mean", PLAIN),
    "nothing": ("", {}),
    "no name": ("harness.core.metrics:", PLAIN),
    "an attribute of a class": ("harness.core.metrics:Mean.__init__", PLAIN),
    "a name with a NUL": ("harness.core.metrics\0:Mean", PLAIN),
    "a long name": ("harness." + "x" * 100_000 + ":Mean", PLAIN),
    "a module that is not there": ("harness.core.gone:Mean", PLAIN),
    "a parameter that is unknown": ("harness.core.metrics:Mean", {**PLAIN, "__class__": "os.system"}),
    "a parameter that is missing": ("harness.core.metrics:Mean", {"name": "acc"}),
    "a direction that is none": ("harness.core.metrics:Mean", {**PLAIN, "direction": "sideways"}),
    "a direction of a class that leaves its type open": ("harness.metrics.texts:BLEU", {"direction": {"a": 1}}),
    "both a direction and a target": ("harness.core.metrics:Mean", {**PLAIN, "target": 0.5}),
    "a number that is a text": ("harness.core.metrics:Mean", {**PLAIN, "lowest": "0"}),
    "a number beyond all": ("harness.core.metrics:Mean", {**PLAIN, "lowest": 10**400}),
    "a transform that is none": ("harness.core.metrics:PerUnit", {**PLAIN, "transform": "__import__('os')"}),
    "an object in the place of one that a task brings": (
        "harness.metrics.bertscore:BERTScore",
        {**PLAIN, "part": "f1", "matcher": {"name": "x"}},
    ),
    "a huge name": ("harness.core.metrics:Mean", {**PLAIN, "name": "x" * 1_000_000}),
    "many labels": (
        "harness.metrics.labels:LabelSetMetric",
        {**PLAIN, "average": "micro", "labels": ["label"] * 1_000_000},
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_a_hostile_record_calls_a_metric_is_none_and_nothing_of_it_runs(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    class_name, parameters = HOSTILE[case]
    with pytest.raises(Undefined, match="can't be rebuilt") as raised:
        RecordedMetric(class_name=class_name, parameters=parameters).metric()
    assert len(str(raised.value)) < 500
    assert list(tmp_path.iterdir()) == []


def test_a_module_of_a_plug_in_that_its_entry_points_do_not_bring_in_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "strangers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tasks.py").write_text(
        "from dataclasses import dataclass\n"
        "from harness.core.metrics import Mean\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Brought(Mean):\n"
        "    'Of a stranger.'\n"
        "def wrapped(task):\n"
        "    return task\n"
    )
    (package / "script.py").write_text(f"open({str(tmp_path / 'hacked')!r}, 'w')\n")
    info = tmp_path / "strangers-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[harness.task_wrappers]\nstrange = strangers.tasks:wrapped\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = RecordedMetric(class_name="strangers.tasks:Brought", parameters=PLAIN).metric()
    assert found.meaning == "Of a stranger."
    with pytest.raises(Undefined, match="is not a module that its package registers"):
        RecordedMetric(class_name="strangers.script:Mean", parameters=PLAIN).metric()
    assert not (tmp_path / "hacked").exists()
    for name in ("strangers", "strangers.tasks"):
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        ["acc"],
        [{"metric": "acc", "class": ["os"], "parameters": {}, "tasks": []}],
        [{"metric": "acc", "class": "a:B", "parameters": [], "tasks": []}],
        [{"metric": "acc", "class": "a:B", "parameters": {}, "tasks": [["quiz"]]}],
        [{"metric": "acc", "class": "a:B", "parameters": {}, "tasks": [["quiz", "foxes"], ["quiz", "foxes"]]}],
        [{"metric": "acc", "parameters": {}, "tasks": []}],
    ],
)
def test_a_file_that_holds_no_metrics_is_refused_by_its_name(rows: Any, tmp_path: Path) -> None:
    record = sealed(tmp_path, "a", scores_of([1.0, 0.0] * 20))
    assert record.metrics[("quiz", "foxes", "acc")].metric().unit == "share"
    (record.folder / METRICS).write_bytes(canonical_json(rows) + b"\n")
    assert record.verify() == [f"{METRICS} was changed after the run"]
    if rows:
        with pytest.raises(RecordError, match="is not a list of metrics"):
            _ = type(record)(record.folder).metrics
