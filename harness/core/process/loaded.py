"""What this process has loaded stays as it was, whatever becomes of the files: edits behind its back are found."""

import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.errors import TaskError

__all__ = ["refuse_edited"]

_before: dict[Path, tuple[str, Any]] = {}
"""Digest of each file when it was last looked at, and the spec of the module that was loaded from it, if any was."""


def refuse_edited(digests: Mapping[Path, str]) -> None:
    """Raises `TaskError` for a file that was edited since it was last looked at, and is loaded as it was before.

    Its module would score by the older code, under the digest of the newer. One that was loaded anew in between, by
    `importlib.reload` say, is as it stands in the file.
    """
    specs = _specs(digests)
    for file, digest in digests.items():
        spec = specs.get(file)
        known, loaded = _before.get(file, (digest, None))
        # A new module has a new spec; one that is loaded for the first time was so while the file was as before.
        if digest != known and spec is not None and (loaded is None or loaded is spec):
            raise TaskError(
                "was edited after it had been loaded, and would score as it was before",
                place=file,
                fix="Restart Python, or reload the module with importlib.reload",
            )
        _before[file] = digest, spec


def _specs(files: Iterable[Path]) -> dict[Path, Any]:
    names = {file.name for file in files}
    found: dict[Path, Any] = {}
    for module in [*sys.modules.values()]:
        known = getattr(module, "__dict__", {})
        place = known.get("__file__")
        if isinstance(place, str) and place.rsplit(os.sep, 1)[-1] in names:  # of thousands of modules
            found[_resolved(place)] = known.get("__spec__")
    return found


@cache
def _resolved(place: str) -> Path:
    return Path(place).resolve()
