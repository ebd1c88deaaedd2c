"""A disk that is full, and a record that was damaged: told, named, and never taken for sound."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import RecordError
from harness.record import load_record
from harness.record.journal import Journal
from harness.record.seal import read_seal
from tests.faults.conftest import ALL, Place, Tally
from tests.faults.test_kills import acknowledged, lost_responses, resumes_to_the_same_bytes

SIZES_KB = range(2, 40, 3) if ALL else [8]
TRUNCATIONS = 20
FLIPS = 50


@pytest.mark.parametrize("size_kb", SIZES_KB)
def test_no_file_may_grow_beyond_a_size(place, undisturbed, tally: Tally, size_kb):
    limit = ("small_files", size_kb * 1024)
    ended = place.run(limit, ("acknowledge", str(place.folder / "acknowledged")))
    if ended.exit_code == 0:
        pytest.skip("everything fits")
    told_how_it_goes_on(ended)
    lost = lost_responses(place)
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("no file may grow any more", survived=same, lost=lost)
    assert same
    assert lost == 0


def told_how_it_goes_on(ended) -> None:
    assert ended.exit_code == 2, ended.err
    assert "Make room and run the same command again" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB, where this user may mount one."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mounted)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)


@pytest.mark.parametrize("room_kb", [4, 8, 12, 20, 36, 50, 60, 70, 80, 90] if ALL else [20, 80])
def test_a_full_file_system(place, full_disk, undisturbed, tally: Tally, room_kb):
    """Room for the beginning, for some of the responses, for all of them but not the tables."""
    ballast = full_disk / "ballast"
    ballast.write_bytes(bytes((256 - room_kb) * 1024))
    runs = full_disk / "runs"
    (place.folder / "runs").symlink_to(runs)
    runs.mkdir()
    ended = place.run(("acknowledge", str(place.folder / "acknowledged")))
    told_how_it_goes_on(ended)
    lost = lost_responses(place) if acknowledged(place) else 0
    ballast.unlink()
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("full file system", survived=same, lost=lost)
    assert same
    assert lost == 0


def copy_of(record: Path, folder: Path) -> Path:
    return Path(shutil.copytree(record, folder / record.name))


def sealed_files(record: Path) -> list[Path]:
    names = [*read_seal(record).files, "seal.json"]
    return [path for name in sorted(names) if (path := record / name).stat().st_size]


def test_truncated_at_any_offset_the_file_is_named(undisturbed, tmp_path, tally: Tally):
    record = copy_of(undisturbed.record, tmp_path)
    files = sealed_files(record)
    for number in range(TRUNCATIONS):
        path = files[number % len(files)]
        content = path.read_bytes()
        path.write_bytes(content[: random.Random(number).randrange(len(content))])
        found = faults_in(record)
        tally.add("sealed record truncated", survived=path.name in found)
        assert path.name in found
        path.write_bytes(content)
    assert faults_in(record) == ""


def test_with_any_bit_flipped_the_file_is_named(undisturbed, tmp_path, tally: Tally):
    record = copy_of(undisturbed.record, tmp_path)
    files = sealed_files(record)
    for number in range(FLIPS):
        path = files[number % len(files)]
        content = bytearray(path.read_bytes())
        bit = random.Random(number).randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        found = faults_in(record)
        tally.add("bit flipped in a sealed record", survived=path.name in found)
        assert path.name in found
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
    assert faults_in(record) == ""


def faults_in(record: Path) -> str:
    try:
        return "; ".join(load_record(record).verify())
    except RecordError as error:
        return str(error)


def unfinished(place: Place, undisturbed: Place) -> Path:
    """The journal of a run that is as good as done, but not sealed."""
    shutil.copytree(undisturbed.record, place.folder / "runs" / undisturbed.record.name)
    (place.record / "seal.json").unlink()
    return place.record / "journal.jsonl"


@pytest.mark.parametrize("number", range(TRUNCATIONS if ALL else 2))
def test_an_unfinished_record_that_was_truncated_goes_on(place, undisturbed, tally: Tally, number):
    journal = unfinished(place, undisturbed)
    size = journal.stat().st_size
    os.truncate(journal, random.Random(number).randrange(size * 9 // 10))
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("journal truncated", survived=same)
    assert same


def test_a_flipped_bit_in_an_unfinished_record_is_named_or_computed_again(undisturbed, tmp_path, tally: Tally):
    content = (undisturbed.record / "journal.jsonl").read_bytes()
    lines = content.splitlines(keepends=True)
    for number in range(FLIPS):
        path = tmp_path / f"journal-{number}.jsonl"
        changed = bytearray(content)
        bit = random.Random(number).randrange(8 * len(content))
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        at = next(n for n in range(len(lines)) if sum(map(len, lines[: n + 1])) > bit // 8)
        try:
            journal = Journal(path)
        except RecordError as error:
            held = path.name in str(error) and f"line {at + 1}" in str(error)
        else:
            # A bit of the last line: it is taken for half-written, cut off, and asked again.
            held = at == len(lines) - 1 and len(journal.entries) == len(lines) - 1
            journal.close()
        tally.add("bit flipped in a journal", survived=held)
        assert held, (number, at)


def test_a_damaged_journal_stops_the_command_and_names_the_line(place, undisturbed):
    journal = unfinished(place, undisturbed)
    content = bytearray(journal.read_bytes())
    content[40] ^= 1
    journal.write_bytes(content)
    ended = place.run()
    assert ended.exit_code == 2
    assert "journal.jsonl: line 1 is damaged" in ended.err
    assert "Traceback" not in ended.err
