"""Pictures in texts, held against transformers' own forward pass with pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from harness.checkpoints.resolver import resolve
from harness.core.media import OBJECT, Medium
from harness.core.models import Model, ModelOptions, respond
from harness.core.requests import (
    EmbeddingNoise,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
    Response,
)
from harness.engine.kinds.vision_language import VisionLanguageModel
from harness.engine.opening import open_model
from harness.media.pictures import image_of, picture
from tests.vision.checkpoints import SEEING

CHOICES = (" here", " there now", ".", " nowhere at all")
TOLERANCE_NATS = 1e-4


def noise_picture(seed: int, size: tuple[int, int] = (60, 40)) -> Medium:
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return picture(Image.fromarray(pixels.astype("uint8")))


PICTURES = (noise_picture(0), noise_picture(1, (40, 70)), noise_picture(2))


@pytest.fixture(scope="module", params=sorted(SEEING))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SEEING[request.param](tmp_path_factory.mktemp(request.param))


def asked(pictures: Sequence[Medium] = PICTURES) -> list[Request]:
    context = f"{OBJECT}where does it stand?"
    choices = [
        MultimodalLoglikelihood(context=context, continuation=choice, media=(one,))
        for one in pictures
        for choice in CHOICES
    ]
    both = MultimodalLoglikelihood(context=f"First {OBJECT} then {OBJECT}:", continuation=" alike", media=PICTURES[:2])
    return [*choices, both, *(MultimodalGenerateUntil(context=context, max_tokens=5, media=(one,)) for one in pictures)]


def answers(model: Model, requests: Sequence[Request]) -> dict[str, Response]:
    return {one.request_id: one for one in respond(model, requests)}


def seeing(model: Any) -> VisionLanguageModel:
    while not isinstance(model, VisionLanguageModel):
        model = model.model
    return model


class Reference:
    """The same by transformers alone."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForImageTextToText.from_pretrained(folder).eval()
        self.processor = AutoProcessor.from_pretrained(folder, backend="pil")

    def inputs(self, text: str, media: Sequence[str], **options: Any) -> dict[str, Any]:
        text = text.replace(OBJECT, self.processor.image_token)
        images = [image_of(name) for name in media]
        made = dict(self.processor(text=[text], images=[images], return_tensors="pt", **options))
        made.pop("labels", None)
        return made

    def loglikelihood(self, request: MultimodalLoglikelihood) -> float:
        count = len(self.processor.tokenizer(request.continuation)["input_ids"])
        if type(self.processor).__name__ == "PaliGemmaProcessor":
            inputs = self.inputs(request.context, request.media, suffix=[request.continuation])
            # It is trained to end there, which isn't asked.
            cut = {"input_ids", "attention_mask", "token_type_ids"}
            inputs = {name: value[:, :-1] if name in cut else value for name, value in inputs.items()}
        else:
            inputs = self.inputs(request.context + request.continuation, request.media)
        targets = inputs["input_ids"][0, -count:]
        with torch.no_grad():
            logits = self.model(**inputs).logits[0, -count - 1 : -1].double().log_softmax(-1)
        return float(logits[torch.arange(count), targets].sum())

    def written(self, request: MultimodalGenerateUntil) -> str:
        inputs = self.inputs(request.context, request.media)
        with torch.no_grad():
            tokens = self.model.generate(**inputs, max_new_tokens=request.max_tokens, do_sample=False)
        return str(self.processor.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


@pytest.mark.parametrize("batch_tokens", [48, 2048])
def test_answers_are_those_of_the_models_own_forward_pass(folder: Path, batch_tokens: int) -> None:
    reference, requests = Reference(folder), asked()
    found = answers(open_model(resolve(str(folder)), ModelOptions(batch_tokens=batch_tokens)), requests)
    for request in requests:
        if isinstance(request, MultimodalLoglikelihood):
            expected = reference.loglikelihood(request)
            assert found[request.id].loglikelihood == pytest.approx(expected, abs=TOLERANCE_NATS)
        elif isinstance(request, MultimodalGenerateUntil):
            assert found[request.id].text == reference.written(request)


def test_each_picture_is_encoded_once_and_changes_the_answers(folder: Path) -> None:
    model = open_model(resolve(str(folder)))
    requests = [one for one in asked() if "First" not in one.context]  # type: ignore[attr-defined]
    found = answers(model, requests)
    counted = seeing(model).percepts
    assert counted.asked_count == len(requests)
    assert counted.encoded_count == len(PICTURES)
    first, second = (
        found[MultimodalLoglikelihood(context=f"{OBJECT}where does it stand?", continuation=".", media=(one,)).id]
        for one in PICTURES[:2]
    )
    assert first.loglikelihood is not None
    assert second.loglikelihood is not None
    assert abs(first.loglikelihood - second.loglikelihood) > TOLERANCE_NATS


def test_only_models_in_which_tokens_see_later_ones_are_read_their_own_way(folder: Path) -> None:
    model = seeing(open_model(resolve(str(folder))))
    own_way = model.own_way_reason is not None
    assert own_way == (
        type(model.model).__name__ in {"PaliGemmaForConditionalGeneration", "Gemma3ForConditionalGeneration"}
    )


def test_texts_alone_are_read_and_never_from_their_end(folder: Path) -> None:
    request = Loglikelihood(context="where does it stand?", continuation=" nowhere")
    whole = LoglikelihoodRolling(text=request.context)
    reference = Reference(folder)
    prompt, targets = (reference.processor.tokenizer(text)["input_ids"] for text in (request.context, " nowhere"))
    expected, read, kept = 0.0, prompt, None
    for target in targets:
        with torch.no_grad():
            output = reference.model(input_ids=torch.tensor([read]), past_key_values=kept, use_cache=True)
        expected += float(output.logits[0, -1].double().log_softmax(-1)[target])
        read, kept = [target], output.past_key_values
    model = open_model(resolve(str(folder)))
    found = answers(model, [request, whole])
    assert found[request.id].loglikelihood == pytest.approx(expected, abs=TOLERANCE_NATS)
    looks_ahead = type(reference.model).__name__ == "PaliGemmaForConditionalGeneration"
    assert seeing(model).looks_ahead == looks_ahead
    assert (found[whole.id].loglikelihood is None) == looks_ahead


def test_places_that_are_not_those_of_its_pictures_make_a_request_invalid(folder: Path) -> None:
    model = open_model(resolve(str(folder)))
    mark = seeing(model).percepts.sense.mark
    few = MultimodalGenerateUntil(context=f"{OBJECT} and {OBJECT}", media=PICTURES[:1])
    spelt = MultimodalGenerateUntil(context=f"{OBJECT} and {mark}", media=PICTURES[:1])
    found = answers(model, [few, spelt])
    assert found[few.id].invalid == "its text has 2 places for pictures, and it has 1 of them"
    assert found[spelt.id].invalid == f"its text contains {mark}, which stands for a picture"


def test_a_turn_with_a_picture_is_rendered_in_parts(folder: Path) -> None:
    reference = Reference(folder)
    if reference.processor.tokenizer.chat_template is None:
        pytest.skip("it is no chat model")
    request = MultimodalLoglikelihood(context=f"{OBJECT}where is it?", continuation=" here", media=PICTURES[:1])
    parts = [{"type": "image"}, {"type": "text", "text": "where is it?"}]
    turn = reference.processor.tokenizer.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
    )
    # Spaces at the end of a context count to the continuation.
    rendered = MultimodalLoglikelihood(
        context=turn.replace(reference.processor.image_token, OBJECT).rstrip(),
        continuation="\nhere",
        media=request.media,
    )
    (found,) = respond(open_model(resolve(str(folder)), ModelOptions(apply_chat_template=True)), [request])
    assert found.loglikelihood == pytest.approx(reference.loglikelihood(rendered), abs=TOLERANCE_NATS)
    (text,) = respond(
        open_model(resolve(str(folder)), ModelOptions(apply_chat_template=True)),
        [GenerateUntil(context="where is it?", max_tokens=2)],
    )
    assert text.invalid is None


@pytest.mark.parametrize("name", ["llava", "idefics3"])
def test_noise_lies_on_words_and_never_on_pictures(name: str, tmp_path: Path) -> None:
    model = open_model(resolve(str(SEEING[name](tmp_path))))
    context = f"{OBJECT}where does it stand?"

    def asked(*spans: tuple[int, int]) -> MultimodalLoglikelihood:
        noise = EmbeddingNoise(scale=0.5, seed="7", spans=spans) if spans else None
        return MultimodalLoglikelihood(context=context, continuation=" here", media=PICTURES[:1], noise=noise)

    clean, all_of_it, words, picture_alone = asked(), asked((0, len(context))), asked((1, len(context))), asked((0, 1))
    found = {key: one.loglikelihood for key, one in answers(model, [clean, all_of_it, words, picture_alone]).items()}
    assert found[picture_alone.id] == pytest.approx(found[clean.id], abs=TOLERANCE_NATS)
    assert found[all_of_it.id] == pytest.approx(found[words.id], abs=TOLERANCE_NATS)
    assert abs((found[words.id] or 0) - (found[clean.id] or 0)) > 0.01
