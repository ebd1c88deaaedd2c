"""The journal: durable, checked, honest about damage."""

import json
import resource
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import RecordError
from harness.record.journal import Journal, read_lines

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
entries = st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=4), max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries)
def test_what_was_appended_is_read_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    journal.append(written)
    journal.close()
    again = Journal(path)
    again.close()
    assert again.entries == written
    assert again.dropped_bytes == 0


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"n": n, "text": "中文" * n} for n in range(5))
    journal.close()
    return path


def test_every_line_is_json_for_others_to_read(written):
    assert [json.loads(line)["entry"]["n"] for line in written.read_text().splitlines()] == [0, 1, 2, 3, 4]


def test_a_half_written_last_line_is_cut_off_wherever_it_was_cut(written):
    whole = written.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last + 1, len(whole)):
        written.write_bytes(whole[:end])
        journal = Journal(written)
        journal.append([{"n": "after"}])
        journal.close()
        assert journal.dropped_bytes == end - last
        assert [entry["n"] for entry, _ in read_lines(written)] == [0, 1, 2, 3, "after"]


def test_damage_before_the_end_is_an_error_that_names_the_line(written):
    content = bytearray(written.read_bytes())
    content[content.index(b'"n":2') + 4] = ord("7")
    written.write_bytes(content)
    with pytest.raises(RecordError, match="line 3 is damaged"):
        Journal(written)


def test_a_full_disk_is_an_error_and_what_was_acknowledged_stays(tmp_path):
    """A child process may write 4 KB to a file and no more; it appends until it is refused."""
    script = """
import sys
from pathlib import Path
from harness.core.errors import RecordError
from harness.record.journal import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(1000):
    try:
        journal.append([{"n": n, "text": "x" * 100}])
    except RecordError as error:
        print(error)
        sys.exit(7)
    print(n, flush=True)
"""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    path = tmp_path / "journal.jsonl"
    child = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, preexec_fn=limit, check=False
    )
    *acknowledged, message = child.stdout.splitlines()
    assert child.returncode == 7
    assert "Make room" in message
    assert str(path) in message
    journal = Journal(path)
    journal.append([{"n": "after"}])
    journal.close()
    assert [entry["n"] for entry, _ in read_lines(path)] == [*map(int, acknowledged), "after"]
