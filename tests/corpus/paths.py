"""Checkpoints whose files lead out of their folder, or are no files."""

import json
import os

from tests.corpus.entry import Scene, entry

__all__: list[str] = []

INDEX = "model.safetensors.index.json"


def _indexed(scene: Scene, shard: str) -> None:
    outside = scene.folder / "outside.safetensors"
    scene.weights.rename(outside)
    names = ["model.norm.weight", "lm_head.weight"]
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, shard)}
    (scene.model / INDEX).write_text(json.dumps(index))


@entry("path", INDEX, "../outside.safetensors", "same folder")
def index_dotdot(scene: Scene) -> None:
    _indexed(scene, "../outside.safetensors")


@entry("path", INDEX, "/outside.safetensors", "same folder")
def index_absolute(scene: Scene) -> None:
    _indexed(scene, str(scene.folder / "outside.safetensors"))


@entry("path", "model/model.safetensors", "link out of the folder", "Copy the file itself")
def symlink_out(scene: Scene) -> None:
    outside = scene.folder / "outside.safetensors"
    scene.weights.rename(outside)
    scene.weights.symlink_to(outside)


@entry("path", "model/model.safetensors", "leads nowhere", "Copy the file itself")
def symlink_loop(scene: Scene) -> None:
    scene.weights.unlink()
    scene.weights.symlink_to(scene.weights)


@entry("path", "model/model.safetensors", "not a regular file", "Copy the file itself")
def fifo_weights(scene: Scene) -> None:
    scene.weights.unlink()
    os.mkfifo(scene.weights)


@entry("path", "model/chat_template.jinja", "not a regular file", "Copy the file itself")
def fifo_template(scene: Scene) -> None:
    (scene.model / "chat_template.jinja").unlink(missing_ok=True)
    os.mkfifo(scene.model / "chat_template.jinja")


@entry("path", "model/tokenizer_config.json", "link out of the folder", "Copy the file itself")
def symlink_out_tokenizer(scene: Scene) -> None:
    outside = scene.folder / "tokenizer_config.json"
    (scene.model / outside.name).rename(outside)
    (scene.model / outside.name).symlink_to(outside)
