"""Finds code that a checkpoint would have executed while it is loaded."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object
from harness.checkpoints.redirects import TOKENIZER_CONFIG
from harness.checkpoints.senses.processors import PROCESSOR_PATTERNS
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError

__all__ = ["carries_code", "refuse_borrowed_code", "refuse_remote_code"]

CUSTOM_GENERATE = "custom_generate"


def carries_code(folder: Path, config: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that would have code executed, each with what in it does."""
    found = [("config.json", "auto_map")] if config.get("auto_map") else []
    for name in (TOKENIZER_CONFIG, *PROCESSOR_PATTERNS):
        path = folder / name
        if path.is_file() and any(_auto_maps(read_object(path))):
            found.append((name, "auto_map"))
    if (folder / CUSTOM_GENERATE).is_dir():
        found.append((CUSTOM_GENERATE, "generate.py"))
    return found


def refuse_borrowed_code(folder: Path) -> None:
    """Refuse a folder whose configs name code of another repository, for users who trust that of this one.

    It is in no fingerprint. Raises `CheckpointError` naming the file.
    """
    for name in ("config.json", TOKENIZER_CONFIG, *PROCESSOR_PATTERNS):
        path = folder / name
        listed = list(_auto_maps(read_object(path))) if path.is_file() else []
        for repository, found, _ in (word.rpartition("--") for word in _words(listed)):
            if found:
                raise CheckpointError(
                    f"names Python code of another repository, {repository[:100]!r} (auto_map)",
                    place=path,
                    fix="If you have read that code and trust it, copy its Python files beside this one, and leave the "
                    "repository out of auto_map",
                )


def _auto_maps(content: Mapping[str, Any]) -> Iterator[Any]:
    """What names code in a config, and in its parts: a processor's has one for pictures and one for sounds."""
    left: list[Mapping[str, Any]] = [content]
    while left:
        part = left.pop()
        yield part.get("auto_map")
        left += (value for name, value in part.items() if isinstance(value, dict) and name != "auto_map")


def _words(listed: Any) -> Iterator[str]:
    """The texts in it, however it nests them."""
    left = [listed]
    while left:
        part = left.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            left += part.values() if isinstance(part, dict) else part


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
