"""What pins the code of a run."""

import shutil
import subprocess
import sys
from pathlib import Path

import harness

SCRIPT = "from harness.record.environment import package_versions; print(package_versions()['harness-code'])"


def code_digest(folder: Path) -> str:
    printed = subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, capture_output=True, text=True, check=True)
    return printed.stdout


def test_changing_any_line_of_the_harness_changes_the_digest_of_its_code(tmp_path):
    package = Path(harness.__file__).parent
    shutil.copytree(package, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    before = code_digest(tmp_path)
    assert before == code_digest(package.parent)
    with (tmp_path / "harness" / "engine" / "scoring.py").open("a") as stream:
        stream.write("# a change\n")
    assert code_digest(tmp_path) != before
