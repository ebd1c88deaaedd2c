"""Numbers and lists that would become loops and arrays, and that no bytes of the checkpoint bear out."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

from transformers import BertConfig, Mamba2Config

from tests.corpus.entry import Scene, entry
from tests.tiny import build_tiny_checkpoint, build_tiny_masked

__all__: list[str] = []

FILE = "model/config.json"
SAME = "Take config.json and the weights from the same checkpoint"
OTHER = "don't bear out"
TOKENS = 100_000


def _replace(scene: Scene, build: Callable[[Path], object]) -> None:
    for path in scene.model.iterdir():
        path.unlink()
    build(scene.model)


def _with_tensor(scene: Scene, name: str, shape: list[int], data: bytes) -> None:
    """Put a tensor of float32 behind the others."""
    content = scene.weights.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    text = json.dumps(header).encode()
    scene.weights.write_bytes(struct.pack("<Q", len(text)) + text + body + data)


@entry("config", FILE, "num_labels is 1,000,000,000", "wider than 400", SAME)
def labels_1e9(scene: Scene) -> None:
    """transformers names each label, in a model of whatever kind."""
    scene.edit("config.json", num_labels=10**9)


@entry("config", FILE, "id2label has 300,000 entries", SAME)
def labels_named_3e5(scene: Scene) -> None:
    scene.edit("config.json", id2label={str(number): str(number) for number in range(300_000)})


@entry("config", FILE, "type_vocab_size is 100,000,000", "wider than 400", SAME)
def token_types_1e8(scene: Scene) -> None:
    scene.edit("config.json", type_vocab_size=10**8)


@entry("config", FILE, "num_hidden_layers is 1,000,000,000", "hold 3 layers", SAME)
def layer_called_999999999(scene: Scene) -> None:
    """A tensor's name says nothing of how many layers there are."""
    _with_tensor(scene, "model.layers.999999999.x", [1], bytes(4))
    scene.edit("config.json", num_hidden_layers=10**9)


@entry("config", FILE, "hidden_size is 1,000,000,000", "wider than 400", SAME)
def empty_tensor_of_width_1e18(scene: Scene) -> None:
    _with_tensor(scene, "model.extra", [0, 10**18], b"")
    scene.edit("config.json", hidden_size=10**9)


@entry(
    "config", FILE, "max_position_embeddings, 1,000,000,000", OTHER, "position_embeddings.weight", "[1000000000, 32]"
)
def positions_1e9(scene: Scene) -> None:
    """A field that is free of memory in most architectures, and an array in this one."""
    config = BertConfig(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    )
    _replace(scene, lambda folder: build_tiny_masked(folder, config=config))
    scene.edit("config.json", max_position_embeddings=10**9)


@entry("config", FILE, "chunk_size, 1,000,000,000", "to read 16 tokens", OTHER)
def chunks_of_1e9_tokens(scene: Scene) -> None:
    """Each text is padded to a multiple of it."""
    config = Mamba2Config(
        vocab_size=400, hidden_size=32, num_hidden_layers=2, num_heads=8, head_dim=8, state_size=16, n_groups=1
    )
    _replace(scene, lambda folder: build_tiny_checkpoint(folder, config=config))
    scene.edit("config.json", chunk_size=10**9)


@entry("tokenizer", "model/tokenizer_config.json", "adds 100,000 tokens", "400 rows", "same checkpoint")
def special_tokens_1e5(scene: Scene) -> None:
    scene.edit("tokenizer_config.json", additional_special_tokens=[f"<{number}>" for number in range(TOKENS)])


@entry("tokenizer", "model/tokenizer.json", "adds 100,003 tokens", "400 rows", "same checkpoint")
def added_tokens_1e5(scene: Scene) -> None:
    content = json.loads((scene.model / "tokenizer.json").read_text("utf-8"))
    more = [{**content["added_tokens"][0], "id": 400 + number, "content": f"<{number}>"} for number in range(TOKENS)]
    scene.edit("tokenizer.json", added_tokens=[*content["added_tokens"], *more])
