"""Checkpoints whose configs lead to other files than those that are looked at, or to other models."""

import json
import shutil

import numpy as np
from safetensors.numpy import save_file

from tests.corpus.entry import Scene, entry

__all__: list[str] = []


@entry("redirect", "model/config.json", "configuration_files", "Call the one that is meant config.json")
def config_by_version(scene: Scene) -> None:
    shutil.copy(scene.model / "config.json", scene.model / "config.4.0.0.json")
    scene.edit("config.4.0.0.json", rms_norm_eps=0.5, num_hidden_layers=10**9)
    scene.edit("config.json", configuration_files=["config.4.0.0.json"])


@entry("redirect", "model/tokenizer_config.json", "fast_tokenizer_files", "Call the one that is meant tokenizer.json")
def tokenizer_by_version(scene: Scene) -> None:
    (scene.model / "tokenizer.4.0.0.json").write_text("{}")
    scene.edit("tokenizer_config.json", fast_tokenizer_files=["tokenizer.4.0.0.json"])


@entry("redirect", "model/tokenizer_config.json", "init_inputs", "Remove that field")
def tokenizer_arguments(scene: Scene) -> None:
    scene.edit("tokenizer_config.json", init_inputs=["/etc/hostname"])


@entry("redirect", "model/tokenizer_config.json", "tokenizer_class is 'RagRetriever'", "not a tokenizer class")
def tokenizer_of_another_kind(scene: Scene) -> None:
    scene.edit("tokenizer_config.json", tokenizer_class="RagRetriever")
    scene.edit("config.json", dataset="nobody/data", question_encoder={}, generator={})


@entry("redirect", "model/config.json", "text_config._attn_implementation", "nobody/kernel", "sdpa or eager")
def attn_kernel_below(scene: Scene) -> None:
    scene.edit("config.json", text_config={"_attn_implementation": "nobody/kernel"})


@entry("redirect", "record: out", exit_code=0)
def tokenizer_paths(scene: Scene) -> None:
    """Paths of another machine stand in many published configs; they are not opened."""
    fields = ("tokenizer_file", "vocab_file", "special_tokens_map_file", "merges_file", "gguf_file")
    scene.edit("tokenizer_config.json", **dict.fromkeys(fields, "/etc/hostname"))


@entry("redirect", "causal", "fingerprint", command=("inspect", "--model", "model"), exit_code=0)
def conversion_of_a_stranger(scene: Scene) -> None:
    said = {"notes": ["Certified"], "size_bytes": 1, "files": {"config.json": {"sha256": "0" * 64}}}
    (scene.model / "conversion.json").write_text(json.dumps(said))


SERVER = "openai:http://127.0.0.1:9/v1#model"
"""Nothing listens there; that it was asked at all would be reported."""
KEY = {"OPENAI_API_KEY": "sk-not-for-anybody-0123456789"}


def _adapter(scene: Scene, base: str, **fields: object) -> None:
    """Make the model an adapter over `base`, sound but for that."""
    tensors = {
        f"base_model.model.model.layers.0.self_attn.q_proj.lora_{side}.weight": np.zeros(shape, np.float32)
        for side, shape in (("A", (2, 32)), ("B", (32, 2)))
    }
    shutil.rmtree(scene.model)
    scene.model.mkdir()
    save_file(tensors, scene.model / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj"], **fields}
    (scene.model / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": base}))


@entry("reference", "model/adapter_config.json", "as its base", "a server is asked", "--base REF", environment=KEY)
def base_is_a_server(scene: Scene) -> None:
    _adapter(scene, SERVER)


@entry(
    "reference",
    "model/adapter_config.json",
    "a server is asked",
    command=("inspect", "--model", "model"),
    environment=KEY,
)
def base_is_a_server_inspected(scene: Scene) -> None:
    _adapter(scene, SERVER)


@entry("reference", "model/adapter_config.json", "a server is asked", environment=KEY)
def base_is_an_address(scene: Scene) -> None:
    _adapter(scene, SERVER.removeprefix("openai:"))


@entry("reference", "model/adapter_config.json", "nobody/model@v2", "--base nobody/model@v2")
def base_on_a_hub(scene: Scene) -> None:
    _adapter(scene, "nobody/model", revision="v2")


@entry("reference", "model/adapter_config.json", "in its folder or next to it", "--base ../../private")
def base_elsewhere(scene: Scene) -> None:
    _adapter(scene, "../../private")


@entry("reference", "model/adapter_config.json", "in its folder or next to it", "--base")
def base_by_a_link(scene: Scene) -> None:
    private = scene.folder / "home" / "private"
    shutil.copytree(scene.model, private)
    _adapter(scene, "base")
    (scene.model / "base").symlink_to(private)


@entry("reference", "--base openai:", "a served model can't be a base", more=("--base", SERVER), environment=KEY)
def base_served_by_the_user(scene: Scene) -> None:
    _adapter(scene, "nobody/model")
