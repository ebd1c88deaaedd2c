"""Checks that a tokenizer is there and fits the embedding."""

import json
import math
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object, safe_file
from harness.checkpoints.loading.confined import try_tokenizer
from harness.checkpoints.redirects import TOKENIZER_CONFIG, refuse_tokenizer_redirects
from harness.core.errors import CheckpointError

__all__ = [
    "TEMPLATES",
    "TOKENIZER_PATTERNS",
    "check_tokenizer",
    "check_vocabulary",
    "has_vocabulary",
    "word_count",
]

VOCABULARIES = ("tokenizer.json", "*.model", "vocab.json", "vocab.txt", "*.tiktoken", "tekken.json")
"""Files that a tokenizer can be built from."""

BESIDE_VOCABULARIES = (
    "merges.txt",
    "*.spm",
    "bpe.codes",
    "byte_maps.json",
    "dict.txt",
    "emoji.json",
    "entity_vocab.json",
    "normalizer.json",
    "prophetnet.tokenizer",
    "target_vocab.json",
    "vocab-src.json",
    "vocab-tgt.json",
    "word_pronunciation.json",
    "word_shape.json",
)
"""Files that some of transformers' tokenizers read, too."""

TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja")
"""Files that hold chat templates, beside those in tokenizer_config.json."""

TOKENIZER_PATTERNS = (
    *VOCABULARIES,
    *BESIDE_VOCABULARIES,
    TOKENIZER_CONFIG,
    "special_tokens_map.json",
    "added_tokens.json",
    *TEMPLATES,
)
"""Every file that can change what a tokenizer or its chat template gives."""

LIMIT_BYTES = 256 << 20
ADDED = ("added_tokens", "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens")
"""Fields that list tokens."""
UNEMBEDDED = 1000
"""Tokens for padding and the like that a tokenizer may have beyond the embedding's rows."""


def check_vocabulary(folder: Path, rows: int | None) -> list[str]:
    """Refuse a folder without a tokenizer, or with one that cuts words into tokens beyond the embedding's `rows`.

    Nor may it be one that never ends. A token that stands for itself alone, such as one added for padding, may lie
    beyond: a text that spells it out has no answer, and no other comes to it. Gives those.
    Raises `CheckpointError`.
    """
    refuse_tokenizer_redirects(folder)
    present = _vocabularies(folder)
    if not present:
        raise CheckpointError(
            "holds no tokenizer (neither tokenizer.json nor a vocabulary file)",
            place=folder,
            fix="Copy the tokenizer's files there; tokenizer.save_pretrained writes them",
        )
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"):
        if rows is not None and (folder / name).exists():
            _refuse_many_tokens(read_object(safe_file(folder, name), limit_bytes=LIMIT_BYTES), rows, folder / name)
    if "tokenizer.json" in present:
        path = safe_file(folder, "tokenizer.json")
        content = read_object(path, limit_bytes=LIMIT_BYTES)
        _refuse_many_tokens(content, rows, path)
        with _formed(path):
            _check_fit(max(_ordinary_ids(content), default=-1), rows, path)
            missing = [
                str(token["content"])
                for token in content.get("added_tokens") or ()
                if token["id"] >= (rows or math.inf)
            ]
        try_tokenizer(path)
        return missing
    return []


def _refuse_many_tokens(content: Mapping[str, Any], rows: int | None, path: Path) -> None:
    """Refuse more tokens, beside those of the vocabulary, than the model has embeddings for: each is looked for."""
    whole = len(content) if path.name == "added_tokens.json" else 0
    count = whole + sum(len(content[field]) for field in ADDED if isinstance(content.get(field), list | dict))
    if rows is not None and count > rows + UNEMBEDDED:
        raise CheckpointError(
            f"adds {count:,} tokens, but the embedding has only {rows:,} rows",
            place=path,
            fix="Take the tokenizer and the weights from the same checkpoint",
        )


def has_vocabulary(folder: Path) -> bool:
    """Whether the folder holds a file that a tokenizer can be built from."""
    return bool(_vocabularies(folder))


def _vocabularies(folder: Path) -> list[str]:
    return sorted(path.name for pattern in VOCABULARIES for path in folder.glob(pattern))


def check_tokenizer(tokenizer: Any, model: Any, place: Path) -> None:
    """Refuse a loaded tokenizer that cuts words into tokens that the model has no embedding for; see above.

    Nor may the length of its texts be anything but a number. Raises `CheckpointError`.
    """
    length = tokenizer.model_max_length
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 < length < math.inf:
        raise CheckpointError(
            f"model_max_length is {length!r:.40}, which is not a valid text length",
            place=place / TOKENIZER_CONFIG,
            fix="Give a whole number from 1 up, or leave it out",
        )
    rows = word_count(model)
    ids = tokenizer.get_vocab()
    if max(ids.values(), default=-1) < rows:
        return
    if tokenizer.is_fast:
        ordinary = _ordinary_ids(json.loads(tokenizer.backend_tokenizer.to_str()))
    else:
        ordinary = [ids[token] for token in ids.keys() - tokenizer.get_added_vocab().keys()]
    _check_fit(max(ordinary, default=-1), rows, place)


def word_count(model: Any) -> int:
    """How many tokens the model has an embedding for; an adapter's layer may stand in that of the embedding.

    Of one that reads no tokens but writes some, such as wav2vec2: how many it can write. Of one that reads pictures and
    texts apart, such as CLIP: how many its part for texts has.
    """
    try:
        return int(getattr(model, "text_model", model).get_input_embeddings().weight.shape[0])
    except (AttributeError, NotImplementedError):
        return int(model.config.vocab_size)


def _check_fit(largest_id: int, rows: int | None, place: Path) -> None:
    if rows is not None and largest_id >= rows:
        raise CheckpointError(
            f"the tokenizer has the token id {largest_id:,}, but the embedding has only {rows:,} rows",
            place=place,
            fix="Use the tokenizer that the model was trained with, or save the model again after "
            "model.resize_token_embeddings(len(tokenizer))",
        )


@contextmanager
def _formed(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(
            f"is not a tokenizer that the tokenizers library can read ({why})",
            place=path,
            fix="Download this file from the checkpoint's publisher again",
        ) from error


def _ordinary_ids(content: Mapping[str, Any]) -> list[int]:
    """The ids that texts become by a tokenizer.json: those of words, without tokens added, and of their frame."""
    vocabulary: Any = content["model"]["vocab"]
    added = {operator.index(token["id"]) for token in content.get("added_tokens") or ()}
    # A unigram vocabulary is a list of pieces with their scores; the others map a token to its id.
    ids = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
    ordinary = [number for number in map(operator.index, ids) if number not in added]
    return [*ordinary, *_framing_ids(content.get("post_processor") or {})]


def _framing_ids(processor: Mapping[str, Any]) -> Iterator[int]:
    """The ids that a post-processor puts around every text, whatever the vocabulary says of their tokens."""
    for part in processor.get("processors") or ():
        yield from _framing_ids(part)
    for pair in (processor.get("sep"), processor.get("cls")):
        if pair:
            yield operator.index(pair[1])
    pieces = [*(processor.get("single") or ()), *(processor.get("pair") or ())]
    used = {piece["SpecialToken"]["id"] for piece in pieces if "SpecialToken" in piece}
    for name in sorted(used):
        yield from map(operator.index, processor["special_tokens"][name]["ids"])
