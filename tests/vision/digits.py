"""Trains a LLaVA of half a million numbers on scikit-learn's digits: a model that sees, for tests of what it says."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor
from transformers import (
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

from harness.core.media import OBJECT, Medium
from harness.media.pictures import picture
from tests.vision.checkpoints import CHAT_TEMPLATE, seeing_tokenizer

__all__ = ["QUESTION", "WORDS", "Digit", "held_out_digits", "trained_llava"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ASKED = "\nQuestion: Which digit is this?\nAnswer:"
"""As the task `digits` asks."""
QUESTION = f"{OBJECT}{ASKED}"
SIDE, PATCH, WIDTH, LAYERS = 32, 8, 96, 2
TOKENS = (SIDE // PATCH) ** 2
STEPS, BATCH, RATE = 340, 32, 2e-3
HELD_OUT = 360


@dataclass(frozen=True, slots=True)
class Digit:
    """A handwritten digit, with the word for it."""

    medium: Medium
    word: str


def held_out_digits(count: int = HELD_OUT) -> list[Digit]:
    """Digits that the model wasn't trained on, 360 at the most."""
    return [Digit(picture(image), word) for image, word in _digits()[:count]]


def trained_llava(shared: Path) -> Path:
    """The folder of the trained checkpoint in a folder that several processes share; the first of them trains it.

    Asked `QUESTION` with a digit, it goes on with a space and the word for it. Fixed steps from a fixed seed, so the
    weights differ by rounding alone.
    """
    folder = shared / "trained_llava"
    with FileLock(shared / "trained_llava.lock"):
        if not (folder / "trained").exists():
            _train(folder)
            (folder / "trained").touch()
    return folder


def _digits() -> list[tuple[Image.Image, str]]:
    found = load_digits()
    order = list(range(len(found.target)))
    random.Random(0).shuffle(order)
    return [
        (
            Image.fromarray((255 - found.images[one] / 16 * 255).astype("uint8")).convert("RGB").resize((SIDE, SIDE)),
            WORDS[found.target[one]],
        )
        for one in order
    ]


def _train(folder: Path) -> None:
    torch.manual_seed(0)
    rows = _digits()[HELD_OUT:]
    processor = _processor()
    tokenizer = processor.tokenizer
    pixels = processor.image_processor([image for image, _ in rows], return_tensors="pt")["pixel_values"]
    texts = _texts(tokenizer)
    model = LlavaForConditionalGeneration(_config(tokenizer)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    draws = random.Random(0)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 50) * max(0.02, 1 - step / STEPS)
        chosen = draws.sample(range(len(rows)), BATCH)
        tokens, labels = (torch.stack(column) for column in zip(*(texts[rows[one][1]] for one in chosen), strict=True))
        # Moved by a pixel, so that it learns shapes and not places.
        moved = torch.roll(pixels[chosen], (draws.randint(-1, 1), draws.randint(-1, 1)), (2, 3))
        loss = model(input_ids=tokens, attention_mask=(tokens != 3).long(), pixel_values=moved, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)


def _processor() -> Any:
    size = {"height": SIDE, "width": SIDE}
    return LlavaProcessor(
        image_processor=SiglipImageProcessorPil(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3),
        tokenizer=seeing_tokenizer([f"{ASKED} {word}" for word in WORDS]),
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        image_token="<image>",
        chat_template=CHAT_TEMPLATE,
    )


def _config(tokenizer: Any) -> LlavaConfig:
    layers = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
    }
    text = LlamaConfig(
        **layers, vocab_size=len(tokenizer), max_position_embeddings=512, bos_token_id=1, eos_token_id=2, pad_token_id=3
    )
    return LlavaConfig(
        vision_config=SiglipVisionConfig(**layers, image_size=SIDE, patch_size=PATCH).to_dict(),
        text_config=text.to_dict(),
        image_token_index=tokenizer.image_token_id,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=TOKENS,
    )


def _texts(tokenizer: Any) -> dict[str, tuple[Tensor, Tensor]]:
    """Token ids and labels of the text about each digit, padded on the right."""
    prompt = tokenizer("<image>" * TOKENS + ASKED)["input_ids"]
    answers = {word: tokenizer(f" {word}</s>")["input_ids"] for word in WORDS}
    longest = max(map(len, answers.values()))
    return {
        word: (
            torch.tensor([*prompt, *answer, *[3] * (longest - len(answer))]),
            torch.tensor([*[-100] * len(prompt), *answer, *[-100] * (longest - len(answer))]),
        )
        for word, answer in answers.items()
    }
