"""Scenes of a model that sees or hears, with a suite about pictures or sounds of one's own."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.corpus.entry import Scene
from tests.media.listening import build_tiny_qwen2_audio
from tests.vision.checkpoints import build_tiny_llava

__all__ = ["heard", "seen"]

_CHOICE = """
name: mine
tasks:
  - name: questions
    type: {kind}_choice
    data: rows.jsonl
    {column}: file
    prompt: "Which is it?"
    choices: [a fox, a dog]
    gold: name
"""


def seen(scene: Scene, name: str, content: bytes | None) -> None:
    """A model that sees is asked about the picture of that name, which holds these bytes; None leaves it out."""
    _asked(scene, _llava(), _CHOICE.format(kind="visual", column="image"), name, content)


def heard(scene: Scene, name: str, content: bytes | None) -> None:
    """The same of a model that hears, and of a sound."""
    _asked(scene, _qwen2_audio(), _CHOICE.format(kind="audio", column="audio"), name, content)


def _asked(scene: Scene, model: Path, suite: str, name: str, content: bytes | None) -> None:
    shutil.rmtree(scene.model)
    shutil.copytree(model, scene.model)
    (scene.folder / "mine.yaml").write_text(suite)
    (scene.folder / "rows.jsonl").write_text(json.dumps({"file": name, "name": "a fox"}) + "\n")
    if content is not None:
        (scene.folder / name).write_bytes(content)


@cache
def _llava() -> Path:
    return build_tiny_llava(Path(tempfile.mkdtemp()) / "llava")


@cache
def _qwen2_audio() -> Path:
    return build_tiny_qwen2_audio(Path(tempfile.mkdtemp()) / "qwen2_audio")
