"""What sentence-transformers' files in a checkpoint's folder say about how a text becomes one vector."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object, safe_file
from harness.core.errors import CheckpointError
from harness.core.text.reasons import Reason, told_together

__all__ = ["POOLINGS", "SENTENCE_PATTERNS", "Recipe", "read_recipe"]

MODULES = "modules.json"
SETTINGS = "sentence_bert_config.json"
PROMPTS = "config_sentence_transformers.json"

SENTENCE_PATTERNS = (MODULES, SETTINGS, PROMPTS, "*_Pooling/config.json")
"""Every such file that can change a vector."""

POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Ways to make one vector of a text's many: the field that asks for one, and its short name."""

PLAIN = re.compile(r"\w[\w.-]*")
FIX = "Take the folder as sentence-transformers' `save` writes it"
MAX_MODULES_BYTES = 1 << 16


_POOLED = "Vectors are the {poolings} over tokens"
_SCALED = "Vectors are the {poolings} over tokens, scaled to a norm of 1"
_AND = " and "


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a text becomes one vector: the prompt before it, its length in tokens, its pooling, and a norm of 1 or not.

    Vectors of several `poolings` are put side by side. `files` are those that say so, by their names in the folder.
    `declared` is False where no file says any of this: then the mean over tokens is a guess.
    """

    poolings: tuple[str, ...] = ("mean",)
    normalize: bool = False
    max_length: int | None = None
    lowercase: bool = False
    prompt: str = ""
    declared: bool = True
    files: tuple[str, ...] = ()

    @property
    def note(self) -> Reason:
        """The recipe in a sentence, for people."""
        how = Reason(_SCALED if self.normalize else _POOLED, poolings=told_together(self.poolings, _AND))
        if not self.declared:
            return Reason("{how}: a guess, as the checkpoint has no modules.json that says how to pool them", how=how)
        return Reason("{how}, as the checkpoint's modules.json says", how=how)


def read_recipe(folder: Path) -> Recipe:
    """What the files of the folder say; the mean over tokens, undeclared, where there is no `modules.json`.

    Raises `CheckpointError` for a file that is malformed, and for modules that this harness doesn't have.
    """
    if not (folder / MODULES).exists():
        return Recipe(declared=False)
    poolings: tuple[str, ...] = ("mean",)
    normalize = False
    files = [MODULES]
    for module in _modules(folder):
        match module["type"].rpartition(".")[2]:
            case "Transformer":
                if module["path"]:
                    raise CheckpointError(
                        f"keeps its transformer in the folder {module['path']}",
                        place=folder / MODULES,
                        fix="Load it with sentence-transformers and save it again: newer versions put it at the top",
                    )
            case "Pooling":
                files.append(_config_of(module["path"], folder))
                poolings = _poolings(folder, files[-1])
            case "Normalize":
                normalize = True
            case other:
                raise CheckpointError(
                    f"has a module {other}, which the harness doesn't compute", place=folder / MODULES, fix=FIX
                )
    settings, prompts = _read_if_there(folder, SETTINGS), _read_if_there(folder, PROMPTS)
    length = settings.get("max_seq_length")
    return Recipe(
        poolings=poolings,
        normalize=normalize,
        max_length=length if type(length) is int and length > 0 else None,
        lowercase=settings.get("do_lower_case") is True,
        prompt=_prompt(prompts, folder / PROMPTS),
        files=tuple(files),
    )


def _modules(folder: Path) -> list[dict[str, str]]:
    path = safe_file(folder, MODULES)
    try:
        with path.open("rb") as stream:
            listed = json.loads(stream.read(MAX_MODULES_BYTES))
        return [{"type": str(module["type"]), "path": str(module["path"])} for module in listed]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"is not a list of modules ({error})", place=path, fix=FIX) from error


def _config_of(module: str, folder: Path) -> str:
    if not PLAIN.fullmatch(module):
        raise CheckpointError(
            f"keeps its pooling in {module!r}, which is not a folder name", place=folder / MODULES, fix=FIX
        )
    return f"{module}/config.json"


def _poolings(folder: Path, name: str) -> tuple[str, ...]:
    path = safe_file(folder, name)
    config = read_object(path)
    if isinstance(config.get("pooling_mode"), str):
        chosen = tuple(config["pooling_mode"].split("+"))
    else:
        chosen = tuple(short for field, short in POOLINGS.items() if config.get(field))
    unknown = [name for name in chosen if name not in POOLINGS.values()]
    if not chosen or unknown:
        raise CheckpointError(
            f"asks for the pooling {unknown[0]!r}" if unknown else "asks for no pooling",
            place=path,
            fix=f"Known: {', '.join(POOLINGS.values())}",
        )
    return chosen


def _prompt(config: Mapping[str, Any], place: Path) -> str:
    """The prompt that goes before every text; empty where none is the default."""
    name = config.get("default_prompt_name")
    if name is None:
        return ""
    try:
        return str(config["prompts"][name])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"has no prompt {name!r}, its default", place=place, fix=FIX) from error


def _read_if_there(folder: Path, name: str) -> dict[str, Any]:
    return read_object(safe_file(folder, name)) if (folder / name).exists() else {}
