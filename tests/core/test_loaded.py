"""Code that was edited after a process had loaded it: the process would go on with what it has."""

import importlib
import sys

import pytest

from harness.core.errors import TaskError
from harness.core.process.reachable import code_digest


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A script, and the file of a helper that it imports; forgotten again by the process."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "metric_beside.py").write_text("import helper_beside\n")
    (tmp_path / "helper_beside.py").write_text("LIMIT = 1\n")
    yield tmp_path / "helper_beside.py"
    sys.modules.pop("helper_beside", None)


def test_an_edit_behind_a_loaded_module_is_refused_until_it_is_loaded_anew(helper):
    script = helper.with_name("metric_beside.py")
    before = code_digest([script])
    loaded = importlib.import_module("helper_beside")  # as a script does when it scores
    assert code_digest([script]) == before
    helper.write_text("LIMIT = 22\n")
    for _ in range(2):
        with pytest.raises(TaskError, match=r"helper_beside\.py: was edited after it had been loaded"):
            code_digest([script])
    assert loaded.LIMIT == 1  # which is why
    assert importlib.reload(loaded).LIMIT == 22
    assert code_digest([script]) != before


def test_a_module_loaded_between_two_looks_is_taken_to_be_the_older_one(helper):
    script = helper.with_name("metric_beside.py")
    code_digest([script])
    importlib.import_module("helper_beside")
    helper.write_text("LIMIT = 22\n")
    with pytest.raises(TaskError, match="was edited"):
        code_digest([script])


def test_an_edit_of_what_is_not_loaded_is_but_another_digest(helper):
    script = helper.with_name("metric_beside.py")
    before = code_digest([script])
    helper.write_text("LIMIT = 22\n")
    assert code_digest([script]) != before
