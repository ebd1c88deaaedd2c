"""Adapters, as peft writes them: a few weights that change what another checkpoint, the base, does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.checkpoints.chat_templates import has_chat_template
from harness.checkpoints.files import exists, read_object, safe_file
from harness.checkpoints.fingerprint import file_digests, fingerprint
from harness.checkpoints.geometry import EMBEDDING, MAX_SHARED_LAYERS
from harness.checkpoints.headers import INDEX, SINGLE, StoredTensor, read_header
from harness.checkpoints.kinds import loaded_kinds
from harness.checkpoints.labels import label_count
from harness.checkpoints.sources.local import is_hub_id
from harness.checkpoints.sources.named import NamedInFile, UnconfirmedError, beside
from harness.checkpoints.vocabulary import check_vocabulary, has_vocabulary
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, HarnessError
from harness.core.text.reasons import Reason

__all__ = [
    "BASE",
    "CONFIG",
    "WEIGHTS",
    "base_of",
    "inspect_adapter",
    "is_adapter",
    "is_prompt",
    "own_files",
    "supplied_tensors",
]

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
BASE = "base/"
"""What stands before the names of the base's files among those of an adapter."""

TUNERS = frozenset(
    {
        "ADALORA",
        "BOFT",
        "FOURIERFT",
        "HRA",
        "IA3",
        "LN_TUNING",
        "LOHA",
        "LOKR",
        "LORA",
        "MISS",
        "OFT",
        "RANDLORA",
        "SHIRA",
        "VBLORA",
        "VERA",
    }
)
"""peft's names of the adapters that change layers of the base; DoRA is a LORA with `use_dora`."""
PROMPTS = frozenset({"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING"})
"""Those that put trained vectors before every text."""

PREFIX = "base_model.model."
"""What peft puts before the name that a tensor has in the base."""
LABELLED = ("SEQ_CLS", "TOKEN_CLS")
HEADS = ("classifier", "score")
"""What peft saves with an adapter for labels, whether its config says so or not."""
MAX_ITERATIONS = 100
"""Of the ways to begin a LoRA that decompose the base's weights; 4 or 16 are usual."""
OUTPUT_HEAD = re.compile(r"(^|\.)(lm_head|embed_out)\.(weight|bias)$")
LABELLER = re.compile(r"^(classifier|score|classification_head)(\.(out_proj|output))?\.weight$")
"""The last layer of a head for labels: one row a label."""

Resolve = Callable[[str | NamedInFile, str | None], Checkpoint]
"""Resolves a base, by the user's word or by the adapter's, as the kind that the adapter is for."""


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds an adapter and no model of its own; some programs leave the base's config beside it."""
    whole = any((folder / name).exists() for name in (SINGLE, INDEX))
    return (folder / CONFIG).exists() and not whole


def base_of(checkpoint: Checkpoint) -> Checkpoint:
    """The base of an adapter's checkpoint by itself, with the head that the adapter gives it."""
    files = {name.removeprefix(BASE): one for name, one in checkpoint.files.items() if name.startswith(BASE)}
    stamps = {name.removeprefix(BASE): one for name, one in checkpoint.stamps.items() if name.startswith(BASE)}
    return replace(checkpoint, adapter=None, files=files, stamps=stamps)


def own_files(checkpoint: Checkpoint) -> dict[str, str]:
    """The SHA-256 of the adapter's own files, by name."""
    return {name: sha256 for name, sha256 in checkpoint.files.items() if not name.startswith(BASE)}


def is_prompt(config: Mapping[str, Any]) -> bool:
    """Whether the adapter puts trained vectors before every text, instead of changing the base's layers."""
    return config.get("peft_type") in PROMPTS


