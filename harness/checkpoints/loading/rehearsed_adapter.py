"""Puts an adapter over a base without weights in a process apart, before this process does it in earnest.

Its config holds regular expressions, ranks by layer, and counts of layers and vectors, which peft follows as they are.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import peft
import torch
from torch import nn
from transformers import initialization

from harness.checkpoints.adapter import CONFIG
from harness.checkpoints.headers import StoredTensor
from harness.checkpoints.loading.confined import CPU_S
from harness.checkpoints.loading.rehearsal import CPU_S_PER_TENSOR, size_limit, too_large, tried_apart

__all__ = ["rehearse_adapter"]


def rehearse_adapter(folder: Path, base: Any, tensors: Mapping[str, StoredTensor]) -> None:
    """Refuse an adapter that would take more time or memory than its own `tensors` bear out.

    `base` is the loaded model that it is for. Raises `CheckpointError`.
    """
    limit_bytes = size_limit(sum(tensor.count for tensor in tensors.values()))
    parts = sum(1 for _ in base.modules())
    cpu_s = int(CPU_S + CPU_S_PER_TENSOR * parts)
    adapting = partial(_adapt, folder, base, limit_bytes)
    with tried_apart(adapting, folder / CONFIG, cpu_s, "the adapter that it describes") as tried:
        tried()


def _adapt(folder: Path, base: Any, limit_bytes: int) -> str | None:
    config = peft.PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    if hasattr(config, "init_lora_weights"):
        # There is nothing to decompose; how often that may be done is bounded where the config is read.
        config.init_lora_weights = False
    kind = peft.MODEL_TYPE_TO_PEFT_MODEL_MAPPING.get(config.task_type, peft.PeftModel)
    with torch.device("meta"), initialization.meta_device_safe_creation_ops(), initialization.no_init_weights():
        model: nn.Module = type(base)(base.config)
        known = {id(one) for one in (*model.parameters(), *model.buffers())}
        adapted = kind(model, config, "default")
    return too_large(adapted, limit_bytes, beside=known)
