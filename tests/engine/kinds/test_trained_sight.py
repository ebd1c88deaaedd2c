"""What a model that was trained to read digits says of them, through the door that tasks use."""

from pathlib import Path

import pytest
from PIL import Image

from harness.checkpoints.resolver import resolve
from harness.core.media import Medium
from harness.core.models import Model, ModelOptions, respond
from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood
from harness.engine.opening import open_model
from harness.media.pictures import picture
from tests.engine.kinds.test_vision_language import seeing
from tests.vision.digits import QUESTION, WORDS, held_out_digits

DIGITS = held_out_digits(200)


@pytest.fixture(scope="module")
def model(trained_llava_folder: Path) -> Model:
    return open_model(resolve(str(trained_llava_folder)), ModelOptions(batch_tokens=2048))


def right_share(model: Model, media: list[Medium]) -> float:
    """How often the digit's word is the likeliest of ten."""
    asked = {
        (medium, word): MultimodalLoglikelihood(context=QUESTION, continuation=f" {word}", media=(medium,))
        for medium in media
        for word in WORDS
    }
    found = {one.request_id: one.loglikelihood or 0 for one in respond(model, list(asked.values()))}
    chosen = [max(WORDS, key=lambda word, medium=medium: found[asked[medium, word].id]) for medium in media]  # type: ignore[misc]
    return sum(word == one.word for word, one in zip(chosen, DIGITS, strict=True)) / len(DIGITS)


def test_it_sees_and_is_no_better_than_chance_without_the_pictures(model: Model) -> None:
    before = seeing(model).percepts.encoded_count
    assert right_share(model, [one.medium for one in DIGITS]) >= 0.85
    assert seeing(model).percepts.encoded_count - before == len({one.medium for one in DIGITS})
    assert right_share(model, [picture(Image.new("RGB", (32, 32), "grey"))] * len(DIGITS)) <= 0.2


def test_it_writes_what_it_sees(model: Model) -> None:
    asked = [MultimodalGenerateUntil(context=QUESTION, max_tokens=6, media=(one.medium,)) for one in DIGITS]
    found = {one.request_id: one.text for one in respond(model, asked)}
    right = [found[request.id] == f" {one.word}" for request, one in zip(asked, DIGITS, strict=True)]
    assert sum(right) / len(right) >= 0.85
