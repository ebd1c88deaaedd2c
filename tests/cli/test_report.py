"""`harness report` as a user types it."""

from pathlib import Path

import pytest

from harness.record import RunRecord
from tests.report.conftest import hostile_run  # noqa: F401 - a fixture


@pytest.fixture
def run(hostile_run: RunRecord) -> RunRecord:  # noqa: F811
    return hostile_run


def test_it_writes_what_is_asked_for(harness_here, run: RunRecord, tmp_path: Path) -> None:
    done = harness_here("report", run.folder, "--pdf", "a.pdf", "--html", "a.html", "--markdown", "a.md")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert "<h2>Summary</h2>" in (tmp_path / "a.html").read_text()
    assert "## Summary" in (tmp_path / "a.md").read_text()


def test_it_signs_what_it_writes(harness_here, run: RunRecord, tmp_path: Path) -> None:
    harness_here("keys", "new", "--out", "keys")
    (tmp_path / "keys" / "harness.key").chmod(0o644)
    done = harness_here("report", run.folder, "--markdown", "a.md", "--key", "keys/harness.key")
    assert done.returncode == 0
    assert "others on this machine may read" in done.stderr
    assert "the one you gave" in harness_here("verify", "a.md", "--public-key", "keys/harness.pub").stdout
    (tmp_path / "a.md").write_text((tmp_path / "a.md").read_text() + " ")
    changed = harness_here("verify", "a.md", "--public-key", "keys/harness.pub")
    assert (changed.returncode, "a.md is not the file signed" in changed.stderr) == (2, True)
    refused = harness_here("report", run.folder, "--markdown", "b.md", "--key", "keys/harness.pub")
    assert (refused.returncode, "holds a public key" in refused.stderr) == (2, True)
    assert not (tmp_path / "b.md").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to write"),
        (["--pdf", "no/such/folder/a.pdf"], "can't be written"),
        (["--html", "a.html", "--language", "zk"], "known: en, zh"),
        (["--html", "a.html", "--paper", "a5"], "known: a4, us-letter"),
        (["--html", "a.html", "--gate", "strict"], "no such policy with a verdict"),
        (["--html", "a.html", "--baseline", "no-such-run"], "no such run"),
    ],
)
def test_bad_input_is_told_in_one_line(harness_here, run: RunRecord, arguments: list[str], told: str) -> None:
    done = harness_here("report", run.folder, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
