"""What pins the code of a run."""

import shutil
from pathlib import Path

import harness
from tests.forks import python

SCRIPT = "from harness.record.environment import package_versions; print(package_versions()['harness-code'])"


def code_digest(folder: Path) -> str:
    done = python("-c", SCRIPT, cwd=folder, path=(folder,))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_changing_any_line_of_the_harness_changes_the_digest_of_its_code(tmp_path):
    package = Path(harness.__file__).parent
    shutil.copytree(package, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    before = code_digest(tmp_path)
    assert before == code_digest(package.parent)
    with (tmp_path / "harness" / "engine" / "scoring.py").open("a") as stream:
        stream.write("# a change\n")
    assert code_digest(tmp_path) != before
