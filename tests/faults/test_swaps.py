"""Files of a checkpoint that are exchanged while it is loaded: what is sealed is what was hashed, or nothing is."""

import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading import held
from harness.checkpoints.loading.loader import load_model
from harness.cli.process.bus_error import end_clearly
from harness.core.errors import CheckpointError
from harness.record import load_record
from tests.faults.conftest import new_place
from tests.faults.test_signals import some_answers, wait_for
from tests.tiny import build_tiny_checkpoint

WEIGHTS = "model.safetensors"


def renamed(model: Path, other: Path, name: str) -> Callable[[], None]:
    """Another file takes the name for a while."""
    (model / name).rename(model / "away")
    shutil.copy(other / name, model / name)
    return lambda: (model / "away").rename(model / name) and None


def written_over(model: Path, other: Path, name: str) -> Callable[[], None]:
    """Other bytes are written into the same file, and its times set back."""
    before, times = (model / name).read_bytes(), (model / name).stat()

    def write(content: bytes) -> None:
        with (model / name).open("r+b") as stream:
            stream.truncate(len(content))
            stream.write(content)
        os.utime(model / name, ns=(times.st_atime_ns, times.st_mtime_ns))

    write((other / name).read_bytes())
    return lambda: write(before)


def folder_exchanged(model: Path, other: Path, name: str) -> Callable[[], None]:
    """The whole folder is another for a while; none of its files is touched."""
    away = model.with_name("away")
    model.rename(away)
    other.rename(model)

    def back() -> None:
        model.rename(other)
        away.rename(model)

    return back


WAYS = (renamed, written_over, folder_exchanged)


@pytest.fixture
def two_models(tmp_path: Path) -> tuple[Path, Path]:
    """Checkpoints that differ in weights and tokenizer."""
    return build_tiny_checkpoint(tmp_path / "model"), build_tiny_checkpoint(tmp_path / "other", seed=1)


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json", "config.json"])
@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_another_when_it_is_opened_is_refused(two_models, way, name):
    model, other = two_models
    for file in ("tokenizer.json", "config.json"):
        (other / file).write_bytes((other / file).read_bytes() + b"\n")
    found = resolve(str(model))
    way(model, other, name)
    with pytest.raises(CheckpointError, match="changed since it was looked at"):
        load_model(found, dtype="float32", device="cpu")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_loaded_is_what_was_hashed_whatever_the_path_leads_to_meanwhile(two_models, way, monkeypatch):
    """The files are exchanged once they are held, and back before anybody looks again."""
    model, other = two_models
    found = resolve(str(model))
    sound = load_model(found, dtype="float32", device="cpu").model.state_dict()
    real = held._lead

    def exchanged(target: Path, path: Path, descriptor: int) -> None:
        real(target, path, descriptor)
        backs.append(way(model, other, WEIGHTS))

    backs: list[Callable[[], None]] = []
    monkeypatch.setattr(held, "_lead", exchanged)
    loaded = load_model(found, dtype="float32", device="cpu")
    backs[0]()
    assert not loaded.mapped
    assert all(bool((sound[name] == tensor).all()) for name, tensor in loaded.model.state_dict().items())


def test_a_file_that_was_only_touched_is_loaded(two_models):
    model, _ = two_models
    found = resolve(str(model))
    (model / WEIGHTS).touch()
    (model / WEIGHTS).chmod(0o600)
    assert load_model(found, dtype="float32", device="cpu").model is not None


@pytest.mark.parametrize("way", WAYS)
def test_files_that_are_mapped_for_lack_of_memory_must_not_be_written_at_all(two_models, way, monkeypatch):
    model, other = two_models
    monkeypatch.setattr(held, "_has_room", lambda *_: False)
    found = resolve(str(model))
    real = held._lead

    def exchanged(target: Path, path: Path, descriptor: int) -> None:
        real(target, path, descriptor)
        way(model, other, WEIGHTS)()

    monkeypatch.setattr(held, "_lead", exchanged)
    if way is written_over or way is renamed:
        with pytest.raises(CheckpointError, match="changed since it was looked at"):
            load_model(found, dtype="float32", device="cpu")
    else:
        assert load_model(found, dtype="float32", device="cpu").mapped


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(two_models):
    model, _ = two_models
    found = resolve(str(model))
    (model / WEIGHTS).unlink()
    os.mkfifo(model / WEIGHTS)
    with pytest.raises(CheckpointError, match="changed since it was looked at"):
        load_model(found, dtype="float32", device="cpu")


def test_weights_that_are_cut_short_in_place_leave_the_answers(two_models, tmp_path, start_process):
    model, _ = two_models
    place = new_place(tmp_path / "place", model, start_process)
    started = place.start(("slow", 0.1))
    wait_for(lambda: some_answers(place), started)
    os.truncate(model / WEIGHTS, 100)
    ended = started.end()
    assert ended.exit_code == 2
    assert "model.safetensors changed while the run was going on" in ended.err
    assert load_record(place.record).state == "started"


def test_a_mapped_file_that_is_cut_short_ends_the_process_with_one_line(tmp_path):
    path = tmp_path / "mapped"
    path.write_bytes(bytes(1 << 20))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 2)
        end_clearly()
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            os.truncate(path, 10)
            os._exit(mapped[1 << 19])
    os.close(writing)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    said = os.read(reading, 1000).decode()
    os.close(reading)
    assert said.startswith("harness: a file that was being read became shorter")
    assert said.count("\n") == 1
