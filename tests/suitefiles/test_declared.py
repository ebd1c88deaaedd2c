import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.requests import Response
from harness.core.tasks import Task, TaskSettings
from harness.data import load_data
from harness.suitefiles.declared import declare, read_suite_file
from harness.suitefiles.schema import Declaration
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)

ROWS: list[dict[str, Any]] = [
    {"key": "a", "q": "2 + 2", "options": ["3", "4"], "label": 1, "doc": "sums"},
    {"key": "b", "q": "3 + 3", "options": ["6", "7"], "label": "A", "doc": "sums"},
    {"key": "c", "q": "5 - 1", "options": ["4", "9", "1"], "label": "4", "doc": "differences"},
]

CHOICE = """
name: mine
tasks:
  - name: sums
    type: multiple_choice
    data: rows.jsonl
    prompt: "Question: {q}\\nAnswer:"
    choices: options
    gold: label
"""


def _write(folder: Path, text: str, rows: list[dict[str, Any]] | None = None) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in (ROWS if rows is None else rows))
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _task(path: Path) -> Task:
    (entry,) = read_suite_file(path).tasks
    assert isinstance(entry, Declaration)
    return declare(entry, path, "tasks[0]", TaskOptions())


def _samples(path: Path, settings: TaskSettings = ALL) -> Any:
    task = _task(path)
    assert task.data is not None
    assert not isinstance(task.data, str)
    return task.samples(load_data(task.data).rows, settings)


def _run(path: Path) -> None:
    for planned in select([str(path)], [], limit=None, num_fewshot=None, seed=0, options=TaskOptions()).planned:
        assert planned.task.data is not None
        assert not isinstance(planned.task.data, str)
        planned.task.samples(load_data(planned.task.data).rows, planned.settings)


