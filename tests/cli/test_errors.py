"""What is wrong with an input is one line that names it, says what is wrong, and what to do."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.store.records import make_record


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_record(tmp_path_factory.mktemp("kept") / "runs", n=4).folder


@pytest.fixture
def told(monkeypatch, capsys, tmp_path):
    """Run a command that has to be refused; its one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_STORE", raising=False)

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        line = capsys.readouterr().err
        assert line.startswith("harness: ")
        assert line.count("\n") == 1
        return line.strip()

    return command


@pytest.mark.parametrize(
    ("name", "content", "arguments", "what"),
    [
        ("seal.json", "{}", ("show", "copy"), "is not a seal"),
        ("seal.json", "{", ("show", "copy"), "is not a seal"),
        ("seal.json", "{", ("runs", "--records", "."), "is not a seal"),
        ("spec.json", "{", ("runs", "--records", "."), "is not JSON"),
        ("spec.json", "{", ("show", "copy"), "is not JSON"),
    ],
)
def test_a_damaged_file_of_a_record_is_named_with_the_way_out(name, content, arguments, what, told, kept, tmp_path):
    shutil.copytree(kept, tmp_path / "copy")
    (tmp_path / "copy" / name).write_text(content, "utf-8")
    line = told(*arguments)
    assert f"copy/{name}: {what}. Take the record from a copy" in line


def test_a_file_that_is_no_proof_or_no_policy_is_told_from_one(told, kept, tmp_path):
    (tmp_path / "proof.json").write_text("{}", "utf-8")
    assert "proof.json: is not a proof of a sample: it lacks 'type'. Give the file" in told("verify", "proof.json")
    (tmp_path / "policy.yaml").write_text("rules: {}\n", "utf-8")
    assert re.search(r"is missing\. `harness policy init RUN`", told("gate", str(kept), "--policy", "policy.yaml"))


def test_a_folder_that_is_not_there_is_told_and_not_made(told, tmp_path):
    said = "harness: rnus: is not a folder. Give the folder that holds the runs"
    assert told("index", "rnus") == told("index", "--records", "rnus") == said
    line = told("show", "1a2b", "--records", "rnus")
    assert "no such run in rnus, which is no folder" in line
    assert "--records" in line
    assert not (tmp_path / "rnus").exists()


def test_a_list_of_no_runs_says_where_there_is_no_folder(told):
    line = "harness: rnus: there is no such folder. `harness eval` makes one; another is named with --records"
    assert told("runs", "--records", "rnus") == line
