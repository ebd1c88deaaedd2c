"""Holds a config's claims about size against the tensors that are there, without building anything."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints.headers import StoredTensor, WeightFiles
from harness.core import registry
from harness.core.errors import CheckpointError
from harness.core.text.hashing import MAX_INTEGER

__all__ = [
    "audio_part",
    "check_geometry",
    "config_dtype",
    "embedding_rows",
    "max_length",
    "parameter_count",
    "text_part",
    "vision_part",
]

DEFAULT_MAX_LENGTH = 2048
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
HEADS = ("num_attention_heads", "num_key_value_heads", "n_head", "n_heads", "num_heads")
DEPTHS = ("encoder_layers", "decoder_layers", "num_decoder_layers", "inner_group_num")
"""Counts of layers that may be 0, or say the same again."""
SHARED = "num_hidden_groups"
"""Of a model whose layers share their weights, so that these don't tell how many layers there are."""
MAX_SHARED_LAYERS = 1000
LISTED = 1000
"""Entries that a list in a config may have, however small the model is."""
INFINITE = "time_step"
"""State-space models limit their time steps by infinity."""
ROTARY_BASE = re.compile(r"rope_theta$|^rotary_emb_base$|^rope_local_base_freq$")
ROTARY = ("rope_parameters", "rope_scaling")
"""Fields that hold how positions are rotated, of the whole model or by the kind of a layer."""
STRETCH = ("factor", "short_factor", "long_factor")
SIZES = (
    "hidden_size",
    "n_embd",
    "d_model",
    "vocab_size",
    "intermediate_size",
    "n_inner",
    "head_dim",
)
COUNTS = ("num_labels", "type_vocab_size", "max_2d_position_embeddings", "num_buckets", "position_buckets")
"""Rows of a tensor that not every architecture has."""
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""None of them is a dense model of an architecture that may have some, such as Granite 4's."""
MAX_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
    "max_target_positions",
)
OFFSET_POSITIONS = (
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "roberta-prelayernorm",
    "camembert",
    "data2vec-text",
    "mpnet",
    "longformer",
    "xmod",
    "ibert",
    "luke",
    "mra",
)
"""Model types whose position ids begin behind that of the padding token, in transformers' code."""
DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16", "F64": "float64"}
LAYER_INDEX = re.compile(r"\.(\d+)\.")
EMBEDDING = re.compile(
    r"(^|\.)(embed_tokens|wte|word_embeddings?|embed_in|tok_embeddings|tokens_embed|embeddings?|shared|w)\.weight$"
)
BUFFER = re.compile(
    r"\.(inv_freq|masked_bias|attn\.bias|attention\.bias)$|(^|\.)embeddings\.(position|token_type)_ids$"
)
FIX = "Take config.json and the weights from the same checkpoint"


def text_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes the language model, which models of several parts nest."""
    nested = config.get("text_config")
    return nested if isinstance(nested, dict) else config


def vision_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes what reads pictures; nothing where there is none."""
    nested = config.get("vision_config")
    return nested if isinstance(nested, dict) else {}


def audio_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes what reads sounds; nothing where there is none."""
    nested = config.get("audio_config")
    return nested if isinstance(nested, dict) else {}


def check_geometry(config: Mapping[str, Any], weights: WeightFiles, place: Path) -> None:
    """Refuse a config whose sizes are no natural numbers, or greater than the tensors it is for.

    Raises `CheckpointError` naming the field, its value and the limit.
    """
    text = text_part(config)
    for field in (*LAYERS, *HEADS, *SIZES, *EXPERTS):
        value, least = text.get(field), 0 if field in EXPERTS else 1
        if value is not None and not isinstance(value, list) and (type(value) is not int or value < least):
            raise CheckpointError(f"{field} is {value!r}, not a whole number from {least} on", place=place, fix=FIX)
    _refuse_infinite(config, place)
    _refuse_unrotated(config, place)
    for field, value in _integers(text, MAX_LENGTHS):
        if value > MAX_INTEGER:
            raise CheckpointError(f"{field} is {value:,}; the limit is {MAX_INTEGER:,}", place=place, fix=FIX)
    for part in (text, vision_part(config), audio_part(config)):
        _check_depth(part, weights, place)
    # A tensor without a number in it takes no bytes, whatever its width.
    widest = max((max(tensor.shape, default=1) for tensor in weights.tensors.values() if tensor.count), default=1)
    _refuse_long(config, max(widest, LISTED), place)
    for field, value in _integers(text, (*HEADS, *SIZES, *EXPERTS, *COUNTS)):
        if value > widest:
            raise CheckpointError(
                f"{field} is {value:,}, but no tensor in the weight files is wider than {widest:,}",
                place=place,
                fix=FIX,
            )
    heads, width = text.get("num_attention_heads"), text.get("head_dim")
    if type(heads) is int and type(width) is int and heads * width > widest:
        raise CheckpointError(
            f"num_attention_heads x head_dim is {heads * width:,}, but no tensor in the weight files is wider than "
            f"{widest:,}",
            place=place,
            fix=FIX,
        )


def _check_depth(text: Mapping[str, Any], weights: WeightFiles, place: Path) -> None:
    """Refuse more layers than there are weights for: building them, or a pass through them, would not end."""
    layers = _layers_stored(weights.tensors)
    for field, value in _integers(text, (*LAYERS, *DEPTHS)):
        if SHARED in text and field in LAYERS:
            if value > MAX_SHARED_LAYERS:
                raise CheckpointError(
                    f"{field} is {value:,}; the limit for layers that share their weights ({SHARED}) is "
                    f"{MAX_SHARED_LAYERS:,}",
                    place=place,
                    fix=FIX,
                )
        elif value > layers:
            raise CheckpointError(
                f"{field} is {value:,}, but the weight files hold {layers:,} layers", place=place, fix=FIX
            )


def _refuse_infinite(config: Mapping[str, Any], place: Path) -> None:
    """Raises `CheckpointError` for a field that is infinite, such as a norm's epsilon: no answer would mean a thing."""
    for field, value in _everything(config):
        if isinstance(value, float) and math.isinf(value) and not field.startswith(INFINITE):
            raise CheckpointError(
                f"{field} is infinite", place=place, fix="Download this file from the checkpoint's publisher again"
            )