def _fault(path: Path) -> str:
    """What the whole way from the file to its samples says is wrong."""
    with pytest.raises(HarnessError) as caught:
        _run(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_declared_choice_asks_what_it_says(tmp_path: Path) -> None:
    first, second, third = _samples(_write(tmp_path, CHOICE))
    assert (first.id, first.prompt, first.choices, first.gold) == ("0", "Question: 2 + 2\nAnswer:", ("3", "4"), 1)
    assert (second.gold, third.gold) == (0, 0)
    assert first.cluster is None


def test_ids_and_clusters_come_from_the_columns_that_are_named(tmp_path: Path) -> None:
    samples = _samples(_write(tmp_path, CHOICE + "    id: key\n    cluster: doc\n"))
    assert [sample.id for sample in samples] == ["a", "b", "c"]
    assert samples[0].cluster == samples[1].cluster != samples[2].cluster


def test_rows_that_are_alike_are_one_witness(tmp_path: Path) -> None:
    """Alike in what is read: ids and columns that the task doesn't name tell nothing of their own."""
    row = {"q": "2 < 3", "label": "yes", "options": ["no", "yes"]}
    rows = [{**row, "key": "a", "note": 1}, {**row, "key": "b", "note": 2}, {**row, "key": "c", "q": "3 < 2"}]
    first, second, third = _samples(_write(tmp_path, CHOICE + "    id: key\n", rows))
    assert first.cluster == second.cluster is not None
    assert third.cluster is None


def test_choices_may_be_fixed_texts_and_then_name_the_labels(tmp_path: Path) -> None:
    text = CHOICE.replace("choices: options", "choices: ['no', 'yes']") + "    metrics: [acc, macro_f1]\n"
    path = _write(tmp_path, text, [{"q": "2 < 3", "label": "yes"}, {"q": "3 < 2", "label": "no"}])
    task, (first, _) = _task(path), _samples(path)
    responses = [Response(request_id=request.id, loglikelihood=-1.0) for request in task.requests(first)]
    scores = task.score(first, responses)
    assert [(score.metric, score.gold, score.predicted) for score in scores] == [
        ("acc", "yes", "no"),
        ("macro_f1", "yes", "no"),
    ]


def test_choices_may_be_templates(tmp_path: Path) -> None:
    text = CHOICE.replace("choices: options", "choices: ['{a}', '{b} {{sic}}']")
    (sample,) = _samples(_write(tmp_path, text, [{"q": "x", "a": "one", "b": 2, "label": 0}]))
    assert sample.choices == ("one", "2 {sic}")


def test_a_declared_text_gives_all_four_perplexities(tmp_path: Path) -> None:
    text = """
name: mine
tasks:
  - {name: letters, type: loglikelihood_rolling, data: rows.jsonl, text: body, max_length: 64, stride: 32}
"""
    path = _write(tmp_path, text, [{"body": "Dear Sir,"}])
    task, (sample,) = _task(path), _samples(path)
    (request,) = task.requests(sample)
    scores = task.score(sample, [Response(request_id=request.id, loglikelihood=-9.0, token_count=3)])
    values = {
        metric.name: metric.reduce([score], Random("a")).value
        for metric, score in zip(task.metrics, scores, strict=True)
    }
    assert values["token_perplexity"] == pytest.approx(20.0855369)
    assert set(values) == {"token_perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"}


def test_a_declared_generation_compares_with_its_reference(tmp_path: Path) -> None:
    text = """
name: mine
tasks:
  - name: spell
    type: generate_until
    data: rows.csv
    prompt: "Spell {word}:"
    reference: spelt
    until: ["."]
    max_tokens: 9
    num_fewshot: 1
"""
    (tmp_path / "rows.csv").write_text("word,spelt\nab,a b\ncd,c d\n", encoding="utf-8")
    path = _write(tmp_path, text)
    task, (sample,) = _task(path), _samples(path, TaskSettings(limit=None, num_fewshot=1, seed=0))
    (request,) = task.requests(sample)
    assert (request.until, request.max_tokens) == ((".",), 9)  # type: ignore[attr-defined]
    assert request.context in (  # type: ignore[attr-defined]
        "Spell ab: a b\n\nSpell cd:",
        "Spell cd: c d\n\nSpell ab:",
    )
    (score,) = task.score(sample, [Response(request_id=request.id, text=f" {sample.gold}")])
    assert score.value == 1.0


def test_the_definition_changes_with_whatever_decides_the_scores(tmp_path: Path) -> None:
    plain = _task(_write(tmp_path, CHOICE)).definition
    assert plain == _task(_write(tmp_path, CHOICE + "    limit: 2\n    description: sums\n")).definition
    assert plain != _task(_write(tmp_path, CHOICE + "    metrics: [acc]\n")).definition
    json.dumps(plain)


FAULTS = {
    "a mistyped key": (CHOICE + "    promt: x\n", "mine.yaml: tasks[0].promt: no such key; did you mean prompt"),
    "a mistyped key at the top": (CHOICE + "sutes: all\n", "mine.yaml: sutes: no such key; did you mean suites"),
    "a key that is missing": (CHOICE.replace("    gold: label\n", ""), "tasks[0].gold: is missing"),
    "a mistyped type": (
        CHOICE.replace("multiple_choice", "multiple_choise"),
        "tasks[0].type: no such type of task; did",
    ),
    "a type that is no text": (CHOICE.replace("type: multiple_choice", "type: 3"), "tasks[0].type: no such type"),
    "a number for a text": (CHOICE.replace("gold: label", "gold: 3"), "tasks[0].gold: must be a text"),
    "bare yes and no": (CHOICE.replace("choices: options", "choices: [no, yes]"), "put quotes around it"),
    "one choice": (CHOICE.replace("choices: options", "choices: [a]"), "tasks[0].choices: must be a column, or a list"),
    "no choices": (CHOICE.replace("choices: options", "choices: []"), "tasks[0].choices: must be a column, or a list"),
    "a limit of 0": (CHOICE + "    limit: 0\n", "tasks[0].limit: must be a whole number from 1 up, or all"),
    "a negative limit for all": (CHOICE + "limit: -3\n", "mine.yaml: limit: must be a whole number from 1 up, or all"),
    "an enormous limit": (CHOICE + f"    limit: {2**53}\n", "tasks[0].limit: must be a whole number from 1 up, or all"),
    "an enormous window": (
        f"tasks: [{{name: a, type: loglikelihood_rolling, data: rows.jsonl, text: q, max_length: {2**53}}}]\n",
        "tasks[0].max_length: must be less than or equal to",
    ),
    "true for a limit": (CHOICE + "    limit: true\n", "tasks[0].limit: must be a whole number from 1 up, or all"),
    "negative exemplars": (
        CHOICE + "    num_fewshot: -1\n",
        "tasks[0].num_fewshot: must be greater than or equal to 0",
    ),
    "an attribute in a prompt": (
        CHOICE.replace("{q}", "{q.__class__}"),
        "only plain {column} fields are allowed (see {q.__class__})",
    ),
    "an index in a prompt": (CHOICE.replace("{q}", "{q[0]}"), "only plain {column} fields are allowed (see {q[0]})"),
    "a conversion in a prompt": (CHOICE.replace("{q}", "{q!r}"), "only plain {column} fields are allowed"),
    "a nested field in a prompt": (CHOICE.replace("{q}", "{q:{label}}"), "only plain {column} fields are allowed"),
    "an empty field in a prompt": (CHOICE.replace("{q}", "{}"), "only plain {column} fields are allowed"),
    "an open brace in a prompt": (CHOICE.replace("{q}", "{q"), "tasks[0].prompt: its braces don't pair"),
    "an empty prompt": (CHOICE.replace("Question: {q}\\nAnswer:", ""), "tasks[0].prompt: is empty"),
    "an unknown metric": (CHOICE + "    metrics: [acc_nrm]\n", "tasks[0].metrics[0]: acc_nrm: no such metric for this"),
    "a metric of another type": (CHOICE + "    metrics: [bits_per_byte]\n", "tasks[0].metrics[0]: bits_per_byte: no"),
    "a metric twice": (
        CHOICE + "    metrics: [acc, acc]\n",
        "tasks[0].metrics[1]: a metric named acc is listed already",
    ),
    "an untrusted metric": (
        CHOICE + "    metrics: [evaluate:accuracy]\n",
        "tasks[0].metrics[0]: accuracy: the metric is",
    ),
    "no such metric script": (CHOICE + "    metrics: ['evaluate:./m.py']\n", "m.py: no such metric script"),
    "no such data file": (CHOICE.replace("rows.jsonl", "row.jsonl"), "tasks[0].data: no such file: "),
    "no such data set": (
        CHOICE.replace("rows.jsonl", "piqqa"),
        "tasks[0].data: piqqa: no such data set; did you mean piqa",
    ),
    "an unknown suite": ("name: mine\nsuites: [acuracy]\n", "suites[0]: acuracy: no such suite; did you mean accuracy"),
    "suites of another kind": (
        "name: mine\nsuites: 3\n",
        "mine.yaml: suites: must be a list of names of suites, or all",
    ),
    "an unknown task": ("name: mine\ntasks: [piqaa]\n", "tasks[0].name: piqaa: no such task; did you mean piqa"),
    "a task that is a number": ("name: mine\ntasks: [3]\n", "tasks[0]: must be a task's name, or keys and values"),
    "a task listed twice": ("name: mine\ntasks: [piqa, piqa]\n", "tasks[1]: the task piqa is listed twice"),
    "an installed task's name": (CHOICE.replace("name: sums", "name: piqa"), "a task named piqa is installed"),
    "a name that is a path": (CHOICE.replace("name: sums", "name: ../sums"), "tasks[0].name: may hold letters, digits"),
    "exemplars for perplexity": (
        "tasks: [{name: wikitext_sentences, num_fewshot: 2}]\n",
        "tasks[0].num_fewshot: wikitext_sentences takes no exemplars",
    ),
    "exemplars for a declared perplexity": (
        "tasks: [{name: a, type: loglikelihood_rolling, data: rows.jsonl, text: q, num_fewshot: 2}]\n",
        "tasks[0].num_fewshot: a perplexity task takes no exemplars",
    ),
    "a stride without context": (
        "tasks: [{name: a, type: loglikelihood_rolling, data: rows.jsonl, text: q, max_length: 8, stride: 8}]\n",
        "tasks[0].stride: a stride of 8 leaves no context",
    ),
    "nothing to do": ("name: mine\n", "lists neither suites nor tasks"),
    "an empty file": (" \n", "mine.yaml: is empty"),
    "a list": ("- piqa\n", "doesn't hold keys and values"),
    "a text": ("piqa\n", "doesn't hold keys and values"),
    "a key twice": (
        "name: mine\nname: yours\ntasks: [piqa]\n",
        "line 2: is not usable YAML: the key 'name' occurs twice",
    ),
    "an alias": ("a: &a [x, x]\ntasks: *a\n", "line 2: is not usable YAML: aliases"),
    "a Python object": ("name: !!python/object/apply:os.system [ls]\n", "is not usable YAML: could not determine a"),
    "a tab": ("name:\t- x\n\t- y\n", "is not usable YAML"),
    "an open bracket": ("tasks: [piqa\n", "is not usable YAML"),
    "an endless number": (f"limit: {'9' * 5000}\n", "is not usable YAML"),
    "a key that is a number": ("1: x\ntasks: [piqa]\n", "mine.yaml: "),
    "an unhashable key": ("? [a]\n: x\n", "is not usable YAML"),
    "deep nesting": ("tasks: " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
    "an enormous file": ("#" * 1_000_001, "is larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_suite_file_is_told_by_file_and_field(name: str, tmp_path: Path) -> None:
    text, problem = FAULTS[name]
    told = _fault(_write(tmp_path, text))
    assert problem in told
    assert str(tmp_path) in told


ROW_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "gold too large": ({"label": 2}, "row 2: field 'label' holds 2, which is no index"),
    "gold negative": ({"label": -1}, "row 2: field 'label' holds -1, which is no index"),
    "gold a letter too far": ({"label": "C"}, "row 2: field 'label' holds 'C', which is no index, no letter"),
    "gold a truth value": ({"label": True}, "row 2: field 'label' holds True, which is no index"),
    "gold a fraction": ({"label": 1.5}, "row 2: field 'label' holds 1.5, which is no index"),
    "gold of two meanings": ({"options": ["1", "0"], "label": 1}, "row 2: field 'label' holds 1, which is the text of"),
    "gold absent": ({"label": None}, "row 2: field 'label' holds None, which is no index"),
    "gold another text": ({"label": "eight"}, "row 2: field 'label' holds 'eight', which is no index"),
    "gold twice": ({"options": ["4", "4"], "label": "4"}, "row 2: field 'label': the gold choice '4' occurs twice"),
    "no choices": ({"options": [], "label": 0}, "row 2: "),
    "an empty choice": ({"options": ["a", ""], "label": 0}, "row 2: needs at least two choices, none of them empty"),
    "choices that are no list": ({"options": "a b"}, "row 2: field 'options' is not a list of texts"),
    "a prompt that is a list": ({"q": ["x"]}, "row 2: field 'q' holds list"),
    "an id that is taken": ({"key": "a"}, "two rows have the id 'a'"),
}


@pytest.mark.parametrize("name", ROW_FAULTS)
def test_a_fault_in_a_row_is_told_by_file_row_and_field(name: str, tmp_path: Path) -> None:
    change, problem = ROW_FAULTS[name]
    rows = [ROWS[0], {**ROWS[1], **change}]
    told = _fault(_write(tmp_path, CHOICE + "    id: key\n", rows))
    assert problem in told
    assert str(tmp_path / "rows.jsonl") in told


def test_a_column_that_is_missing_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    told = _fault(_write(tmp_path, CHOICE.replace("gold: label", "gold: lable")))
    assert "lacks lable" in told
    assert "key, q, options, label, doc" in told


def test_a_file_that_is_no_utf8_or_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert f"{path}: no such file" in _fault(path)
    path.write_bytes(b"name: \xff\xfe\n")
    assert f"{path}: is not UTF-8 (byte 6)" in _fault(path)
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert f"{folder}: can't be read" in _fault(folder)


def test_nothing_in_a_template_runs_code(tmp_path: Path) -> None:
    class Trap(str):
        def __format__(self, spec: str) -> str:
            raise AssertionError("formatted")

    from harness.tasks.templates import Template

    with pytest.raises(AssertionError, match="formatted"):
        "{q}".format(q=Trap("x"))
    assert Template("{q}").fill({"q": Trap("x")}) == "x"


SCRIPT = """
import datasets
import evaluate

class Agreement(evaluate.Metric):
    def _info(self):
        features = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
        return evaluate.MetricInfo(description="", citation="Nobody (2026)", features=features)

    def _compute(self, predictions, references):
        return {"agreement": sum(p == r for p, r in zip(predictions, references)) / len(references)}
"""


def test_a_metric_script_beside_the_suite_file_scores_a_declared_task(tmp_path: Path) -> None:
    (tmp_path / "agreement.py").write_text(SCRIPT, encoding="utf-8")
    path = _write(tmp_path, CHOICE + "    metrics: ['evaluate:./agreement.py']\n")
    (entry,) = read_suite_file(path).tasks
    assert isinstance(entry, Declaration)
    task = declare(entry, path, "tasks[0]", TaskOptions(trust_metric_code=True))
    scores = [
        score
        for sample, likelihoods in zip(
            _samples(_write(tmp_path, CHOICE)), [(-1, -2), (-1, -2), (-1, -2, -3)], strict=True
        )
        for score in task.score(
            sample, [Response(request_id=str(value), loglikelihood=float(value)) for value in likelihoods]
        )
    ]
    (metric,) = task.metrics
    assert [score.metric for score in scores] == [metric.name] * 3
    assert metric.reduce(scores, Random("a")).value == pytest.approx(2 / 3)
    assert [script.resolve() for script in task.scripts] == [tmp_path / "agreement.py"]
