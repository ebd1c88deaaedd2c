"""Turns a Whisper of CTranslate2's into a folder that transformers loads. No torch: arrays get other names.

The same bytes come out whatever versions are installed, so a fingerprint is the model's for ever.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from harness.checkpoints.files import read_object
from harness.checkpoints.sources.cached import CONVERSION
from harness.checkpoints.sources.ctranslate2 import Arrays, read_arrays
from harness.core.checkpoints import MULTILINGUAL_ROWS
from harness.core.errors import CheckpointError
from harness.core.text.hashing import file_digest
from harness.core.text.reasons import Reason

__all__ = ["WHISPER_CONVERTER_VERSION", "convert_whisper"]

WHISPER_CONVERTER_VERSION = 1
"""Goes up whenever other files can come of the same model."""

_WINDOW_S, _RATE_HZ, _HOP, _FFT = 30, 16000, 160, 400
_END, _START, _NO_TIMES = "<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"
_TASKS = ("transcribe", "translate")

Weights = Iterator[tuple[str, NDArray[Any]]]


def convert_whisper(model: Path, config: Path, tokenizer: Path, folder: Path) -> None:
    """Write a new folder of `model` (CTranslate2's model.bin), its config.json and its tokenizer.json.

    Weights are stored in float32, which holds every value of the file. Raises `CheckpointError` for a file that isn't
    what its name says, `OSError` if the folder can't be written.
    """
    arrays = read_arrays(model, "WhisperSpec")
    try:
        weights = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in _weights(arrays)}
        shapes = _architecture(arrays)
    except KeyError as error:
        raise CheckpointError(f"holds no array {error}", place=model, fix="Fetch it again") from error
    tokens = {
        str(one["content"]): int(one["id"])
        for one in read_object(tokenizer, limit_bytes=1 << 26).get("added_tokens") or ()
    }
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    written = {
        "config.json": _config(shapes, tokens),
        "generation_config.json": _generation(shapes, tokens, read_object(config)),
        "tokenizer_config.json": {
            "tokenizer_class": "WhisperTokenizer",
            "add_prefix_space": False,
            **{f"{role}_token": _END for role in ("bos", "eos", "pad", "unk")},
        },
        "processor_config.json": {"feature_extractor": _extractor(shapes), "processor_class": "WhisperProcessor"},
    }
    for name, content in written.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    said = {
        "source": model.name,
        "source_sha256": file_digest(model),
        "size_bytes": model.stat().st_size,
        "bits_per_weight": 8 * model.stat().st_size / sum(value.size for value in weights.values()),
        "converter_version": WHISPER_CONVERTER_VERSION,
        "files": {
            path.name: {"size_bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in sorted(folder.iterdir())
        },
        "notes": [
            Reason(
                "Converted from CTranslate2's format in {stored}, without loss",
                stored=str(arrays["decoder/embeddings/weight"].dtype),
            ).to_json()
        ],
    }
    (folder / CONVERSION).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    (folder / "model.safetensors").chmod((folder / CONVERSION).stat().st_mode)


def _architecture(arrays: Arrays) -> Mapping[str, int]:
    """The sizes of the model, by its arrays' shapes."""
    return {
        "vocab_size": arrays["decoder/embeddings/weight"].shape[0],
        "d_model": arrays["decoder/embeddings/weight"].shape[1],
        "num_mel_bins": arrays["encoder/conv1/weight"].shape[1],
        "max_source_positions": arrays["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": arrays["decoder/position_encodings/encodings"].shape[0],
        **{f"{side}_layers": _layers(arrays, side) for side in ("encoder", "decoder")},
        **{f"{side}_attention_heads": int(arrays[f"{side}/num_heads"]) for side in ("encoder", "decoder")},
        **{
            f"{side}_ffn_dim": arrays[f"{side}/layer_0/ffn/linear_0/weight"].shape[0] for side in ("encoder", "decoder")
        },
    }


def _layers(arrays: Arrays, side: str) -> int:
    return len({name.split("/")[1] for name in arrays if name.startswith(f"{side}/layer_") and name.count("/") > 2})


def _config(shapes: Mapping[str, int], tokens: Mapping[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "activation_function": "gelu",
        "dtype": "float32",
        "tie_word_embeddings": True,
        **shapes,
        **{f"{role}_token_id": tokens[_END] for role in ("bos", "eos", "pad")},
        "decoder_start_token_id": tokens[_START],
    }


def _generation(shapes: Mapping[str, int], tokens: Mapping[str, int], said: Mapping[str, Any]) -> dict[str, Any]:
    multilingual = shapes["vocab_size"] >= MULTILINGUAL_ROWS
    first, last = tokens[_START] + 1, tokens["<|translate|>"]
    languages = {
        name: number for name, number in tokens.items() if first <= number < min(last, tokens["<|transcribe|>"])
    }
    many = {"lang_to_id": languages, "task_to_id": {task: tokens[f"<|{task}|>"] for task in _TASKS}}
    return {
        **{f"{role}_token_id": tokens[_END] for role in ("bos", "eos", "pad")},
        "decoder_start_token_id": tokens[_START],
        "no_timestamps_token_id": tokens[_NO_TIMES],
        "prev_sot_token_id": tokens["<|startofprev|>"],
        "is_multilingual": multilingual,
        **(many if multilingual else {}),
        "suppress_tokens": said.get("suppress_ids"),
        "begin_suppress_tokens": said.get("suppress_ids_begin"),
        "alignment_heads": said.get("alignment_heads"),
        "max_initial_timestamp_index": 50,
        "max_length": shapes["max_target_positions"],
        "return_timestamps": False,
    }


def _extractor(shapes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": shapes["num_mel_bins"],
        "sampling_rate": _RATE_HZ,
        "hop_length": _HOP,
        "n_fft": _FFT,
        "chunk_length": _WINDOW_S,
        "padding_value": 0.0,
    }


def _weights(arrays: Arrays) -> Weights:
    """Every weight under transformers' name; its output head is its embedding, and is stored once."""
    for conv in ("conv1", "conv2"):
        yield from _linear(f"model.encoder.{conv}", arrays, f"encoder/{conv}")
    yield "model.decoder.embed_tokens.weight", arrays["decoder/embeddings/weight"]
    for side in ("encoder", "decoder"):
        yield f"model.{side}.embed_positions.weight", arrays[f"{side}/position_encodings/encodings"]
        yield from _norm(f"model.{side}.layer_norm", arrays, f"{side}/layer_norm")
        for index in range(_layers(arrays, side)):
            yield from _layer(
                f"model.{side}.layers.{index}", arrays, f"{side}/layer_{index}", decodes=side == "decoder"
            )


def _layer(name: str, arrays: Arrays, at: str, *, decodes: bool) -> Weights:
    yield from _parts(f"{name}.self_attn", arrays, f"{at}/self_attention/linear_0", "qkv")
    yield from _linear(f"{name}.self_attn.out_proj", arrays, f"{at}/self_attention/linear_1")
    yield from _norm(f"{name}.self_attn_layer_norm", arrays, f"{at}/self_attention/layer_norm")
    if decodes:
        yield from _parts(f"{name}.encoder_attn", arrays, f"{at}/attention/linear_0", "q")
        yield from _parts(f"{name}.encoder_attn", arrays, f"{at}/attention/linear_1", "kv")
        yield from _linear(f"{name}.encoder_attn.out_proj", arrays, f"{at}/attention/linear_2")
        yield from _norm(f"{name}.encoder_attn_layer_norm", arrays, f"{at}/attention/layer_norm")
    for place in (0, 1):
        yield from _linear(f"{name}.fc{place + 1}", arrays, f"{at}/ffn/linear_{place}")
    yield from _norm(f"{name}.final_layer_norm", arrays, f"{at}/ffn/layer_norm")


def _parts(name: str, arrays: Arrays, at: str, letters: str) -> Weights:
    """The projections that CTranslate2 keeps as one; keys have no bias in Whisper, and zeros stand in its place."""
    weights = np.split(arrays[f"{at}/weight"], len(letters))
    biases = np.split(arrays[f"{at}/bias"], len(letters))
    for letter, weight, bias in zip(letters, weights, biases, strict=True):
        yield f"{name}.{letter}_proj.weight", weight
        if letter != "k":
            yield f"{name}.{letter}_proj.bias", bias
        elif bias.any():
            raise CheckpointError("has a bias for keys, which Whisper has none of", place=at, fix="Fetch it again")


def _linear(name: str, arrays: Arrays, at: str) -> Weights:
    yield f"{name}.weight", arrays[f"{at}/weight"]
    yield f"{name}.bias", arrays[f"{at}/bias"]


def _norm(name: str, arrays: Arrays, at: str) -> Weights:
    yield f"{name}.weight", arrays[f"{at}/gamma"]
    yield f"{name}.bias", arrays[f"{at}/beta"]
