"""From a folder to a `Checkpoint`: everything that can be known without executing or loading anything."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.checkpoints import geometry
from harness.checkpoints.architectures import kind_of, unused_tensors
from harness.checkpoints.chat_templates import has_chat_template
from harness.checkpoints.files import read_object, safe_file
from harness.checkpoints.fingerprint import file_digests, fingerprint
from harness.checkpoints.generation_config import read_generation_settings
from harness.checkpoints.headers import WeightFiles, find_weights
from harness.checkpoints.kinds import loading
from harness.checkpoints.labels import config_labels
from harness.checkpoints.loading.quantised import quantisation, weight_count
from harness.checkpoints.marked import inspect_marked, marked_kind
from harness.checkpoints.redirects import refuse_redirects
from harness.checkpoints.remote_code import carries_code
from harness.checkpoints.senses.hearing import read_hearing
from harness.checkpoints.senses.processors import require_processor
from harness.checkpoints.sentence import Recipe, read_recipe
from harness.checkpoints.sources.cached import CONVERSION, is_ours
from harness.checkpoints.vocabulary import check_vocabulary
from harness.core import registry
from harness.core.checkpoints import Checkpoint, GenerationSettings
from harness.core.errors import CheckpointError
from harness.core.requests import Embed, GenerateUntil, Transcribe
from harness.core.text.reasons import Reason

__all__ = ["inspect_folder"]


def inspect_folder(folder: Path, *, ref: str, origin: str, kind: str | None = None) -> Checkpoint:
    """Inspect and fingerprint the checkpoint in a folder.

    `ref` is what the user typed, `origin` where the files came from, `kind` what the user says that it is (None: what
    its config says). Raises `CheckpointError` naming the file, the field and the next step for whatever is missing,
    malformed, out of bounds or unsafe.
    """
    if marked := marked_kind(folder, kind):
        return inspect_marked(folder, marked, ref=ref, origin=origin)
    said = _read_if_there(folder, CONVERSION) if is_ours(folder) else {}
    config = _read_config(folder)
    place = folder / "config.json"
    recipe = read_recipe(folder)
    # What the weights are called helps where the config names no architecture; else the config's faults come first.
    named = config.get("architectures")
    kind, architecture = kind_of(
        config, place, tensors=() if named else find_weights(folder).tensors, embeds=recipe.declared, wanted=kind
    )
    weights = find_weights(folder, loader=loading(kind).auto_class)
    geometry.check_geometry(config, weights, place)
    rows = geometry.embedding_rows(config, weights.tensors)
    missing = check_vocabulary(folder, rows)
    if loading(kind).has_processor:
        require_processor(folder)
    elif Transcribe in registry.kind(kind).answers:
        read_hearing(folder)
    tokenizer_config = _read_if_there(folder, "tokenizer_config.json")
    digests, stamps = file_digests(
        folder, (*weights.names, *recipe.files), with_code=bool(carries_code(folder, config))
    )
    _refuse_changed(folder, said, digests)
    return Checkpoint(
        ref=ref,
        kind=kind,
        path=folder.resolve(),
        origin=origin,
        architecture=architecture,
        dtype=geometry.config_dtype(config, weights.tensors),
        parameter_count=weight_count(config, weights.tensors),
        size_bytes=_size_bytes(said, weights),
        max_length=geometry.max_length(
            config, tokenizer_config, kind, recipe.max_length if Embed in registry.kind(kind).answers else None
        ),
        has_chat_template=has_chat_template(folder, tokenizer_config),
        files=digests,
        fingerprint=fingerprint(digests),
        stamps=stamps,
        notes=(*_notes(said, config, weights), *_kind_notes(kind, weights, recipe), *_token_notes(missing)),
        config=config,
        labels=config_labels(config) if registry.kind(kind).gives_labels else (),
        bits_per_weight=_bits(said, config, weights),
        generation=_generation(folder, config, kind, rows),
    )


def _generation(folder: Path, config: dict[str, Any], kind: str, rows: int | None) -> GenerationSettings:
    about = registry.kind(kind)
    if not {GenerateUntil, Transcribe} & set(about.answers):
        return GenerationSettings()
    return read_generation_settings(folder, config, rows=rows, beams=about.transformer == "encoder-decoder")


def _size_bytes(said: dict[str, Any], weights: WeightFiles) -> int:
    """Bytes of the weight files as they were published: of the file that a converter read, where there was one."""
    told = said.get("size_bytes")
    return told if type(told) is int else weights.size_bytes


def _bits(said: dict[str, Any], config: dict[str, Any], weights: WeightFiles) -> float | None:
    """Bits a weight as it was published: in the file that a converter read, where there was one."""
    told = said.get("bits_per_weight")
    if isinstance(told, float | int):
        return float(told)
    count = weight_count(config, weights.tensors)
    return 8 * sum(tensor.size_bytes for tensor in weights.tensors.values()) / count if count else None


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_symlink() and not path.exists():
        raise _no_config(folder)
    config = read_object(safe_file(folder, path.name))
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(
            "is an adapter, which would load another model below it",
            place=folder / "adapter_config.json",
            fix="Merge it into its base model (peft: model.merge_and_unload()) and give that folder",
        )
    refuse_redirects(config, path)
    return config


def _no_config(folder: Path) -> CheckpointError:
    if not any(folder.iterdir()):
        return CheckpointError("is an empty folder", place=folder, fix="Give the folder that save_pretrained wrote")
    if ggufs := sorted(folder.glob("*.gguf")):
        return CheckpointError("holds no config.json", place=folder, fix=f"Give the GGUF file itself: {ggufs[0]}")
    if (folder / "adapter_config.json").exists():
        fix = "This is an adapter: merge it into its base model (peft: model.merge_and_unload()) and give that folder"
    else:
        fix = "Give the folder that save_pretrained wrote, with config.json, the weights and the tokenizer in it"
    return CheckpointError("holds no config.json", place=folder, fix=fix)


def _read_if_there(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    return read_object(safe_file(folder, name)) if path.is_symlink() or path.exists() else {}


def _refuse_changed(folder: Path, said: dict[str, Any], digests: dict[str, str]) -> None:
    """Raises `CheckpointError` for a file that isn't what the converter wrote."""
    written = said.get("files", {})
    for name, file in written.items() if isinstance(written, dict) else ():
        if isinstance(file, dict) and digests.get(name, file.get("sha256")) != file.get("sha256"):
            raise CheckpointError(
                "was changed after the conversion that made it",
                place=folder / name,
                fix=f"Delete the folder, and the next run converts anew; or its {CONVERSION}, if the change is yours",
            )


