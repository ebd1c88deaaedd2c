"""Tiny checkpoints that were made from another one."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def cooled(parent: Path, folder: Path, factor: float) -> Path:
    """The parent with every logit times `factor`: the norm in front of its output head is scaled."""
    model = AutoModelForCausalLM.from_pretrained(parent)
    with torch.no_grad():
        model.model.norm.weight *= factor
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(parent).save_pretrained(folder)
    return folder


def rounded(parent: Path, folder: Path, *, levels: int = 3) -> Path:
    """The parent with the weights of its layers rounded to a few steps on either side of 0."""
    model = AutoModelForCausalLM.from_pretrained(parent)
    with torch.no_grad():
        for layer in (one for one in model.model.layers.modules() if isinstance(one, torch.nn.Linear)):
            step = layer.weight.abs().max() / levels
            layer.weight.copy_((layer.weight / step).round() * step)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(parent).save_pretrained(folder)
    return folder


def plain_logits(folder: Path, text: str, *, most: int = 256) -> tuple[torch.Tensor, list[int]]:
    """Logits in front of each token of a text, of shape (tokens, vocabulary), by transformers alone, and the tokens."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"][:most]
    with torch.inference_mode():
        logits = model(torch.tensor([[tokenizer.bos_token_id, *tokens[:-1]]])).logits[0]
    return logits.double(), tokens


def plain_divergences(child: Path, parent: Path, text: str, *, most: int = 256) -> list[float]:
    """KL(parent || child) at each token, by torch's own formula, over what both vocabularies have."""
    (own, _), (other, _) = (plain_logits(folder, text, most=most) for folder in (child, parent))
    width = min(own.shape[-1], other.shape[-1])
    logs = [logits[:, :width].log_softmax(dim=-1) for logits in (own, other)]
    found: list[float] = torch.nn.functional.kl_div(*logs, reduction="none", log_target=True).sum(dim=-1).tolist()
    return found