def _refuse_unrotated(config: Mapping[str, Any], place: Path) -> None:
    """Raises `CheckpointError` for a base or factor of rotary positions not above 0: every answer would be NaN."""
    stretched = [
        (field, value)
        for name, rotary in _everything(config)
        if name in ROTARY and isinstance(rotary, dict)
        for field, value in _everything(rotary)
        if field in STRETCH
    ]
    bases = [(field, value) for field, value in _everything(config) if ROTARY_BASE.search(field)]
    for field, value in bases + stretched:
        if isinstance(value, int | float) and not value > 0:
            raise CheckpointError(f"{field} is {value!r}, not a number above 0", place=place, fix=FIX)


def _refuse_long(config: Mapping[str, Any], limit: int, place: Path) -> None:
    """Raises `CheckpointError` for a list, of labels or factors, say, with more entries than any tensor has rows."""
    for field, value in _everything(config):
        if isinstance(value, dict | list) and len(value) > limit:
            raise CheckpointError(
                f"{field} has {len(value):,} entries, but no tensor in the weight files is wider than {limit:,}",
                place=place,
                fix=FIX,
            )


def _everything(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value at any depth, with the field that it, or the list that it is in, is the value of."""
    left: list[tuple[str, Any]] = list(config.items())
    while left:
        field, value = left.pop()
        yield field, value
        if isinstance(value, dict):
            left += value.items()
        elif isinstance(value, list):
            left += [(field, one) for one in value]


def _integers(config: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    return ((field, config[field]) for field in fields if type(config.get(field)) is int)


def _layers_stored(tensors: Mapping[str, StoredTensor]) -> int:
    """How many layers have tensors with numbers in them, by their indices, such as 29 in `model.layers.29.mlp.weight`.

    A name may hold any index, so that they are counted.
    """
    stacks: dict[str, set[str]] = {}
    for name, tensor in tensors.items():
        if tensor.count and (found := LAYER_INDEX.search(name)):
            stacks.setdefault(name[: found.start()], set()).add(found[1])
    return max(map(len, stacks.values()), default=0)


def embedding_rows(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> int | None:
    """How many tokens have an input embedding, from the tensor where its name tells, else from the config."""
    rows = [tensor.shape[0] for name, tensor in tensors.items() if len(tensor.shape) == 2 and EMBEDDING.search(name)]
    if rows:
        return max(rows)
    stated = text_part(config).get("vocab_size")
    return stated if type(stated) is int else None


def parameter_count(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> int:
    """How many numbers are stored as weights; an output head tied to the embedding counts once, buffers not at all."""
    counted = {name: tensor.count for name, tensor in tensors.items() if not BUFFER.search(name)}
    tied = config.get("tie_word_embeddings", text_part(config).get("tie_word_embeddings"))
    if tied and any(EMBEDDING.search(name) for name in counted):
        counted.pop("lm_head.weight", None)
    return sum(counted.values())


def config_dtype(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> str:
    """The number format the config names, else the one that most weights are stored in."""
    text = text_part(config)
    named = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype")
    if isinstance(named, str):
        return named.removeprefix("torch.")
    stored: dict[str, int] = {}
    for tensor in tensors.values():
        stored[tensor.dtype] = stored.get(tensor.dtype, 0) + tensor.count
    most = max(stored, key=lambda dtype: stored[dtype])
    return DTYPES.get(most, most)


def max_length(
    config: Mapping[str, Any],
    tokenizer_config: Mapping[str, Any],
    kind: str = "causal",
    declared: int | None = None,
) -> int:
    """Tokens of context the model was made for, special tokens included.

    By its config, else its tokenizer, else 2,048 as lm-eval has it; for kinds that read a text as a whole the least
    of config, tokenizer and `declared`, which is what sentence-transformers' files say. Some of those models count
    positions from behind the padding token's id, and have so many fewer.
    """
    text = text_part(config)
    stated = [value for _, value in _integers(text, MAX_LENGTHS) if value > 0][:1]
    limit = tokenizer_config.get("model_max_length")
    # transformers writes 10^30 where the tokenizer has no limit.
    told: list[int] = [limit] if type(limit) is int and 0 < limit < 10**9 else []
    if registry.kind(kind).transformer != "encoder":
        return [*stated, *told, DEFAULT_MAX_LENGTH][0]
    padding = text.get("pad_token_id", 1)
    if stated and text.get("model_type") in OFFSET_POSITIONS and type(padding) is int:
        stated = [max(stated[0] - padding - 1, 1)]
    return min([*stated, *told, *([declared] if declared else [])], default=DEFAULT_MAX_LENGTH)