def _notes(said: dict[str, Any], config: dict[str, Any], weights: WeightFiles) -> tuple[str, ...]:
    listed = said.get("notes", [])
    notes = [note for one in listed if (note := _note(one))] if isinstance(listed, list) else []
    if config.get("quantization_config"):
        stored = sorted({tensor.dtype for tensor in weights.tensors.values()})
        method = quantisation(config).get("quant_method", "a method that config.json doesn't name")
        said_so = Reason(
            "The weights are quantised with {method} (stored as {types})", method=str(method), types=", ".join(stored)
        )
        notes.append(said_so)
    return tuple(notes)


def _note(said: object) -> str | None:
    """A note of the file beside converted weights, where it is one: a text, or what a reason is made of."""
    if isinstance(said, dict):
        with suppress(ValueError):
            return Reason.from_json(said)
    return said if isinstance(said, str) else None


def _kind_notes(kind: str, weights: WeightFiles, recipe: Recipe) -> tuple[str, ...]:
    notes = [recipe.note] if Embed in registry.kind(kind).answers else []
    if unused := unused_tensors(kind, weights.tensors):
        notes.append(Reason("The files hold weights that no answer depends on: {names}", names=_first_of(unused)))
    return tuple(notes)


def _token_notes(missing: Sequence[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    return (
        Reason(
            "The model has no embedding for the token {tokens}: a text that contains one gets no answer",
            tokens=_first_of(missing),
        ),
    )


def _first_of(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return Reason("{first} and {count} more", first=names[0], count=len(names) - 1)
