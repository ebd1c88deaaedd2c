"""Fields of a checkpoint's configs that lead its reader to other files, or to code, than those that are checked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object, safe_file
from harness.core.errors import CheckpointError

__all__ = ["TOKENIZER_CONFIG", "names_file", "refuse_redirects", "refuse_tokenizer_redirects"]

TOKENIZER_CONFIG = "tokenizer_config.json"
IMPLEMENTATIONS = ("attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation")
"""Fields that may name a kernel on a hub, which is code."""
TOKENIZER_CLASS = re.compile(r"(?!Rag)\w*(Tokenizer|TokenizerFast|Backend)")
"""What transformers and others call tokenizers; RAG's is two, each in a folder of its own."""
BY_VERSION = "lists other files by the version of transformers that is to read them"


def refuse_redirects(config: Mapping[str, Any], place: Path) -> None:
    """Refuse a config.json, read from `place`, that leads elsewhere. Raises `CheckpointError` naming the field."""
    for where, field, value in _fields(config):
        if field in IMPLEMENTATIONS and "/" in str(value):
            raise CheckpointError(
                f"{where}{field} is {value!r}, code from elsewhere", place=place, fix="Set it to sdpa or eager"
            )
    if config.get("transformers_weights") is not None:
        raise CheckpointError(
            "transformers_weights names a weight file of its own",
            place=place,
            fix="Remove that field and call the weights model.safetensors",
        )
    _refuse_others(config, "configuration_files", place, "config.json")
    _refuse_other_class(config, place)


def refuse_tokenizer_redirects(folder: Path) -> None:
    """Refuse a folder whose tokenizer_config.json leads elsewhere. Raises `CheckpointError` naming the field."""
    path = folder / TOKENIZER_CONFIG
    if not path.is_symlink() and not path.exists():
        return
    config = read_object(safe_file(folder, path.name))
    _refuse_others(config, "fast_tokenizer_files", path, "tokenizer.json")
    _refuse_other_class(config, path)
    if config.get("init_inputs"):
        raise CheckpointError(
            "init_inputs hands the tokenizer's class arguments without their names, files among them",
            place=path,
            fix="Remove that field; what transformers writes leaves it empty",
        )
    for where, field, value in _fields(config):
        if where.startswith(tuple(f"{name}." for name in config if name.endswith("_kwargs"))) and _is_path(value):
            raise CheckpointError(
                f"{where}{field} is {str(value)[:100]!r}, a file outside of the checkpoint",
                place=path,
                fix="Remove it, and install the dictionary that it means as a package",
            )


def names_file(field: str) -> bool:
    """Whether a field of tokenizer_config.json with a text in it means a file by its path."""
    return field.endswith("_file") or field in ("vocab", "merges", "entity_vocab", "source_spm", "target_spm")


def _refuse_other_class(config: Mapping[str, Any], place: Path) -> None:
    """Refuse a class that is no tokenizer: transformers would have any of its own load the folder, in its own ways."""
    named = config.get("tokenizer_class")
    if named is not None and not (isinstance(named, str) and TOKENIZER_CLASS.fullmatch(named)):
        raise CheckpointError(
            f"tokenizer_class is {str(named)[:100]!r}, which is not a tokenizer class",
            place=place,
            fix="Write the class that the publisher's tokenizer is of, or PreTrainedTokenizerFast for a tokenizer.json",
        )


def _refuse_others(config: Mapping[str, Any], field: str, place: Path, own: str) -> None:
    if config.get(field) in (None, [], [own]):
        return
    raise CheckpointError(
        f"{field} {BY_VERSION}", place=place, fix=f"Call the one that is meant {own}, and remove that field"
    )


def _fields(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every field of a config and of the objects in it: where it stands, its name, its value."""
    left = [("", config)]
    while left:
        where, part = left.pop()
        for field, value in part.items():
            yield where, field, value
            if isinstance(value, dict):
                left.append((f"{where}{field}.", value))


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and ("/" in value or "\\" in value)
