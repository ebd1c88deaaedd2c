"""What a stranger's template or pattern may take: it ends, says why, and leaves the process as it was."""

import re
import resource
import signal
import subprocess
import sys

import pytest

from harness.core.process.time_limit import OverLimit, time_limit

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems don't bound a process's data")


def _endless() -> None:
    while True:
        pass


def _catching() -> None:
    for _ in range(2):
        try:
            _endless()
        except BaseException:  # what a stranger may do
            continue


def _nested() -> None:
    with pytest.raises(OverLimit, match=r"0\.05 seconds"), time_limit(0.05):
        _endless()
    with time_limit(60):
        _endless()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+$", "a" * 60 + "b"),
        (r"(x+x+)+y", "x" * 80),
        (r"(.*)*(.*)*=", "a" * 4000),
        (r"(?:a?){40}a{40}(a|aa)+$", "a" * 60 + "!"),
    ],
)
def test_a_pattern_that_backtracks_is_ended(pattern: str, text: str) -> None:
    with pytest.raises(OverLimit, match=r"more than 0\.1 seconds"), time_limit(0.1):
        re.search(pattern, text)


def test_code_that_catches_everything_is_ended() -> None:
    with pytest.raises(OverLimit), time_limit(0.1):
        _catching()


@linux
def test_a_text_without_end_is_refused_its_memory() -> None:
    with pytest.raises(OverLimit, match="more than 64 MB of memory"), time_limit(memory_bytes=64 << 20):
        "a" * 10**9


def test_the_nearer_of_two_limits_holds() -> None:
    with pytest.raises(OverLimit, match=r"0\.2 seconds"), time_limit(0.2):
        _nested()


def test_other_errors_pass_and_nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGPROF), resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(KeyError), time_limit():
        {}["missing"]
    with time_limit():
        assert re.fullmatch("a+", "aaa")
    assert (signal.getsignal(signal.SIGPROF), resource.getrlimit(resource.RLIMIT_DATA)) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


ONE_STEP = """
from harness.core.process.time_limit import end_where_stuck, time_limit
end_where_stuck()
first, second = [1], [1]
for _ in range(60):
    first, second = [first, first], [second, second]
with time_limit(60), time_limit(0.1):
    first == second
"""


@linux
def test_a_step_that_hears_no_alarm_ends_the_process_with_one_line() -> None:
    """Two lists of 120 that stand for 2^60 values each: Python compares them without a look at signals."""
    ended = subprocess.run([sys.executable, "-c", ONE_STEP], capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 2
    assert ended.stderr.startswith("harness: ")
    assert ended.stderr.count("\n") == 1
