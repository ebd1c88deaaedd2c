"""The identity of a checkpoint: a digest over every file that can change an answer."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.checkpoints.files import safe_file
from harness.checkpoints.loading.held import read_stamped
from harness.checkpoints.senses.processors import PROCESSOR_PATTERNS
from harness.checkpoints.sentence import SENTENCE_PATTERNS
from harness.checkpoints.vocabulary import TOKENIZER_PATTERNS
from harness.core.checkpoints import Stamp
from harness.core.errors import CheckpointError
from harness.core.text.hashing import digest

__all__ = ["file_digests", "fingerprint"]

SHA256 = re.compile(r"[0-9a-f]{64}")
PATTERNS = ("config.json", "generation_config.json", *TOKENIZER_PATTERNS, *SENTENCE_PATTERNS, *PROCESSOR_PATTERNS)


def file_digests(
    folder: Path, weights: Iterable[str], *, with_code: bool
) -> tuple[dict[str, str], dict[str, Stamp | None]]:
    """SHA-256 and stamp of each file that can change an answer, by its name in the folder.

    `weights` are the names of the weight files in use; `with_code` adds the Python files of a checkpoint that brings
    its own. Raises `CheckpointError` for a file that can't be read or is a link out of the folder.
    """
    patterns = (*PATTERNS, "**/*.py") if with_code else PATTERNS
    matching = {path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)}
    names = sorted(matching | set(weights))
    paths = [safe_file(folder, name) for name in names]
    try:
        with ThreadPoolExecutor() as pool:
            found = dict(zip(names, pool.map(read_stamped, paths), strict=True))
    except OSError as error:
        raise CheckpointError(
            f"can't be read ({error.strerror})", place=error.filename or folder, fix="Check its permissions"
        ) from error
    for path, (sha256, _) in zip(paths, found.values(), strict=True):
        _refuse_changed_blob(path, sha256)
    return {name: sha256 for name, (sha256, _) in found.items()}, {name: stamp for name, (_, stamp) in found.items()}


def _refuse_changed_blob(path: Path, sha256: str) -> None:
    """Refuse a file of a hub's cache that isn't what was downloaded: a large file's blob is called by its SHA-256."""
    promised = path.resolve().name
    if path.is_symlink() and SHA256.fullmatch(promised) and promised != sha256:
        raise CheckpointError(
            f"was changed since it was downloaded: its SHA-256 is {sha256}, and its blob in the hub's cache is called "
            f"{promised}",
            place=path,
            fix=f"Delete {path.resolve()}, and download the checkpoint again with `hf download`",
        )


def fingerprint(digests: dict[str, str]) -> str:
    """SHA-256 of the canonical JSON of the digests; the same whatever the folder is called."""
    return digest(digests)
