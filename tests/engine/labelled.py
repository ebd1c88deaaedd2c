"""Tiny models with a head for labels, of any architecture."""

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from harness.checkpoints import resolve
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.loading.loader import load_model


def opened(folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast, scale: float = 4) -> LoadedCheckpoint:
    """The model with its weights scaled up, saved and loaded as `harness eval` would."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
    model.eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")
