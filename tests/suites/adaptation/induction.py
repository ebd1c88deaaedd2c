"""A transformer of two layers that copies what stood behind the same word before, its weights written down by hand.

The first head writes at each place which word stands before it; the second looks from a word to the places behind the
same word, and copies what stands there (the induction heads of Elhage et al., 2021, and Olsson et al., 2022).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

__all__ = ["build_copier"]

SPECIAL = ("<unk>", "<s>", "</s>")
SHARP = 60.0
"""How much likelier the place that is looked for is than any other, in nats before the softmax."""


def build_copier(folder: Path, words: Sequence[str], *, window: int = 128, copies: bool = True) -> Path:
    """A checkpoint that knows these words; one that `copies` nothing finds all words equally likely, always.

    Where a word stands for the first time, it looks to the beginning of the text, and copies the word there. A text has
    to begin with a word that nothing is asked about: before it stands, for this model, the word itself.
    """
    vocabulary = {word: at for at, word in enumerate((*SPECIAL, *words))}
    size = len(vocabulary)
    word, place, before, told = (
        slice(0, size),
        slice(size, size + window),
        slice(size + window, 2 * size + window),
        slice(2 * size + window, 3 * size + window),
    )
    width = told.stop
    config = GPT2Config(
        vocab_size=size,
        n_positions=window,
        n_embd=width,
        n_layer=2,
        n_head=1,
        n_inner=1,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
        layer_norm_epsilon=1e-12,
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.transformer.wte.weight[:, word] = torch.eye(size)
        model.transformer.wpe.weight[:, place] = torch.eye(window)
        first, second = model.transformer.h
        _undo_norm(first.ln_1, 2, width)
        _undo_norm(second.ln_1, 3, width)
        _undo_norm(model.transformer.ln_f, 4, width)
        earlier = torch.zeros(width, width)
        earlier[place.start + 1 : place.stop, place.start : place.stop - 1] = torch.eye(window - 1)
        earlier[place.start, place.start] = 1.0  # nothing stands before the first place
        _attend(first.attn, earlier, _onto(place, place, width), _onto(word, before, width))
        same = _onto(before, word, width)
        same[place.start, word] = 0.5
        _attend(second.attn, _onto(word, word, width), same, _onto(word, told, width) * copies)
        model.lm_head.weight[:, told] = 10 * torch.eye(size)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = dict(zip(("unk_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _onto(source: slice, target: slice, width: int) -> Tensor:
    """What takes the numbers of one part of a state to another part."""
    weights = torch.zeros(width, width)
    weights[source, target] = torch.eye(source.stop - source.start)
    return weights


def _undo_norm(norm: torch.nn.LayerNorm, ones: int, width: int) -> None:
    """Have the layer give back what it gets: states with so many ones, and zeros else."""
    mean = ones / width
    norm.weight.fill_(math.sqrt(mean - mean**2))
    norm.bias.fill_(mean)


def _attend(layer: Any, query: Tensor, key: Tensor, value: Tensor) -> None:
    scale = SHARP * math.sqrt(len(query))
    layer.c_attn.weight.copy_(torch.cat([query * scale, key, value], dim=1))
    layer.c_proj.weight.copy_(torch.eye(len(query)))
