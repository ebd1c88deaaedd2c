"""Configs that claim the impossible."""

import json

from transformers import AlbertConfig

from tests.corpus.entry import Scene, entry
from tests.tiny import build_tiny_masked

__all__: list[str] = []

FILE = "model/config.json"
SAME = "Take config.json and the weights from the same checkpoint"


@entry("config", FILE, "num_hidden_layers is 1,000,000,000", "hold 2 layers", SAME)
def layers_1e9(scene: Scene) -> None:
    scene.edit("config.json", num_hidden_layers=10**9)


@entry("config", FILE, "num_hidden_layers is 1,000,000,000", "limit", "num_hidden_groups", "1,000")
def layers_1e9_shared(scene: Scene) -> None:
    """Layers that share their weights cost nothing on disk, and a pass through each."""
    _replace(scene, AlbertConfig(vocab_size=400, hidden_size=32, embedding_size=16, num_attention_heads=4))
    scene.edit("config.json", num_hidden_layers=10**9)


def _replace(scene: Scene, config: AlbertConfig) -> None:
    for path in scene.model.iterdir():
        path.unlink()
    build_tiny_masked(scene.model, config=config)


@entry("config", FILE, "num_hidden_layers is -1", "from 1 on", SAME)
def layers_negative(scene: Scene) -> None:
    scene.edit("config.json", num_hidden_layers=-1)


@entry("config", FILE, "num_attention_heads is 0", "from 1 on", SAME)
def heads_0(scene: Scene) -> None:
    scene.edit("config.json", num_attention_heads=0)


@entry("config", FILE, "rope_theta is 0", "above 0", SAME)
def rotation_0(scene: Scene) -> None:
    scene.edit("config.json", rope_parameters={"rope_type": "default", "rope_theta": 0})


@entry("config", FILE, "NaN", "publisher")
def eps_nan(scene: Scene) -> None:
    scene.edit("config.json", rms_norm_eps=float("nan"))


@entry("config", FILE, "rms_norm_eps", "infinite", "publisher")
def eps_infinite(scene: Scene) -> None:
    scene.edit("config.json", rms_norm_eps=float("inf"))


@entry("config", FILE, "'lama'", "LamaForCausalLM", "unknown to transformers", "Check the spelling")
def unknown_type(scene: Scene) -> None:
    scene.edit("config.json", model_type="lama", architectures=["LamaForCausalLM"])


@entry("config", FILE, "nested too deeply", "publisher")
def deep_json(scene: Scene) -> None:
    (scene.model / "config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


@entry("config", FILE, "limit is 16,777,216", "publisher")
def long_json(scene: Scene) -> None:
    (scene.model / "config.json").write_text(json.dumps({"a": "x" * (17 << 20)}))


@entry("config", FILE, "a number in it is too long", "publisher")
def long_number(scene: Scene) -> None:
    """Python refuses to read a whole number of more than 4,300 digits."""
    (scene.model / "config.json").write_text('{"num_hidden_layers": ' + "9" * 10_000 + "}")
