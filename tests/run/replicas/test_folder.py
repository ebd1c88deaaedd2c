"""The folder of a cluster ends with its owner: by the owner, or by the next one where that was killed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.run.replicas.folder import cluster_folder

OWNER = """
import sys, time
from harness.run.replicas.folder import cluster_folder
with cluster_folder() as folder:
    (folder / "session").mkdir()
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of temporary files, with a name short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def owner() -> tuple[subprocess.Popen[str], Path]:
    """A process that has a folder, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_gone_with_its_owner_or_with_the_next_one(place: Path) -> None:
    killed, left = owner()
    alive, held = owner()
    others = place / "ray-of-somebody"
    others.mkdir()
    killed.kill()
    killed.wait()
    assert left.exists()
    try:
        with cluster_folder() as own:
            assert set(place.iterdir()) == {own, held, others}
    finally:
        alive.kill()
        alive.wait()
    assert set(place.iterdir()) == {held, others}
