"""Checkpoints whose configs lead to other files than those that are looked at."""

import json
import shutil

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


@entry("redirect", "model/config.json", "text_config._attn_implementation", "nobody/kernel", "sdpa or eager")
def attn_kernel_below(scene: Scene) -> None:
    scene.edit("config.json", text_config={"_attn_implementation": "nobody/kernel"})


@entry("redirect", "record: out", exit_code=0)
def tokenizer_paths(scene: Scene) -> None:
    """Paths of another machine stand in many published configs; they are not opened."""
    fields = ("tokenizer_file", "vocab_file", "special_tokens_map_file", "merges_file", "gguf_file")
    scene.edit("tokenizer_config.json", **dict.fromkeys(fields, "/etc/hostname"))


@entry("redirect", "record: out", exit_code=0)
def conversion_of_a_stranger(scene: Scene) -> None:
    said = {"notes": ["Certified"], "size_bytes": 1, "files": {"config.json": {"sha256": "0" * 64}}}
    (scene.model / "conversion.json").write_text(json.dumps(said))
