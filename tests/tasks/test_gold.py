"""What a gold cell means is one thing, whatever the file's format and the task's type; where it may be two, we ask."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from harness.core.errors import DataError
from harness.core.tasks import TaskSettings
from harness.data import load_data
from harness.suitefiles.declared import declare, read_suite_file
from harness.tasks.gold import GoldReading, gold_index
from harness.tasks.options import TaskOptions

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet")
TASKS: dict[str, dict[str, Any]] = {
    "fixed choices": {"type": "multiple_choice", "prompt": "{q}", "gold": "g"},
    "choices of a column": {"type": "multiple_choice", "prompt": "{q}", "gold": "g", "choices": "options"},
    "single label": {"type": "classify", "text": "q", "gold": "g"},
    "groups": {"type": "group_fairness", "prompt": "{q}", "gold": "g", "attributes": ["a"], "positive": "1"},
    "rationales": {"type": "rationales", "text": "q", "prompt": "{q}", "gold": "g", "rationale": "why"},
}


def written(folder: Path, form: str, rows: list[dict[str, Any]]) -> str:
    path = folder / f"rows.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif form == "json":
        path.write_text(json.dumps(rows))
    elif form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter="," if form == "csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    return path.name


def golds(folder: Path, form: str, fields: dict[str, Any], cells: list[Any], choices: list[str]) -> list[Any]:
    """The gold choice of each row, by its text, as the task that a suite file declares reads it."""
    lists = {"options": choices, "why": ["Rate"]}
    rows = [
        {"q": f"Rate {n}", "g": cell, "a": "xy"[n % 2], **({} if form in ("csv", "tsv") else lists)}
        for n, cell in enumerate(cells)
    ]
    named = {"choices": choices} if fields["type"] == "multiple_choice" else {"labels": choices}
    entry = {"name": "stars", "data": written(folder, form, rows), **named, **fields}
    (folder / "s.yaml").write_text(yaml.safe_dump({"name": "s", "tasks": [entry]}))
    (declaration,) = read_suite_file(folder / "s.yaml").tasks
    task = declare(declaration, folder / "s.yaml", "tasks[0]", TaskOptions())
    samples = task.samples(load_data(task.data).rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    return [sample.gold if isinstance(sample.gold, str) else sample.choices[sample.gold] for sample in samples]


def applies(form: str, task: str) -> bool:
    return form not in ("csv", "tsv") or task not in ("choices of a column", "rationales")


EVERYWHERE = [(form, task) for form in FORMATS for task in TASKS if applies(form, task)]


@pytest.mark.parametrize(("form", "task"), EVERYWHERE)
@pytest.mark.parametrize(
    ("reading", "expected"), [("text", ["1", "2", "1", "2"]), ("index", ["2", "3", "2", "3"]), (None, None)]
)
def test_a_number_is_a_text_or_an_index_as_the_user_says_and_refused_where_nothing_is_said(
    tmp_path, form, task, reading, expected
):
    fields = {**TASKS[task], **({"gold_is": reading} if reading else {})}
    if expected is None:
        with pytest.raises(DataError, match=r"row 1: field 'g' holds .* `gold_is: text` or `gold_is: index`"):
            golds(tmp_path, form, fields, [1, 2, 1, 2], ["1", "2", "3"])
    else:
        assert golds(tmp_path, form, fields, [1, 2, 1, 2], ["1", "2", "3"]) == expected


@pytest.mark.parametrize(("form", "task"), EVERYWHERE)
def test_a_number_of_one_meaning_needs_nothing_said(tmp_path, form, task):
    fields = {**TASKS[task], **({"positive": "bad"} if task == "groups" else {})}
    assert golds(tmp_path, form, fields, [2, 0, 1, 0], ["bad", "fair", "good"]) == ["good", "bad", "fair", "bad"]
    assert golds(tmp_path, form, TASKS[task], [2, 0, 1, 0], ["0", "1", "2"]) == ["2", "0", "1", "0"]
    assert golds(tmp_path, form, TASKS[task], [4, 1, 4, 1], ["5", "1", "4"]) == ["4", "1", "4", "1"]
    with pytest.raises(DataError, match=r"row 4: .* there are 3, counted from 0"):
        golds(tmp_path, form, fields, [1, 2, 1, 3], ["bad", "fair", "good"])


def test_several_labels_follow_the_same_rule(tmp_path):
    fields = {"type": "classify", "problem": "multi_label", "text": "q", "gold": "g"}
    with pytest.raises(DataError, match="gold_is"):
        golds(tmp_path, "jsonl", fields, [["1"], [2, 3]], ["1", "2", "3"])
    said = golds(tmp_path, "jsonl", {**fields, "gold_is": "text"}, [["1"], [2, 3]], ["1", "2", "3"])
    assert said == ['["1"]', '["2", "3"]']


def test_a_row_that_is_not_asked_is_looked_at_too(tmp_path):
    """Else the score of a whole file would hang on its sample."""
    rows = [{"q": str(n), "g": 0 if n < 50 else 1} for n in range(51)]
    entry = {"name": "s", "data": written(tmp_path, "jsonl", rows), "choices": ["1", "2"], **TASKS["fixed choices"]}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump({"name": "s", "tasks": [entry]}))
    (declaration,) = read_suite_file(tmp_path / "s.yaml").tasks
    task = declare(declaration, tmp_path / "s.yaml", "tasks[0]", TaskOptions())
    with pytest.raises(DataError, match="row 51"):
        task.samples(load_data(task.data).rows, TaskSettings(limit=2, num_fewshot=0, seed=0))


@pytest.mark.parametrize(
    ("value", "choices", "index"),
    [
        (0, ["C", "blue", "red"], 0),
        ("B", ["C", "blue", "red"], 1),
        ("b", ["C", "blue", "red"], 1),
        ("2", ["C", "blue", "red"], 2),
        (" blue ", ["C", "blue", "red"], 1),
        ("BLUE", ["C", "blue", "red"], 1),
        ("C", ["C", "blue", "red"], 0),
        ("B", ["M", "N", "B"], 2),
        (True, ["false", "true"], 1),
        ("True", ["false", "true"], 1),
        (3, ["3.0", "4.0"], 0),
        (3.0, ["2", "3", "4", "3.5"], 1),
        ("1.0", ["low", "high"], 1),
    ],
)
def test_a_cell_means_a_text_then_an_index_then_a_letter(value, choices, index):
    if value == 3.0 and "2" in choices:
        with pytest.raises(DataError, match="gold_is"):
            gold_index(value, choices, "g")
        assert gold_index(value, choices, "g", "text") == index
    else:
        assert gold_index(value, choices, "g") == index


@pytest.mark.parametrize(
    ("value", "reading"), [(None, None), (float("nan"), None), ("", None), (True, None), (-1, None), ("red", "index")]
)
def test_what_is_none_of_them_is_refused(value: Any, reading: GoldReading | None):
    with pytest.raises(DataError, match="field 'g' holds"):
        gold_index(value, ["red", "blue"], "g", reading)
