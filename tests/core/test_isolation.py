"""Steps in a copy of this process, beside what this process does."""

import os
import sys
import time
from pathlib import Path

import pytest

from harness.core.process.isolation import StepFailed, begun_apart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies processes safely")


def _waiting_for(path: Path) -> str:
    while not path.exists():
        time.sleep(0.01)
    return path.read_text("utf-8")


def test_the_block_goes_on_while_the_step_runs(tmp_path: Path) -> None:
    # Each step ends only by what this process does after both have begun.
    paths = tmp_path / "one", tmp_path / "other"
    with (
        begun_apart(lambda: _waiting_for(paths[0]), timeout_s=60) as one,
        begun_apart(lambda: _waiting_for(paths[1]), timeout_s=60) as other,
    ):
        for path in paths:
            (tmp_path / "written").write_text(path.name, "utf-8")
            (tmp_path / "written").rename(path)
        assert (other(), one()) == ("other", "one")


def test_what_a_step_raises_is_told_when_it_is_waited_for() -> None:
    with begun_apart(lambda: 1 // 0, timeout_s=60) as result, pytest.raises(StepFailed, match="ZeroDivisionError"):
        result()


def test_a_step_that_nobody_waits_for_is_ended_with_the_block(tmp_path: Path) -> None:
    def step() -> None:
        (tmp_path / "written").write_text(str(os.getpid()), "utf-8")
        (tmp_path / "written").rename(tmp_path / "pid")
        time.sleep(600)

    with begun_apart(step, timeout_s=60):
        pid = int(_waiting_for(tmp_path / "pid"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
