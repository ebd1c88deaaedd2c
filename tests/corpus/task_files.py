"""Task files of lm-evaluation-harness that act, never end, or read what is none of their business."""

import io
import json
import os
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from tests.corpus.child import TRIAL_CPU_S
from tests.corpus.entry import EVAL, Scene, entry

__all__: list[str] = []

LM_EVAL = (*EVAL[:3], "--task", "lm-eval:planted", "--include-path", "tasks", "--offline", *EVAL[5:])
EQUAL = (
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}"
    "{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}"
)
LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


def _task(scene: Scene, **changes: Any) -> None:
    """A sound task, with changes, over a sound file of rows in its folder."""
    folder = scene.folder / "tasks"
    folder.mkdir(exist_ok=True)
    row = {"question": "Where does the fox jump?", "options": ["over", "home"], "answer": 0}
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    config = {
        "task": "planted",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(folder / "rows.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "options",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        **changes,
    }
    (folder / "planted.yaml").write_text(yaml.safe_dump(config))


def _text(scene: Scene, text: str) -> None:
    (scene.folder / "tasks").mkdir()
    (scene.folder / "tasks" / "planted.yaml").write_text(f"task: planted\n{text}\n")


def _reads(scene: Scene, pattern: str, **changes: Any) -> None:
    _task(scene, dataset_kwargs={"data_files": {"test": pattern}}, **changes)


def _csv(scene: Scene, text: str, **settings: Any) -> None:
    path = scene.folder / "tasks" / "rows.csv"
    _task(scene, dataset_path="csv", dataset_kwargs={"data_files": {"test": str(path)}, **settings})
    path.write_text(text)


@entry("task", "lm-eval:planted", "a template fails", "no attribute 'save'", command=LM_EVAL)
def living_image(scene: Scene) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (2, 2)).save(drawn, "PNG")
    features = datasets.Features({"question": datasets.Value("string"), "image": datasets.Image()})
    row = {"question": "What is it?", "image": {"bytes": drawn.getvalue(), "path": None}}
    template = f"{{{{ question }}}}{{{{ image.save('{scene.marker}', 'PNG') }}}}"
    _reads(
        scene,
        str(scene.folder / "tasks" / "rows.parquet"),
        dataset_path="parquet",
        doc_to_text=template,
        doc_to_choice=["a", "b"],
        doc_to_target=0,
    )
    pq.write_table(pa.Table.from_pylist([row], schema=features.arrow_schema), scene.folder / "tasks" / "rows.parquet")


@entry("task", "tasks/planted.yaml", "more than 100,000 values", "aliases", command=LM_EVAL)
def task_alias_bomb(scene: Scene) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    _text(scene, "\n".join(lines))


@entry("task", "tasks/planted.yaml", "&a holds itself", command=LM_EVAL)
def task_alias_of_itself(scene: Scene) -> None:
    _text(scene, "metadata: &a {inner: [*a]}")


@entry("task", "tasks/planted.yaml", "nested more than 50 deep", command=LM_EVAL)
def task_deep_yaml(scene: Scene) -> None:
    _text(scene, "metadata: " + "[" * 200_000)


@entry("task", "tasks/planted.yaml", "includes /dev/zero", "outside of the task's folder", command=LM_EVAL)
def task_includes_device(scene: Scene) -> None:
    _text(scene, "include: /dev/zero")


@entry("task", "tasks/pipe.inc", "is not a regular file", command=LM_EVAL)
def task_includes_fifo(scene: Scene) -> None:
    _text(scene, "include: pipe.inc")
    os.mkfifo(scene.folder / "tasks" / "pipe.inc")


@entry("task", "tasks/planted.yaml", "includes itself", command=LM_EVAL)
def task_includes_itself(scene: Scene) -> None:
    _text(scene, "include: planted.yaml")


@entry("task", "lm-eval:planted", "the group contains itself", command=LM_EVAL)
def group_of_itself(scene: Scene) -> None:
    (scene.folder / "tasks").mkdir()
    (scene.folder / "tasks" / "planted.yaml").write_text("group: planted\ntask: [planted]\n")


@entry("task", "lm-eval:planted", "more than 20,000 tasks and groups", command=LM_EVAL)
def group_bomb(scene: Scene) -> None:
    (scene.folder / "tasks").mkdir()
    for number in range(40):
        name = f"g{number}" if number else "planted"
        members = [f"g{number + 1}"] * 2
        (scene.folder / "tasks" / f"{name}.yaml").write_text(yaml.safe_dump({"group": name, "task": members}))
    (scene.folder / "tasks" / "g40.yaml").write_text("task: g40\n")


