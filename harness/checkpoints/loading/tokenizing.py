"""Reads a tokenizer from a folder of files that were checked."""

from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerBase

from harness.checkpoints.files import read_object
from harness.checkpoints.redirects import TOKENIZER_CONFIG, names_file

__all__ = ["read_tokenizer", "unopened_files"]


def read_tokenizer(folder: Path, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder, by transformers.

    Files that its config names by their paths are not opened: those are of the machine that it was written on, or of
    whatever its author likes.
    """
    tokenizer: PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=trust_remote_code,
        **unopened_files(folder),
    )
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise TypeError(f"a {type(tokenizer).__name__} is no tokenizer of texts")
    return tokenizer


def unopened_files(folder: Path) -> dict[str, None]:
    """What to tell transformers of the files that a tokenizer's config names: that there are none."""
    path = folder / TOKENIZER_CONFIG
    config = read_object(path) if path.exists() else {}
    return {field: None for field, value in config.items() if isinstance(value, str) and names_file(field)}
