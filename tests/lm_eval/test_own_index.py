"""What comes with lm-eval is read once; a small folder stands for its 14,000 files."""

import shutil

import lm_eval.tasks
import pytest
from lm_eval.tasks._index import TaskIndex

from harness.lm_eval.own_index import own_index

TASK = "task: {}\ndataset_path: json\ntag: riddles\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    folder = tmp_path / "tasks"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "one.yaml").write_text(TASK.format("one"))
    (folder / "below" / "_shared_yaml").write_text("tag: shared\ndataset_path: json\n")
    (folder / "two.yaml").write_text("task: two\ninclude: below/_shared_yaml\n")
    (folder / "both.yaml").write_text("group: both\ntask: [one, two]\n")
    monkeypatch.setattr(lm_eval.tasks, "__file__", str(folder / "__init__.py"))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    yield folder
    own_index.cache_clear()


def read():
    """As a process of its own would."""
    own_index.cache_clear()
    return {name: (entry.kind, entry.yaml_path, entry.tags) for name, entry in own_index().items()}


def built(folder):
    return {name: (one.kind, one.yaml_path, one.tags) for name, one in TaskIndex.build([folder]).items()}


def test_what_was_kept_is_what_lm_eval_builds(place):
    assert read() == built(place)
    assert read() == built(place)
    assert {"one", "two", "both", "riddles", "shared"} == set(read())


@pytest.mark.parametrize("name", ["two.yaml", "below/_shared_yaml"])
def test_a_changed_file_is_seen(place, name):
    read()
    (place / name).write_text((place / name).read_text() + "\ntag: another\n")
    assert "another" in built(place)
    assert read() == built(place)


def test_a_new_file_is_seen(place):
    read()
    (place / "below" / "three.yaml").write_text(TASK.format("three"))
    assert read()["riddles"][2] == {"one", "three"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"one": ["TASK", 99, []]}', b'{"one": ["COW", 1, []]}'])
def test_a_damaged_file_is_read_anew(place, tmp_path, damage):
    read()
    (kept,) = (tmp_path / "cache" / "lm-eval").iterdir()
    kept.write_bytes(damage)
    assert read() == built(place)


def test_without_room_for_it_nothing_else_changes(place, tmp_path):
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    (tmp_path / "cache").write_text("no folder")
    assert read() == built(place)


def test_a_link_to_nothing_stops_nobody(place):
    (place / ".#lock.yaml").symlink_to(place / "nowhere")
    assert read() == built(place)