@entry("task", "tasks/planted.yaml", "repeats is 1,000,000,000", "the limit is 1,000", command=LM_EVAL)
def repeats_1e9(scene: Scene) -> None:
    _task(scene, repeats=10**9)


@entry("task", "lm-eval:planted", "the template", f"takes more than {TRIAL_CPU_S} seconds", command=LM_EVAL)
def task_template_loop(scene: Scene) -> None:
    _task(scene, doc_to_text=LOOP)


@entry("task", "too long in a single step", "leave the task out", command=LM_EVAL)
def task_template_of_one_step(scene: Scene) -> None:
    """Two lists of 120 that stand for 2^60 values: no signal of Python's is heard while they are compared."""
    _task(scene, doc_to_text=EQUAL)


@entry("task", "lm-eval:planted", "making its prompts", "MB of memory", command=LM_EVAL)
def exemplars_without_end(scene: Scene) -> None:
    _task(scene, num_fewshot=10_000, fewshot_delimiter="x" * 900_000, fewshot_config={"sampler": "first_n"})
    path = scene.folder / "tasks" / "rows.jsonl"
    path.write_text(path.read_text() * 10_001)


@entry("task", "lm-eval:planted", "to load its data takes more than", command=LM_EVAL)
def rows_of_other_columns(scene: Scene) -> None:
    """300 KB of rows, each with a column of its own, which all the others lack."""
    _task(scene)
    rows = (json.dumps({f"column {number}": 1}) for number in range(15_000))
    (scene.folder / "tasks" / "rows.jsonl").write_text("\n".join(rows))


@entry("task", "lm-eval:planted", "to load its data takes more than", command=LM_EVAL)
def separator_that_backtracks(scene: Scene) -> None:
    _csv(scene, "question,options,answer\n" + "a" * 60 + "!\n", sep="(a|aa)+$")


@entry("task", "lm-eval:planted", "to load its data takes more than 1,0", "MB of memory", command=LM_EVAL)
def rows_to_skip_1e10(scene: Scene) -> None:
    _csv(scene, "question,options,answer\nWhere?,home,0\n", skiprows=10**10)


@entry("task", "lm-eval:planted", "the template", "takes more than 256 MB of memory", command=LM_EVAL)
def task_template_text(scene: Scene) -> None:
    _task(scene, description="{{ 'a' * 10**9 }}")


@entry("task", "lm-eval:planted", "reads", "hostname", "outside of the task's folder", "--task-data", command=LM_EVAL)
def task_reads_a_private_file(scene: Scene) -> None:
    _reads(scene, "/etc/hostname", dataset_path="text", doc_to_text="{{text}}")


@entry("task", "lm-eval:planted", "questions.jsonl", "outside of the task's folder", command=LM_EVAL)
def task_reads_through_a_link(scene: Scene) -> None:
    _reads(scene, str(scene.folder / "tasks" / "*.json"))
    (scene.folder / "tasks" / "link.json").symlink_to(scene.folder / "questions.jsonl")


@entry("task", "lm-eval:planted", "zip://a.jsonl::", "neither a path nor an address", command=LM_EVAL)
def task_reads_an_archive(scene: Scene) -> None:
    _reads(scene, "zip://a.jsonl::tasks/rows.zip")


@entry("task", "lm-eval:planted", "file:///etc/hostname", "neither a path nor an address", command=LM_EVAL)
def task_reads_a_file_url(scene: Scene) -> None:
    _reads(scene, "file:///etc/hostname", dataset_path="text")


@entry("task", "lm-eval:planted", "http://192.0.2.1/rows.jsonl", "offline", command=LM_EVAL)
def task_fetches_while_offline(scene: Scene) -> None:
    _reads(scene, "http://192.0.2.1/rows.jsonl")


@entry("task", "dataset_kwargs.cache_dir", "--trust-task-code", command=LM_EVAL)
def task_writes_elsewhere(scene: Scene) -> None:
    files = {"test": str(scene.folder / "tasks" / "rows.jsonl")}
    _task(scene, dataset_kwargs={"data_files": files, "cache_dir": str(scene.folder / "elsewhere")})


@entry("task", "rows.jsonl, line 1", "the key 'answer' occurs twice", command=LM_EVAL)
def task_data_with_a_key_twice(scene: Scene) -> None:
    _task(scene)
    path = scene.folder / "tasks" / "rows.jsonl"
    path.write_text(path.read_text().replace('"answer": 0', '"answer": 0, "answer": 1'))
