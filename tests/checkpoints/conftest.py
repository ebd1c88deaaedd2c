"""A copy of the tiny checkpoint to break, and tools to break it with."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edit = Callable[..., None]


@pytest.fixture
def folder(tiny_llama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama, tmp_path / "model"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Set fields of one of the folder's JSON files; None removes one."""

    def change(name: str, **fields: Any) -> None:
        path = folder / name
        value = {**json.loads(path.read_text("utf-8")), **fields}
        path.write_text(json.dumps({key: item for key, item in value.items() if item is not None}), "utf-8")

    return change
