"""The hub source, on the real `datasets` library: a folder stands for a repository, and no network is used."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import DataError, UnavailableError
from harness.data import HubSource, load_data
from tests.data.files import dataset_of

pytestmark = pytest.mark.usefixtures("own_cache")
ROWS = [{"question": "Ça va?", "choices": ["yes", "no"], "gold": 0}, {"question": "b", "choices": [], "gold": None}]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return folder


def source_of(repository: Path, split: str = "test") -> HubSource:
    return HubSource(repository=str(repository), split=split, revision="main")


def test_a_hub_data_set_is_written_once_and_then_needs_no_hub(repository: Path) -> None:
    dataset = dataset_of(repository, source=source_of(repository), columns=("question", "choices", "gold"))
    first = load_data(dataset)
    shutil.rmtree(repository)
    second = load_data(replace(dataset, sha256=first.sha256, row_count=2), offline=True)
    assert list(first.rows) == list(second.rows) == ROWS


def test_offline_and_not_cached_says_the_command_that_fetches_it(repository: Path, own_cache: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        load_data(dataset_of(repository, source=source_of(repository)), offline=True)
    assert "not in the cache, and offline" in str(caught.value)
    assert "`harness data fetch mine`" in str(caught.value)
    assert not own_cache.exists()


def test_an_unreachable_hub_says_the_command_that_fetches_it(own_cache: Path) -> None:
    source = HubSource(repository="nobody/nothing", split="test", revision="main")
    with pytest.raises(UnavailableError, match=r"can't be fetched .*`harness data fetch mine`"):
        load_data(dataset_of(Path(), source=source))
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


def test_a_split_that_the_hub_has_not_is_bad_input(repository: Path) -> None:
    with pytest.raises(DataError, match="the hub has no such data"):
        load_data(dataset_of(repository, source=source_of(repository, split="validation")))


def test_a_data_set_with_code_of_its_own_is_refused_unrun(repository: Path, tmp_path: Path) -> None:
    (repository / "repository.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(DataError, match="scripts are no longer supported"):
        load_data(dataset_of(repository, source=source_of(repository)))
    assert not (tmp_path / "ran").exists()


def test_values_that_json_cannot_hold_leave_no_half_written_file(repository: Path, own_cache: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (repository / "test.jsonl").unlink()
    pq.write_table(pa.table({"score": [0.5, float("nan")]}), repository / "test.parquet")
    with pytest.raises(DataError, match="holds a value that JSON can't"):
        load_data(dataset_of(repository, source=source_of(repository)))
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []
