"""Adapters whose configs ask for more than their few weights bear out."""

import json
from typing import Any

import torch
from safetensors.torch import save_file

from tests.corpus.child import TRIAL_CPU_S
from tests.corpus.entry import EVAL, Scene, entry

__all__: list[str] = []

FILE = "adapter/adapter_config.json"
COMMAND = tuple("adapter" if word == "model" else word for word in EVAL)
OVER = ("--base", "model")
SAME = "from the same adapter"
RANK = 4


def _adapter(scene: Scene, **fields: Any) -> None:
    """A sound LoRA over the scene's model, and then these fields."""
    folder = scene.folder / "adapter"
    folder.mkdir()
    tensors = {
        f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{part}.weight": torch.ones(shape) / 100
        for layer in range(2)
        for part, shape in (("A", (RANK, 32)), ("B", (32, RANK)))
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "target_modules": ["q_proj"], **fields}
    (folder / "adapter_config.json").write_text(json.dumps(config))


@entry("adapter", "acc", "foxes", "record: out/", command=COMMAND, more=OVER, exit_code=0)
def adapter_without_fault(scene: Scene) -> None:
    """Not an error: what the others are made of."""
    _adapter(scene)


@entry("adapter", FILE, "r asks for 30,000,000", SAME, command=COMMAND, more=OVER)
def adapter_rank_3e7(scene: Scene) -> None:
    _adapter(scene, r=3 * 10**7)


@entry("adapter", FILE, "don't bear out", "[30000000, 32]", command=COMMAND, more=OVER)
def adapter_rank_of_a_layer_3e7(scene: Scene) -> None:
    _adapter(scene, rank_pattern={"layers.0.self_attn.q_proj": 3 * 10**7})


@entry("adapter", FILE, "layer_replication asks for 1,000,000,000", SAME, command=COMMAND, more=OVER)
def adapter_layers_1e9(scene: Scene) -> None:
    _adapter(scene, layer_replication=[[0, 10**9]])


@entry("adapter", FILE, "init_lora_weights asks for 100,000,000", SAME, command=COMMAND, more=OVER)
def adapter_iterations_1e8(scene: Scene) -> None:
    """PiSSA decomposes each weight of the base in so many rounds."""
    _adapter(scene, init_lora_weights="pissa_niter_100000000")


@entry("adapter", FILE, f"takes more than {TRIAL_CPU_S} seconds", "publisher", command=COMMAND, more=OVER)
def adapter_pattern_that_backtracks(scene: Scene) -> None:
    _adapter(scene, target_modules=r"(([a-z_]+\.?)+)+!")
