"""Bad files end in one line that names the place; good ones come with their digest."""

import hashlib
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data import load_data
from tests.data.files import dataset_of, file_of

BAD_FILES = {
    "an empty file": ("a.jsonl", b"", ["a.jsonl: is empty"]),
    "blank lines only": ("a.jsonl", b"\n\n", ["a.jsonl: holds no rows"]),
    "a header only": ("a.csv", b"x,y\n", ["a.csv: holds no rows"]),
    "a document start only": ("a.conll", b"-DOCSTART- -X- O\n", ["a.conll: holds no rows"]),
    "broken JSON line": ("a.jsonl", b'{"a": 1}\n{"a": \n', ["a.jsonl, line 2", "not JSON", "column 6"]),
    "a line that is no object": ("a.jsonl", b"[1]\n", ["a.jsonl, line 1", "a list, not an object"]),
    "NaN": ("a.jsonl", b'{"a": 1}\n\n{"a": NaN}\n', ["a.jsonl, line 3", "NaN is not a JSON number", "null"]),
    "infinity": ("a.json", b'[{"a": -Infinity}]', ["a.json", "-Infinity is not a JSON number"]),
    "a number beyond all floats": ("a.jsonl", b'{"a": 1e999}\n', ["line 1", "1e999 is too large"]),
    "an endless integer": ("a.jsonl", b'{"a": ' + b"9" * 5000 + b"}", ["line 1", "digits"]),
    "deep nesting": ("a.jsonl", b'{"a": ' + b"[" * 200_000, ["line 1", "nested too deeply"]),
    "half a surrogate pair": ("a.jsonl", b'{"a": "\\ud800"}\n', ["line 1", "surrogate"]),
    "invalid UTF-8": ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', ["a.jsonl, line 2", "0xff at position 8", "UTF-8"]),
    "invalid UTF-8 in CSV": ("a.csv", b"a,b\n1,\xe9\n", ["a.csv, line 2", "0xe9 at position 3"]),
    "a NUL byte": ("a.csv", b"a,b\n1,2\n3,\0\n", ["a.csv, line 3", "NUL byte"]),
    "UTF-16": ("a.jsonl", '{"a": 1}\n'.encode("utf-16-le"), ["a.jsonl, line 1", "UTF-16"]),
    "objects in a .json": ("a.json", b'{"a": 1}\n{"a": 2}\n', ["a.json", "line 2", ".jsonl"]),
    "an object for a list": ("a.json", b'{"a": 1}', ["holds an object, not a list"]),
    "a list of numbers": ("a.json", b"[{}, 3]", ["item 2", "a number, not an object"]),
    "a long CSV row": ("a.csv", b'a,b\n"1\n1",2\n1,2,3\n', ["a.csv, line 4", "3 values for 2 columns"]),
    "a short TSV row": ("a.tsv", b"a\tb\n1\n", ["a.tsv, line 2", "1 value for 2 columns"]),
    "an open quote": ("a.csv", b'a,b\n"1,2\n', ["a.csv, line 2", "not CSV"]),
    "lines of an old Mac": ("a.csv", b"a,b\r1,2\r", ["a.csv, line 1", "carriage return alone", "line feeds"]),
    "a column twice": ("a.csv", b"a,b,a\n1,2,3\n", ["names a column twice: a"]),
    "a token without tag": ("a.conll", b"The\n", ["a.conll, line 1", "1 column,"]),
    "a CoNLL row of another length": ("a.conll", b"The DT O\ncat NN\n", ["a.conll, line 2", "2 columns, not 3"]),
    "no Parquet": ("a.parquet", b"PAR1 nonsense PAR1", ["a.parquet: is not Parquet"]),
    "a misspelt extension": ("a.jsnl", b"{}", ["a.jsnl", "did you mean .jsonl?"]),
    "an unknown extension": ("a.xlsx", b"{}", [".xlsx", ".jsonl, .json, .csv, .tsv, .parquet, .conll"]),
    "no extension": ("data", b"{}", ["none is not one of .jsonl"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_told_in_one_line_that_names_the_place(tmp_path: Path, case: str) -> None:
    name, content, expected = BAD_FILES[case]
    with pytest.raises(DataError) as caught:
        load_data(file_of(tmp_path, name, content))
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.jsonl: no such file"):
        load_data(dataset_of(tmp_path / "absent.jsonl"))


def test_a_folder_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder, not a file"):
        load_data(dataset_of(tmp_path))


def test_a_missing_column_is_told_with_its_row_and_the_columns_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": 1, "gold": 2}\n{"question": 1, "answer": 2}\n')
    with pytest.raises(DataError) as caught:
        load_data(dataset_of(path, columns=("question", "gold")))
    assert str(caught.value) == (
        f"{path}, row 2: lacks gold; its columns are question, answer. mine needs question, gold"
    )


def test_the_number_of_rows_must_be_the_one_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n{}\n")
    assert len(load_data(dataset_of(path, row_count=2)).rows) == 2
    with pytest.raises(DataError, match="holds 2 rows, not the 3 of mine"):
        load_data(dataset_of(path, row_count=3))


def test_the_digest_is_that_of_the_bytes_for_every_format(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n')
    (tmp_path / "a.json").write_bytes(b'[{"a": 1}]\n\n')
    (tmp_path / "a.csv").write_bytes(b"a\n1\n\n")
    (tmp_path / "a.conll").write_bytes(b"a O\n\n\n")
    for path in tmp_path.iterdir():
        expected = hashlib.sha256(path.read_bytes()).hexdigest()
        assert load_data(dataset_of(path, sha256=expected)).sha256 == expected


@pytest.mark.parametrize("content", [b'{"a": 2}\n', b'{"a": 2'], ids=["still readable", "cut short"])
def test_another_file_than_the_pinned_one_is_refused_with_both_digests(tmp_path: Path, content: bytes) -> None:
    pinned = hashlib.sha256(b'{"a": 1}\n').hexdigest()
    dataset = dataset_of(file_of(tmp_path, "a.jsonl", content).source.path, sha256=pinned)  # type: ignore[attr-defined]
    with pytest.raises(DataError) as caught:
        load_data(dataset)
    assert f"has SHA-256 {hashlib.sha256(content).hexdigest()}, not the {pinned}" in str(caught.value)


def test_a_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    assert load_data(dataset_of(Path("~/a.jsonl"))).rows == ({"a": 1},)
