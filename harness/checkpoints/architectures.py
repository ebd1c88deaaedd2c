"""Tells what kind of model a config describes, from the tables of the installed transformers."""

import ast
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.checkpoints.geometry import audio_part, vision_part
from harness.checkpoints.heads import LABEL_HEAD, WORD_HEAD
from harness.checkpoints.kinds import AUDIO_LANGUAGE, CAUSAL, VISION_LANGUAGE, auto_classes, loaded_kinds, loading
from harness.checkpoints.senses.processors import has_processor
from harness.core import registry
from harness.core.errors import CheckpointError

__all__ = ["kind_of", "unused_tensors"]

TABLE_SUFFIX = "_MAPPING_NAMES"
PRETRAINING = "MODEL_FOR_PRETRAINING_MAPPING_NAMES"


def unused_tensors(kind: str, names: Collection[str]) -> list[str]:
    """Those of the tensors that no answer of a model of this kind depends on."""
    unused = loading(kind).unused
    return sorted(name for name in names if unused and re.search(unused, name))


def kind_of(
    config: Mapping[str, Any],
    place: Path,
    *,
    tensors: Collection[str] = (),
    embeds: bool = False,
    wanted: str | None = None,
) -> tuple[str, str]:
    """The kind of a model (one of `loaded_kinds`) and its architecture, without importing transformers or running code.

    `wanted` is the kind that the user says it is. Else a folder that `embeds`, by sentence-transformers' files, is an
    encoder; then the config's architecture decides, and where it names none, what else it says and the names of the
    `tensors`. Raises `CheckpointError` naming the architecture if transformers doesn't know it, it is of no such kind,
    or its kind can't be told.
    """
    architecture = _architecture(config, place)
    if wanted is None and embeds:
        wanted = "encoder"
    if brought := _brought(config, architecture, wanted):
        return brought
    model_type, tables = config.get("model_type"), _tables()
    if not isinstance(model_type, str) or not any(model_type in table for table in tables.values()):
        raise CheckpointError(
            f"has the model_type {model_type!r} ({architecture or 'no architecture named'}), "
            f"unknown to transformers {version('transformers')}",
            place=place,
            fix="Check the spelling, or update transformers if the model is newer than it",
        )
    known = {kind: _names(tables.get(table, {}).get(model_type)) for kind, table in _table_names().items()}
    # One table of transformers' holds models of two stacks and those of one that hear.
    deaf = {} if audio_part(config) else {AUDIO_LANGUAGE.name}
    known = {kind: names for kind, names in known.items() if names and kind not in deaf}
    if wanted is not None:
        return wanted, _as_wanted(known, wanted, architecture, place)
    pretrained = architecture in _names(tables[PRETRAINING].get(model_type))
    fitting = [kind for kind, names in known.items() if architecture in names]
    if architecture is None or (pretrained and not fitting):
        kind = _guess(config, known, tensors, place)
        return kind, architecture or known[kind][0]
    if not fitting:
        raise _no_kind(architecture, known, place)
    # XLM gives the same architecture to models that read from left to right and to masked ones.
    kind = "masked" if "masked" in fitting and "causal" in fitting and not config.get("causal") else fitting[0]
    # Others give it to models that read texts alone and to those that see.
    if kind == CAUSAL.name and VISION_LANGUAGE.name in fitting and vision_part(config) and has_processor(place.parent):
        kind = VISION_LANGUAGE.name
    if AUDIO_LANGUAGE.name in fitting:
        kind = AUDIO_LANGUAGE.name
    return kind, architecture


def _brought(config: Mapping[str, Any], architecture: str | None, wanted: str | None) -> tuple[str, str] | None:
    """Kind and architecture of a checkpoint with code of its own, by the auto class that the code is for."""
    listed = config.get("auto_map")
    classes = listed if isinstance(listed, dict) else {}
    loaders = auto_classes()
    kinds = [kind for kind, loader in loaders.items() if loader in classes and wanted in (None, kind)]
    if not kinds:
        return None
    named = [kind for kind in kinds if architecture and str(classes[loaders[kind]]).endswith(f".{architecture}")]
    kind = (named or kinds)[0]
    return kind, architecture or str(classes[loaders[kind]])


def _as_wanted(known: Mapping[str, tuple[str, ...]], wanted: str, architecture: str | None, place: Path) -> str:
    """The architecture in which a model is of the kind that the user wants."""
    if wanted not in known:
        raise CheckpointError(
            f"{architecture or 'this architecture'} can't be loaded as a {registry.kind(wanted).title}: "
            "transformers has no such head for it",
            place=place,
            fix=f"Leave --kind out, or choose {' or '.join(known)}",
        )
    return architecture if architecture in known[wanted] else known[wanted][0]


def _guess(
    config: Mapping[str, Any], known: Mapping[str, tuple[str, ...]], tensors: Collection[str], place: Path
) -> str:
    """The kind of a model whose config names no architecture that tells it."""
    if "seq2seq" in known and (config.get("is_encoder_decoder") or "causal" not in known):
        return "seq2seq"
    if any(LABEL_HEAD.search(name) for name in tensors) and known.keys() & {"classifier", "tagger"}:
        raise CheckpointError(
            "names no architecture, and its weights have a head for labels, of texts or of words",
            place=place,
            fix="Say which with --kind classifier or --kind tagger, or name the architecture in config.json",
        )
    if "causal" in known and (config.get("is_decoder") or "masked" not in known):
        return "causal"
    if "masked" in known and (not tensors or any(WORD_HEAD.search(name) for name in tensors)):
        return "masked"
    if "encoder" in known:
        return "encoder"
    raise _no_kind(str(config.get("model_type")), known, place)


def _no_kind(name: str, known: Mapping[str, tuple[str, ...]], place: Path) -> CheckpointError:
    kinds = ", ".join(kind.title for kind in loaded_kinds().values())
    fix = "Give a checkpoint of one of these kinds"
    if known:
        fix += f", or read this one as another with --kind {' or '.join(known)}"
    return CheckpointError(f"is of the architecture {name}, which is none of: {kinds}", place=place, fix=fix)


def _architecture(config: Mapping[str, Any], place: Path) -> str | None:
    named = config.get("architectures")
    if not named:
        return None
    if not isinstance(named, list) or not isinstance(named[0], str):
        raise CheckpointError(
            f"architectures is {named!r}, not a list of names", place=place, fix="Take config.json from the publisher"
        )
    return named[0]


def _names(entry: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """A table's entry as class names; some model types have several."""
    return (entry,) if isinstance(entry, str) else entry or ()


def _table_names() -> Mapping[str, str]:
    return {name: kind.loading.table for name, kind in loaded_kinds().items() if kind.loading}


@cache
def _tables() -> dict[str, dict[str, str | tuple[str, ...]]]:
    """transformers' tables from model type to class name, read from its source: importing them takes seconds."""
    package = find_spec("transformers")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "models" / "auto" / "modeling_auto.py"
    found = {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.List() as pairs])) if name.endswith(
                TABLE_SUFFIX
            ):
                pairs.elts = [pair for pair in pairs.elts if not isinstance(pair, ast.Starred)]
                found[name] = dict(ast.literal_eval(pairs))
    if any(table not in found for table in (PRETRAINING, *_table_names().values())):
        # A transformers that lays its tables out in another way: slower, and as right.
        from transformers.models.auto import modeling_auto

        return {name: dict(value) for name, value in vars(modeling_auto).items() if name.endswith(TABLE_SUFFIX)}
    return found
