"""A folder of lm-eval tasks over local JSON lines, of every kind of output."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import yaml

ANIMALS = ("fox", "dog", "brown fox", "lazy cat")
PLACES = ("Tuesday", "water", "the rain")

ROWS: list[dict[str, Any]] = [
    {
        "question": f"Where does the {animal} jump?",
        "options": ["over the lazy dog", "by the river bank", f"on {place}"],
        "answer": index % 3,
        "reply": ["over", "river", "home"][index % 3],
        "text": f"On {place}, {index * 37} proposals about {animal} and schools were discussed. " * (1 + index // 3),
    }
    for index, (animal, place) in enumerate(product(ANIMALS, PLACES))
]


def metric(name: str, aggregation: str, *, higher: bool = True, **settings: Any) -> dict[str, Any]:
    return {"metric": name, "aggregation": aggregation, "higher_is_better": higher, **settings}


PROMPT = "Question: {{question}}\nAnswer:"

TASKS: dict[str, dict[str, Any]] = {
    "tiny_choice": {
        "output_type": "multiple_choice",
        "doc_to_text": PROMPT,
        "doc_to_choice": "options",
        "doc_to_target": "answer",
        "num_fewshot": 2,
        "metric_list": [
            metric("acc", "mean"),
            metric("acc_norm", "mean"),
            metric("acc_bytes", "mean"),
            metric("mcc", "matthews_corrcoef"),
            metric("brier_score", "brier_score", higher=False),
        ],
        "metadata": {"version": 2.1},
        "tag": ["tiny_tag"],
    },
    "tiny_rolling": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{text}}",
        "metric_list": [
            metric("word_perplexity", "weighted_perplexity", higher=False),
            metric("byte_perplexity", "weighted_perplexity", higher=False),
            metric("bits_per_byte", "bits_per_byte", higher=False),
        ],
        "metadata": {"version": 1.0},
        "tag": ["tiny_tag"],
    },
    "tiny_writing": {
        "output_type": "generate_until",
        "doc_to_text": "{{question}} {{text[:70]}}",
        "doc_to_target": "{{reply[0]}}",
        "generation_kwargs": {"until": ["\n", "e"], "max_gen_toks": 12, "do_sample": False},
        "filter_list": [
            {"name": "first", "filter": [{"function": "take_first"}]},
            {
                "name": "letter",
                "filter": [{"function": "regex", "regex_pattern": "([a-z])"}, {"function": "take_first"}],
            },
        ],
        "metric_list": [metric("exact_match", "mean", ignore_case=True), metric("chrf", "chrf")],
    },
    "tiny_target": {
        "output_type": "loglikelihood",
        "doc_to_text": PROMPT,
        "doc_to_target": "{{' ' ~ reply}}",
        "metric_list": [metric("perplexity", "perplexity", higher=False), metric("acc", "mean")],
    },
}


def write_tasks(folder: Path) -> Path:
    """`folder` with a data file, a YAML file for each of `TASKS`, and the group `tiny_group` of the first two."""
    data = folder / "rows.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    for name, config in TASKS.items():
        write_task(folder, {"task": name, **over(data), **config})
    group = {"group": "tiny_group", "task": ["tiny_choice", "tiny_rolling"], "metadata": {"version": 1.0}}
    (folder / "group.yaml").write_text(yaml.safe_dump(group), encoding="utf-8")
    return folder


def over(data: Path) -> dict[str, Any]:
    """The settings of a task that reads the JSON lines in `data`."""
    return {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"train": str(data), "test": str(data)}},
        "test_split": "test",
        "fewshot_split": "train",
    }


def write_task(folder: Path, config: dict[str, Any], *, more: str = "") -> Path:
    """`config` as a YAML file named after its task; `more` is appended as it stands."""
    path = folder / f"{config['task']}.yaml"
    path.write_text(yaml.safe_dump(config) + more, encoding="utf-8")
    return path
