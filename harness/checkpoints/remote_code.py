"""Finds code that a checkpoint would have executed while it is loaded."""

from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError

__all__ = ["carries_code", "refuse_remote_code"]

CUSTOM_GENERATE = "custom_generate"


def carries_code(folder: Path, config: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that would have code executed, each with what in it does."""
    found = [("config.json", "auto_map")] if config.get("auto_map") else []
    tokenizer = folder / "tokenizer_config.json"
    if tokenizer.is_file() and read_object(tokenizer).get("auto_map"):
        found.append((tokenizer.name, "auto_map"))
    if (folder / CUSTOM_GENERATE).is_dir():
        found.append((CUSTOM_GENERATE, "generate.py"))
    return found


def refuse_remote_code(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint that brings Python code of its own, for users who didn't say that they trust it.

    Raises `CheckpointError` naming the file and the two ways out.
    """
    for name, key in carries_code(checkpoint.path, dict(checkpoint.config)):
        raise CheckpointError(
            f"names Python code of the checkpoint's own ({key}), which loading it would execute",
            place=checkpoint.path / name,
            fix="Pass --trust-remote-code if you have read that code and trust it, "
            f"or remove {key} to use what transformers has for this architecture",
        )