def supplied_tensors(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> Mapping[str, StoredTensor]:
    """What the adapter's file holds in place of the base's own, by its name in the base.

    That is a head for labels, modules that were trained as a whole, and the embedding and output head, which peft saves
    where an adapter touches them or their size was changed.
    """
    listed = config.get("modules_to_save")
    modules = [str(name) for name in listed] if isinstance(listed, list) else []
    if config.get("task_type") in LABELLED:
        modules += HEADS
    brought = re.compile(rf"(^|\.)({'|'.join(map(re.escape, modules))})\.") if modules else None
    named = {name.removeprefix(PREFIX).replace(".base_layer.", "."): tensor for name, tensor in tensors.items()}
    return {
        name: tensor
        for name, tensor in named.items()
        if (brought and brought.search(name)) or EMBEDDING.search(name) or OUTPUT_HEAD.search(name)
    }


def inspect_adapter(folder: Path, *, ref: str, origin: str, base: str | None, resolve: Resolve) -> Checkpoint:
    """Inspect an adapter and, through `resolve`, its base; nothing is executed and no weight is loaded.

    `base` names the base; by default the adapter's own config does, for a folder that lies in the adapter's or next to
    it. A tokenizer in the adapter's folder wins over the base's. Raises
    `CheckpointError` for an adapter of a type that isn't supported, without safetensors weights, or whose base can't be
    found, isn't named or is an adapter itself.

    Where the adapter's file holds the head for labels, its rows say how many labels there are; their names are the
    base's where it has as many.
    """
    place = folder / CONFIG
    config = read_object(safe_file(folder, CONFIG))
    _check_type(config, place)
    tensors = _tensors(folder)
    _refuse_unborne(config, tensors, place)
    under = _base(base or _named_base(config, folder), config, place, resolve)
    if under.adapter is not None:
        raise CheckpointError(f"its base {under.ref} is an adapter too", place=place, fix="Merge that one first")
    virtual = _virtual_tokens(config, place) if is_prompt(config) else 0
    if virtual and registry.kind(under.kind).transformer != "decoder":
        raise CheckpointError(
            f"is {config['peft_type']} over a checkpoint of the kind {under.kind}; such vectors are supported over "
            "causal language models alone",
            place=place,
            fix="Use an adapter of the LoRA family",
        )
    own_tokenizer = has_vocabulary(folder)
    if own_tokenizer:
        check_vocabulary(folder, None)
    digests, stamps = file_digests(folder, [CONFIG, WEIGHTS], with_code=False)
    digests.pop("config.json", None)
    files = {**{f"{BASE}{name}": sha256 for name, sha256 in under.files.items()}, **digests}
    size_bytes = (folder / WEIGHTS).stat().st_size
    under = _with_head(under, supplied_tensors(config, tensors))
    return replace(
        under,
        ref=ref,
        origin=f"{origin}, an adapter over {under.ref} ({under.origin})",
        adapter=folder.resolve(),
        parent_fingerprint=under.fingerprint,
        files=files,
        fingerprint=fingerprint(files),
        stamps={**{f"{BASE}{name}": stamp for name, stamp in under.stamps.items()}, **stamps},
        size_bytes=(under.size_bytes or 0) + size_bytes,
        parameter_count=(under.parameter_count or 0) + sum(tensor.count for tensor in tensors.values()),
        bits_per_weight=_bits(under, tensors),
        max_length=max((under.max_length or 0) - virtual, 1),
        has_chat_template=has_chat_template(folder, _tokenizer_config(folder))
        if own_tokenizer
        else under.has_chat_template,
        notes=(*under.notes, Reason("{adapter} over {base}", adapter=_title(config), base=under.ref)),
    )


def _with_head(base: Checkpoint, supplied: Mapping[str, StoredTensor]) -> Checkpoint:
    """The base with as many labels as the head that the adapter brings, if it brings one."""
    heads = [tensor for name, tensor in supplied.items() if LABELLER.search(name)]
    if not registry.kind(base.kind).gives_labels or len(heads) != 1 or len(heads[0].shape) != 2:
        return base
    count = heads[0].shape[0]
    base = replace(base, notes=(*base.notes, Reason("The head comes from the adapter (labels: {count})", count=count)))
    if count == label_count(base.config):
        return base
    kept = {field: value for field, value in base.config.items() if field not in ("id2label", "label2id")}
    return replace(base, config={**kept, "num_labels": count}, labels=())


def _title(config: dict[str, Any]) -> str:
    return "A DoRA adapter" if config.get("use_dora") else f"An adapter ({config['peft_type']})"


def _check_type(config: dict[str, Any], place: Path) -> None:
    found = config.get("peft_type")
    if not isinstance(found, str) or found not in TUNERS | PROMPTS:
        raise CheckpointError(
            f"peft_type is {found!r}, which is not supported",
            place=place,
            fix="Merge it into its base (peft: model.merge_and_unload()) where that can be done. Supported: "
            + ", ".join(sorted(TUNERS | PROMPTS)),
        )
    if config.get("megatron_config") is not None:
        raise CheckpointError(
            "megatron_config names Python modules that loading it would import", place=place, fix="Remove that field"
        )


def _refuse_unborne(config: dict[str, Any], tensors: Mapping[str, StoredTensor], place: Path) -> None:
    """Refuse counts that would become loops, or arrays, and that the adapter's own tensors don't bear out."""
    widest = max((max(tensor.shape, default=1) for tensor in tensors.values() if tensor.count), default=1)
    rank = config.get("r")
    counts = [("r", rank, widest), ("num_virtual_tokens", config.get("num_virtual_tokens"), widest)]
    if found := re.search(r"_niter_(\d+)", str(config.get("init_lora_weights"))):
        counts.append(("init_lora_weights", int(found[1][:9]), MAX_ITERATIONS))
    loftq = config.get("loftq_config")
    if isinstance(loftq, dict):
        counts.append(("loftq_iter", loftq.get("loftq_iter"), MAX_ITERATIONS))
    layers = config.get("layer_replication")
    if isinstance(layers, list):
        spans = [pair for pair in layers if isinstance(pair, list) and all(type(one) is int for one in pair)]
        counts.append(("layer_replication", sum(pair[-1] - pair[0] for pair in spans if pair), MAX_SHARED_LAYERS))
    for field, value, limit in counts:
        if type(value) is int and value > limit:
            raise CheckpointError(
                f"{field} asks for {value:,}; the limit, by the adapter's tensors or for what costs no bytes, is "
                f"{limit:,}",
                place=place,
                fix=f"Take {CONFIG} and {WEIGHTS} from the same adapter",
            )


def _tensors(folder: Path) -> dict[str, StoredTensor]:
    if not (folder / WEIGHTS).is_symlink() and not (folder / WEIGHTS).exists():
        if (folder / PICKLE).exists():
            raise CheckpointError(
                f"has its weights as a pickle only ({PICKLE}), which can run code when it is loaded",
                place=folder,
                fix="If you trust its publisher, load it with peft and save it again with save_pretrained(folder)",
            )
        raise CheckpointError(
            f"the adapter's weights are missing: there is no {WEIGHTS}",
            place=folder,
            fix="Give the folder that peft's save_pretrained wrote, or download it again",
        )
    return read_header(safe_file(folder, WEIGHTS))


def _named_base(config: dict[str, Any], folder: Path) -> NamedInFile:
    named = config.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise CheckpointError(
            "names no base model", place=folder / CONFIG, fix="Say what it was trained over with --base REF"
        )
    candidates = beside(named, folder)
    revision = config.get("revision")
    if isinstance(revision, str) and is_hub_id(f"{named}@{revision}") and not any(map(exists, candidates)):
        named = f"{named}@{revision}"
    return NamedInFile(
        name=named,
        place=folder / CONFIG,
        role="base",
        option="--base",
        candidates=candidates,
        where="in its folder or next to it",
    )


def _kinds_of(config: Mapping[str, Any]) -> Sequence[str | None]:
    """The kinds of checkpoint that the adapter can be for, the likeliest first; None where its config doesn't say."""
    known = {kind.name: kind.loading.adapter_task for kind in loaded_kinds().values() if kind.loading}
    return [name for name, task in known.items() if task and task == config.get("task_type")] or [None]


def _base(ref: str | NamedInFile, config: dict[str, Any], place: Path, resolve: Resolve) -> Checkpoint:
    errors: list[HarnessError] = []
    for kind in _kinds_of(config):
        try:
            return resolve(ref, kind)
        except HarnessError as error:
            if isinstance(error, UnconfirmedError) and error.place == str(place):
                raise
            errors.append(error)
    raise CheckpointError(
        f"its base model can't be used: {errors[0]}", place=place, fix="Or give the base with --base REF"
    ) from errors[0]


def _virtual_tokens(config: dict[str, Any], place: Path) -> int:
    count = config.get("num_virtual_tokens")
    if type(count) is not int or count < 1:
        raise CheckpointError(
            f"num_virtual_tokens is {count!r}, not a whole number above 0", place=place, fix="Save the adapter again"
        )
    return count


def _bits(base: Checkpoint, tensors: dict[str, StoredTensor]) -> float | None:
    """Bits a weight of base and adapter together."""
    if base.bits_per_weight is None or base.parameter_count is None:
        return None
    bits = base.bits_per_weight * base.parameter_count + 8 * sum(tensor.size_bytes for tensor in tensors.values())
    return bits / (base.parameter_count + sum(tensor.count for tensor in tensors.values()))


def _tokenizer_config(folder: Path) -> dict[str, Any]:
    name = "tokenizer_config.json"
    return read_object(safe_file(folder, name)) if (folder / name).exists() else {}
