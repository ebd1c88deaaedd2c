"""Checks that a tokenizer is there and fits the embedding."""

import operator
from pathlib import Path
from typing import Any

from harness.checkpoints.confined import try_tokenizer
from harness.checkpoints.files import read_object, safe_file
from harness.core.errors import CheckpointError

__all__ = [
    "TEMPLATES",
    "TOKENIZER_PATTERNS",
    "check_fit",
    "check_vocabulary",
    "has_vocabulary",
]

VOCABULARIES = ("tokenizer.json", "*.model", "vocab.json", "vocab.txt", "*.tiktoken", "tekken.json")
"""Files that a tokenizer can be built from."""

TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja")
"""Files that hold chat templates, beside those in tokenizer_config.json."""

TOKENIZER_PATTERNS = (
    *VOCABULARIES,
    "merges.txt",
    "*.spm",
    "bpe.codes",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    *TEMPLATES,
)
"""Every file that can change what a tokenizer or its chat template gives."""

LIMIT_BYTES = 256 << 20


def check_vocabulary(folder: Path, rows: int | None) -> None:
    """Refuse a folder without a tokenizer, or with one that has a token beyond the embedding's `rows` or never ends.

    Raises `CheckpointError`.
    """
    present = _vocabularies(folder)
    if not present:
        raise CheckpointError(
            "holds no tokenizer (neither tokenizer.json nor a vocabulary file)",
            place=folder,
            fix="Copy the tokenizer's files there; tokenizer.save_pretrained writes them",
        )
    if "tokenizer.json" in present:
        path = safe_file(folder, "tokenizer.json")
        check_fit(max(_token_ids(path), default=-1), rows, path)
        try_tokenizer(path)


def has_vocabulary(folder: Path) -> bool:
    """Whether the folder holds a file that a tokenizer can be built from."""
    return bool(_vocabularies(folder))


def _vocabularies(folder: Path) -> list[str]:
    return sorted(path.name for pattern in VOCABULARIES for path in folder.glob(pattern))


def check_fit(largest_id: int, rows: int | None, place: Path) -> None:
    """Refuse a token id that the embedding has no row for. Raises `CheckpointError`."""
    if rows is not None and largest_id >= rows:
        raise CheckpointError(
            f"the tokenizer has the token id {largest_id:,}, but the embedding has only {rows:,} rows",
            place=place,
            fix="Use the tokenizer that the model was trained with, or save the model again after "
            "model.resize_token_embeddings(len(tokenizer))",
        )


def _token_ids(path: Path) -> list[int]:
    content = read_object(path, limit_bytes=LIMIT_BYTES)
    try:
        vocabulary: Any = content["model"]["vocab"]
        # A unigram vocabulary is a list of pieces with their scores; the others map a token to its id.
        ids = list(vocabulary.values()) if isinstance(vocabulary, dict) else [len(vocabulary) - 1]
        ids += [token["id"] for token in content.get("added_tokens") or ()]
        return [operator.index(number) for number in ids]
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"is no tokenizer that the tokenizers library can read ({error})",
            place=path,
            fix="Take this file from the checkpoint's publisher again",
        ) from error
