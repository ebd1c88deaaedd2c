"""What a writer of a format wrote, `load` reads back."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import DataError
from harness.data import load_data
from tests.data.files import dataset_of, file_of

one_folder = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # every example overwrites the same file

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
json_rows = st.lists(st.dictionaries(st.text(), json_values, max_size=4), min_size=1, max_size=5)
cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
tabbed_cells = st.text("ab\"',;\\ NA中", max_size=6).filter(
    lambda cell: not cell[:1] == cell[-1:] == '"' or '""' not in cell
)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)


@one_folder
@given(rows=json_rows, ascii_only=st.booleans(), end=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_json_lines_give_back_the_objects_written(
    tmp_path: Path, rows: list[dict[str, Any]], ascii_only: bool, end: str
) -> None:
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in rows)
    assert list(load_data(file_of(tmp_path, "a.jsonl", text.encode())).rows) == rows


@one_folder
@given(rows=json_rows, indent=st.none() | st.integers(0, 4))
def test_a_json_list_gives_back_the_objects_written(
    tmp_path: Path, rows: list[dict[str, Any]], indent: int | None
) -> None:
    assert list(load_data(file_of(tmp_path, "a.json", json.dumps(rows, indent=indent).encode())).rows) == rows


@one_folder
@given(
    data=st.data(),
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    bom=st.booleans(),
)
def test_comma_separated_values_give_back_the_cells_written(
    tmp_path: Path, data: st.DataObject, style: tuple[str, Any], bom: bool
) -> None:
    header = data.draw(
        st.lists(cells.filter(lambda name: not {*name} & {*"\ufeff;|\t"}), min_size=1, max_size=4, unique=True)
    )
    record = st.lists(cells, min_size=len(header), max_size=len(header))
    records = data.draw(st.lists(record, min_size=1, max_size=4))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=style[0], quoting=style[1])
    writer.writerow(header)
    writer.writerows(records)
    content = stream.getvalue().encode("utf-8-sig" if bom else "utf-8")
    loaded = load_data(file_of(tmp_path, "a.csv", content))
    assert [list(row) for row in loaded.rows] == [header] * len(records)
    assert [list(row.values()) for row in loaded.rows] == records


@one_folder
@given(
    records=st.lists(st.tuples(tabbed_cells, tabbed_cells).filter("".join), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
def test_tab_separated_values_are_the_signs_between_the_tabs(
    tmp_path: Path, records: list[tuple[str, str]], end: str, bom: bool
) -> None:
    """As pandas reads them once it is told that nothing is quoted and nothing missing."""
    lines = ["one\ttwo", *("\t".join(record) for record in records)]
    content = (end.join(lines) + end).encode("utf-8-sig" if bom else "utf-8")
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    rows = load_data(dataset_of(path)).rows
    told = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert [tuple(row.values()) for row in rows] == list(told.itertuples(index=False, name=None)) == records


def test_a_quotation_mark_of_a_tsv_file_parts_no_rows_and_joins_none(tmp_path: Path) -> None:
    content = b'english\tdeutsch\n"I see.\tIch sehe.\nGo home."\tGeh heim.\nWe met.\tWir trafen uns.\n'
    rows = load_data(file_of(tmp_path, "a.tsv", content)).rows
    assert [row["english"] for row in rows] == ['"I see.', 'Go home."', "We met."]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tsv", 'a\tb\n"He said ""hi"""\tx\n', "line 2: has values that are quoted"),
        ("a.tsv", '"a"\t"b"\n"x"\t"y"\n', "line 1: has values that are quoted"),
        ("a.tsv", 'a\tb\nx\t"one\ntwo"\n', "line 3: has 1 value for 2 columns"),
        ("a.tsv", "a\tb\rx\ty\r", "line 1: has values that are quoted, or hold a line break"),
        ("a.csv", "a;b\nx;y\n", "line 1: separates its columns by ';'"),
        ("a.csv", "a\tb\nx\ty\n", "line 1: separates its columns by '\\t'"),
        ("a.jsonl", '{"a": 1, "a": 2}\n', "line 1: is not JSON: the key 'a' occurs twice"),
        ("a.json", '[{"a": {"b": 1, "c": 2, "b": 1}}]', "the key 'b' occurs twice"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        load_data(file_of(tmp_path, name, content.encode()))
    assert said in str(caught.value)


@pytest.mark.parametrize("word", ["NA", "N/A", "null", "None", "nan", "NaN", "-", "", "true", "007", "1e5", " x "])
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "a,b\n{0},{0}\n"), ("a.tsv", "a\tb\n{0}\t{0}\n"), ("a.jsonl", '{{"a": "{0}", "b": "{0}"}}\n')],
)
def test_no_word_means_that_a_value_is_missing(tmp_path: Path, word: str, name: str, content: str) -> None:
    assert load_data(file_of(tmp_path, name, content.format(word).encode())).rows == ({"a": word, "b": word},)


@one_folder
@given(
    sentences=st.lists(st.lists(st.tuples(words, words), min_size=1, max_size=5), min_size=1, max_size=4),
    separator=st.sampled_from([" ", "\t"]),
    middle=st.booleans(),
)
def test_conll_blocks_give_back_tokens_and_tags(
    tmp_path: Path, sentences: list[list[tuple[str, str]]], separator: str, middle: bool
) -> None:
    between = ["NN"] if middle else []
    blocks = ["\n".join(separator.join([token, *between, tag]) for token, tag in each) for each in sentences]
    content = "-DOCSTART- -X- O\n\n" + "\n\n".join(blocks) + "\n"
    loaded = load_data(file_of(tmp_path, "a.conll", content.encode()))
    kept = [[pair for pair in each if not pair[0].startswith("-DOCSTART-")] for each in sentences]
    assert [list(zip(row["tokens"], row["tags"], strict=True)) for row in loaded.rows] == kept


def test_a_token_of_a_tabbed_conll_line_may_hold_a_space(tmp_path: Path) -> None:
    loaded = load_data(file_of(tmp_path, "a.conll", b"10 000\tB-NUM\n"))
    assert loaded.rows == ({"tokens": ["10 000"], "tags": ["B-NUM"]},)


def test_parquet_gives_back_nested_values(tmp_path: Path) -> None:
    rows = [{"text": "a\0b", "choices": ["x", "y"], "score": None}, {"text": "é", "choices": [], "score": 0.5}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert list(load_data(dataset_of(tmp_path / "a.parquet")).rows) == rows


def test_the_extension_counts_in_any_case(tmp_path: Path) -> None:
    assert load_data(file_of(tmp_path, "A.JSONL", b'{"a": 1}')).rows == ({"a": 1},)


def test_a_csv_cell_may_be_a_long_document(tmp_path: Path) -> None:
    document = "word " * 50_000
    assert load_data(file_of(tmp_path, "a.csv", f'text\n"{document}"\n'.encode())).rows == ({"text": document},)
