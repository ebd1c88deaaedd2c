"""What the tests of bad checkpoints share: how a refusal is caught, and how a header is rewritten."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints import resolve
from harness.core.errors import CheckpointError, HarnessError


def refusal(ref: Path | str, kind: type[HarnessError] = CheckpointError) -> HarnessError:
    """The error that resolving gives: of one line, with a place and a next step."""
    with pytest.raises(kind) as caught:
        resolve(str(ref))
    error = caught.value
    assert error.place
    assert error.fix
    assert "\n" not in str(error)
    return error


def rewrite_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit the JSON header of a safetensors file and leave its data as they are."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
