"""Fixtures that many tests share."""

import gc
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Looking for cycles among all that is imported finds none, takes a second each time, and copies it into every fork.
gc.disable()

# How long an example takes says something of the machine and its neighbours, nothing of the code.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.pop("COLUMNS", None)  # of the terminal of whoever runs the tests, as xdist hands it on

# A machine has one energy meter, and its lock is a temporary file: tests side by side need a folder each.
_place = f"{Path(__file__).parent}:{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
_own = Path(tempfile.gettempdir()) / f"harness-tests-{hashlib.sha256(_place.encode()).hexdigest()[:12]}"
_own.mkdir(exist_ok=True)
os.environ["TMPDIR"] = tempfile.tempdir = str(_own)
os.environ["HF_DATASETS_CACHE"] = str(_own / "datasets")  # which keeps data by their name, and ours are made up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that none is left to one worker at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """From here on look for cycles, among what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit's tests leave their script as the main module, which every process that is spawned would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama checkpoint with a real tokenizer and a chat template."""
    from tests.tiny import build_tiny_checkpoint

    return build_tiny_checkpoint(tmp_path_factory.mktemp("tiny_llama"))


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper that writes the tones of `tests.media.tones` down, trained once for all processes."""
    from tests.media.tones import shared_tiny_whisper

    return shared_tiny_whisper(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def trained_llava_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LLaVA that reads handwritten digits (see `tests.vision.digits`), trained once for all processes."""
    from tests.vision.digits import trained_llava

    own = tmp_path_factory.getbasetemp()
    return trained_llava(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
