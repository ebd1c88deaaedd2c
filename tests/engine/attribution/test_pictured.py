"""Gradients into pictures are captum's own, through the plain transformers model's forward pass."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from harness.checkpoints.resolver import resolve
from harness.core.attributions import Attribution, AttributionSettings, MethodResult
from harness.core.media import Medium
from harness.core.models import ModelOptions
from harness.core.requests import AttributePicture, MultimodalLoglikelihood
from harness.engine.opening import open_model
from harness.media.pictures import image_of, picture, without_cells
from tests.vision.checkpoints import SEEING
from tests.vision.digits import QUESTION, WORDS, held_out_digits

GRID = (4, 4)
METHODS = ("integrated_gradients", "gradient_x_input", "occlusion", "shapley_sampling")


def asked(
    medium: Medium, methods: tuple[str, ...] = METHODS, words: tuple[str, ...] = WORDS, **settings: Any
) -> AttributePicture:
    return AttributePicture(
        context=QUESTION,
        continuations=tuple(f" {word}" for word in words),
        methods=methods,
        settings=AttributionSettings(seed=3, **settings),
        media=(medium,),
        grid=GRID,
    )


def explained(folder: Path, request: AttributePicture) -> Attribution:
    model = open_model(resolve(str(folder)), ModelOptions(batch_tokens=2048))
    (response,) = model.answer(model.plan([request])[0])
    assert response.invalid is None
    assert response.attribution is not None
    return response.attribution


def of(found: Attribution, name: str) -> MethodResult:
    return next(method for method in found.methods if method.name == name)


class PlainSight:
    """Log-odds of a choice by pixels, of shape (rows, 3, height, width): one choice a pass."""

    def __init__(self, folder: Path, decision: int) -> None:
        self.model: Any = AutoModelForImageTextToText.from_pretrained(folder)
        self.processor: Any = AutoProcessor.from_pretrained(folder, backend="pil")
        self.decision = decision

    def pixels(self, medium: Medium) -> Tensor:
        made: Tensor = self.processor(text=["<image>"], images=[image_of(medium)], return_tensors="pt")["pixel_values"]
        return made

    def __call__(self, pixels: Tensor) -> Tensor:
        scores = torch.stack([self._likelihoods(f" {word}", pixels) for word in WORDS], dim=1)
        others = [index for index in range(len(WORDS)) if index != self.decision]
        return scores[:, self.decision] - scores[:, others].logsumexp(1)

    def _likelihoods(self, continuation: str, pixels: Tensor) -> Tensor:
        tokenizer, count = self.processor.tokenizer, int(pixels.shape[-1] / 8) ** 2
        prompt = tokenizer(QUESTION.replace("\ufffc", "<image>" * count))["input_ids"]
        targets = tokenizer(continuation, add_special_tokens=False)["input_ids"]
        row = torch.tensor([[*prompt, *targets]] * len(pixels))
        logits = self.model(input_ids=row, pixel_values=pixels).logits
        rows = logits[:, len(prompt) - 1 : -1].log_softmax(-1)
        return rows[:, range(len(targets)), targets].sum(dim=1)


def by_cell(values: Tensor) -> list[float]:
    values = values.detach()
    height, width = values.shape[-2] // GRID[0], values.shape[-1] // GRID[1]
    return [
        float(values[..., row * height : (row + 1) * height, column * width : (column + 1) * width].sum())
        for row in range(GRID[0])
        for column in range(GRID[1])
    ]


def test_gradients_into_pixels_are_captums_and_sum_to_what_the_picture_adds(trained_llava_folder: Path) -> None:
    digit = held_out_digits(1)[0].medium
    found = explained(trained_llava_folder, asked(digit, largest_gap=0.005, steps=400))
    plain = PlainSight(trained_llava_folder, found.decision)
    pixels, empty = plain.pixels(digit), plain.pixels(without_cells(digit, GRID, [False] * 16))
    steepest = IntegratedGradients(plain).attribute(pixels, empty, n_steps=64)
    expected, integrated = by_cell(steepest), of(found, "integrated_gradients")
    scale = max(map(abs, expected))
    assert integrated.values == pytest.approx(expected, abs=0.02 * scale)
    with torch.no_grad():
        whole = float(plain(pixels) - plain(empty))
    assert sum(integrated.values) == pytest.approx(whole, abs=0.01 * max(abs(whole), 1))
    assert integrated.completeness_gap is not None
    assert integrated.completeness_gap <= 0.005
    # Taking cells out starts from the same picture, so what Shapley shares out is the same.
    assert sum(of(found, "shapley_sampling").values) == pytest.approx(whole, abs=1e-3)
    times = InputXGradient(lambda moved: plain(moved + empty)).attribute((pixels - empty).requires_grad_())
    assert of(found, "gradient_x_input").values == pytest.approx(by_cell(times), abs=1e-3 * scale)
    assert found.pass_count > 0


def test_a_resized_pictures_pixels_count_to_the_cells_that_they_came_from(trained_llava_folder: Path) -> None:
    """Drawn larger, a digit has the same values by cell, but for what blends at the edges of cells."""
    small = held_out_digits(1)[0].medium
    large = picture(image_of(small).resize((96, 96), Image.Resampling.NEAREST))
    values = [
        np.array(of(explained(trained_llava_folder, asked(one, ("integrated_gradients",))), METHODS[0]).values)
        for one in (small, large)
    ]
    assert np.corrcoef(*values)[0, 1] > 0.9
    assert values[1].sum() == pytest.approx(values[0].sum(), rel=0.2)


def test_what_a_model_does_not_see_has_no_worth(tmp_path: Path) -> None:
    folder = SEEING["llava"](tmp_path / "llava")
    plain = picture(Image.new("RGB", (40, 24), (90, 140, 60)))
    found = explained(folder, asked(plain, ("integrated_gradients", "gradient_x_input")))
    assert all(value == 0 for name in METHODS[:2] for value in of(found, name).values)


@pytest.mark.parametrize("name", ["gemma3", "idefics3"])
def test_where_pictures_are_read_another_way_gradients_are_left_out_or_sum_up(name: str, tmp_path: Path) -> None:
    """Gemma 3's own forward pass has no tokens for a picture; Idefics3 cuts it into pieces of their own."""
    folder = SEEING[name](tmp_path / name)
    gradient = Image.linear_gradient("L").resize((64, 64)).rotate(30)
    found = explained(folder, asked(picture(gradient.convert("RGB")), METHODS[:3], WORDS[:2], steps=160))
    names = {method.name for method in found.methods}
    if name == "gemma3":
        assert names == {"occlusion", "random"}
        return
    assert set(METHODS[:3]) <= names
    gap = of(found, "integrated_gradients").completeness_gap
    assert gap is not None
    assert gap < 0.2


def test_a_question_with_a_picture_is_still_a_likelihood(trained_llava_folder: Path) -> None:
    """Explaining leaves the model's answers as they were."""
    model = open_model(resolve(str(trained_llava_folder)), ModelOptions(batch_tokens=2048))
    digit = held_out_digits(1)[0].medium
    plain = MultimodalLoglikelihood(context=QUESTION, continuation=" seven", media=(digit,))
    first = model.answer(model.plan([plain])[0])[0].loglikelihood
    model.answer(model.plan([asked(digit, METHODS[:1])])[0])
    assert model.answer(model.plan([plain])[0])[0].loglikelihood == first
