"""Checkpoints in a folder on this machine."""

import os
import re
from pathlib import Path

from harness.checkpoints.files import exists
from harness.core.checkpoints import SourceOptions
from harness.core.errors import CheckpointError

__all__ = ["LocalCheckpoints", "is_hub_id"]

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def is_hub_id(ref: str) -> bool:
    """Whether a reference is spelt as a hub's, and not as a path."""
    return HUB_ID.fullmatch(ref) is not None and ref[0] not in "./~"


class LocalCheckpoints:
    """A folder that transformers can load, as `save_pretrained` writes it."""

    rank = 20

    def accepts(self, ref: str) -> bool:
        """Whether the reference exists on disk, or is spelt as a path and can't be a hub id."""
        if not ref or "\0" in ref:
            return False
        return exists(Path(ref).expanduser()) or ref[0] in "./~" or (os.sep in ref and not HUB_ID.fullmatch(ref))

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:  # noqa: ARG002
        """The folder itself. Raises `CheckpointError` if it isn't there or is a file."""
        folder = Path(ref).expanduser()
        if not exists(folder):
            raise CheckpointError("no such path", place=ref, fix="Check the spelling, and the folder you are in")
        if not folder.is_dir():
            raise CheckpointError(
                "is a file, not a checkpoint's folder",
                place=ref,
                fix=f"If it belongs to a checkpoint, give the folder it is in: {folder.absolute().parent}",
            )
        if not os.access(folder, os.R_OK | os.X_OK):
            raise CheckpointError("can't be read", place=ref, fix="Check the folder's permissions")
        return folder, f"folder {folder.resolve()}"
