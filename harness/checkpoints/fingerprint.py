"""The identity of a checkpoint: a digest over every file that can change an answer."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.checkpoints.files import safe_file
from harness.checkpoints.sentence import SENTENCE_PATTERNS
from harness.checkpoints.vocabulary import TOKENIZER_PATTERNS
from harness.core.errors import CheckpointError
from harness.core.hashing import digest, file_digest

__all__ = ["file_digests", "fingerprint"]

SHA256 = re.compile(r"[0-9a-f]{64}")
PATTERNS = ("config.json", "generation_config.json", *TOKENIZER_PATTERNS, *SENTENCE_PATTERNS)


def file_digests(folder: Path, weights: Iterable[str], *, with_code: bool) -> dict[str, str]:
    """SHA-256 of each file that can change an answer, by its name in the folder.

    `weights` are the names of the weight files in use; `with_code` adds the Python files of a checkpoint that brings
    its own. Raises `CheckpointError` for a file that can't be read or is a link out of the folder.
    """
    patterns = (*PATTERNS, "**/*.py") if with_code else PATTERNS
    found = {path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)}
    names = sorted(found | set(weights))
    paths = [safe_file(folder, name) for name in names]
    try:
        with ThreadPoolExecutor() as pool:
            digests = dict(zip(names, pool.map(file_digest, paths), strict=True))
    except OSError as error:
        raise CheckpointError(
            f"can't be read ({error.strerror})", place=error.filename or folder, fix="Check its permissions"
        ) from error
    for path, sha256 in zip(paths, digests.values(), strict=True):
        _refuse_changed_blob(path, sha256)
    return digests


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
