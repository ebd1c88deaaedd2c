"""Reads a tokenizer from a folder of files that were checked."""

from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerBase

from harness.checkpoints.files import read_object
from harness.checkpoints.redirects import TOKENIZER_CONFIG, names_file

__all__ = ["read_tokenizer"]


def read_tokenizer(folder: Path, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder, by transformers.

    Files that its config names by their paths are not opened: those are of the machine that it was written on, or of
    whatever its author likes.
    """
    path = folder / TOKENIZER_CONFIG
    config = read_object(path) if path.exists() else {}
    tokenizer: PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=trust_remote_code,
        **{field: None for field, value in config.items() if isinstance(value, str) and names_file(field)},
    )
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise TypeError(f"a {type(tokenizer).__name__} is no tokenizer of texts")
    return tokenizer
