"""Reads a checkpoint's files without trusting them: no links out of the folder, no devices, no endless JSON."""

import json
import stat
from pathlib import Path
from typing import Any

from harness.core.errors import CheckpointError
from harness.core.process.heap import uncollected
from harness.core.text.jsontext import refuse_half_pairs

__all__ = ["exists", "read_object", "safe_file"]

COPY = "Copy the file itself into the folder"


def exists(path: Path) -> bool:
    """Whether something is there; False too for what can't be a path at all."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def safe_file(folder: Path, name: str) -> Path:
    """The path of the regular file `name` in the folder.

    A link may lead elsewhere in the folder, or, from a snapshot in a hub's cache, to the `blobs` beside it; one that
    leads out would let a digest of the folder cover other bytes than are loaded. Raises `CheckpointError`.
    """
    path = folder / name
    try:
        real, root = path.resolve(strict=True), folder.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as error:
        raise CheckpointError("is missing, or a link that leads nowhere", place=path, fix=COPY) from error
    blobs = root.parent.parent / "blobs" if root.parent.name == "snapshots" else None
    if not real.is_relative_to(root) and real.parent != blobs:
        raise CheckpointError(f"is a link out of the folder, to {real}", place=path, fix=COPY)
    if not stat.S_ISREG(mode):
        raise CheckpointError("is not a regular file", place=path, fix=COPY)
    return path


def read_object(path: Path, *, limit_bytes: int = 16 << 20) -> dict[str, Any]:
    """The JSON object in a file of at most `limit_bytes`. Raises `CheckpointError` for anything else, NaN among it."""
    fix = "Download this file from the checkpoint's publisher again"
    try:
        size = path.stat().st_size
        if size > limit_bytes:
            raise CheckpointError(f"has {size:,} bytes; the limit is {limit_bytes:,}", place=path, fix=fix)
        text = path.read_text(encoding="utf-8")
        # A tokenizer's is a hundred thousand lists, none of them in a cycle.
        with uncollected():
            value = json.loads(text, parse_constant=_constant)
        refuse_half_pairs(text, value)
    except OSError as error:
        raise CheckpointError(f"can't be read ({error.strerror})", place=path, fix="Check its permissions") from error
    except RecursionError as error:
        raise CheckpointError("is nested too deeply to be read", place=path, fix=fix) from error
    except ValueError as error:
        # Python's own words are about one of its functions, which is nothing that a user could call.
        reason = "a number in it is too long" if "int_max_str_digits" in str(error) else error
        raise CheckpointError(f"is not valid JSON ({reason})", place=path, fix=fix) from error
    if not isinstance(value, dict):
        raise CheckpointError("is not a JSON object", place=path, fix=fix)
    return value


def _constant(word: str) -> float:
    # Infinity stands in the configs of real state-space models (their time-step limits); NaN in none.
    if word == "NaN":
        raise ValueError("it holds NaN")
    return float(word)
