"""Data files that stand for far more than they hold, or for texts that nobody can be asked about."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpus.entry import Scene, entry

__all__: list[str] = []


def _data(scene: Scene, name: str) -> None:
    path = scene.folder / "mine.yaml"
    text = path.read_text()
    assert "data: questions.jsonl" in text
    path.write_text(text.replace("data: questions.jsonl", f"data: {name}"))


def _parquet(scene: Scene, table: pa.Table) -> None:
    pq.write_table(table, scene.folder / "rows.parquet", compression="zstd")
    _data(scene, "rows.parquet")


@entry("data", "rows.parquet", "stands for more than", "the limit for a file of its size")
def parquet_of_one_value(scene: Scene) -> None:
    indices = pa.array(np.zeros(20_000, dtype=np.int32))
    question = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))
    # Its first piece lies within the limit, so the file has all columns that are asked for.
    rest = {"options": [["a", "b"]] * 20_000, "gold": [0] * 20_000}
    _parquet(scene, pa.table({"question": question, **rest}))


@entry("data", "rows.parquet", "stands for more than", "the limit for a file of its size")
def parquet_of_many_rows(scene: Scene) -> None:
    _parquet(scene, pa.table({"gold": np.zeros(10_000_000, dtype=np.int8)}))


@entry("data", "rows.parquet", "stands for more than", "the limit for a file of its size")
def parquet_of_one_list(scene: Scene) -> None:
    ends = pa.array([0, 40_000_000])
    numbers = pa.array(np.zeros(40_000_000, dtype=np.int8))
    _parquet(scene, pa.table({"gold": pa.LargeListArray.from_arrays(ends, numbers)}))


@entry("data", "rows.csv", "a value of more than 16,777,216 characters", "the limit")
def csv_without_end(scene: Scene) -> None:
    (scene.folder / "rows.csv").write_text('question,gold\n"' + ("x" * 1_000_000 + "\n") * 20)
    _data(scene, "rows.csv")


@entry("data", "rows.jsonl, line 1", "more than 16,777,216 bytes", "the limit for a line")
def line_without_end(scene: Scene) -> None:
    (scene.folder / "rows.jsonl").write_text(json.dumps({"question": "x" * 20_000_000}))
    _data(scene, "rows.jsonl")


@entry("data", "a text of 5,000,", "characters", "the limit is 4,000,000")
def prompt_without_end(scene: Scene) -> None:
    path = scene.folder / "questions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["question"] = "x" * 5_000_000
    path.write_text("\n".join(map(json.dumps, rows)))


@entry("data", "rows.jsonl", "no such file")
def data_from_a_device(scene: Scene) -> None:
    (scene.folder / "rows.jsonl").symlink_to("/dev/zero")
    _data(scene, "rows.jsonl")
