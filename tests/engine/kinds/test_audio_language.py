"""Sounds in texts, held against transformers' own forward pass with mel bands."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoProcessor

from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.resolver import resolve
from harness.core.media import OBJECT, Medium
from harness.core.models import Model, ModelOptions, respond
from harness.core.requests import (
    AudioGenerateUntil,
    AudioLoglikelihood,
    EmbeddingNoise,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    Request,
    Response,
    Transcribe,
)
from harness.engine.kinds.audio_language import AudioLanguageModel
from harness.engine.opening import open_model
from harness.media.sounds import resampled, samples_of, sound
from tests.engine.kinds.test_vision_language import PICTURES
from tests.engine.reference import CountingMeter
from tests.media.listening import HEARING, RATE_HZ, WINDOW_S

CHOICES = (" here", " there now", ".", " nowhere at all")
TOLERANCE_NATS = 1e-4


def noise_sound(seed: int, seconds: float, rate_hz: int = RATE_HZ) -> Medium:
    samples = 0.3 * np.random.default_rng(seed).standard_normal(int(seconds * rate_hz))
    return sound(samples.astype(np.float32), rate_hz)


SOUNDS = (noise_sound(0, 0.9), noise_sound(1, 1.7), noise_sound(2, 0.9, 16_000))


@pytest.fixture(scope="module", params=sorted(HEARING))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return HEARING[request.param](tmp_path_factory.mktemp(request.param))


def asked(sounds: Sequence[Medium] = SOUNDS) -> list[Request]:
    context = f"{OBJECT}where does it stand?"
    choices = [
        AudioLoglikelihood(context=context, continuation=choice, media=(one,)) for one in sounds for choice in CHOICES
    ]
    return [*choices, *(AudioGenerateUntil(context=context, max_tokens=5, media=(one,)) for one in sounds)]


def answers(model: Model, requests: Sequence[Request]) -> dict[str, Response]:
    return {one.request_id: one for one in respond(model, requests)}


def opened(folder: Path, **options: Any) -> Model:
    return open_model(resolve(str(folder)), ModelOptions(**options))


def hearing(model: Any) -> AudioLanguageModel:
    while not isinstance(model, AudioLanguageModel):
        model = model.model
    return model


class Reference:
    """The same by transformers alone."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
        self.processor = AutoProcessor.from_pretrained(folder)
        ends = [getattr(self.processor, f"audio_{end}_token", "") for end in ("bos", "eos")]
        self.mark = f"{ends[0]}{self.processor.audio_token}{ends[1]}"

    def inputs(self, text: str, media: Sequence[str]) -> dict[str, Any]:
        audio = [resampled(*samples_of(name), RATE_HZ) for name in media]
        text = text.replace(OBJECT, self.mark)
        return dict(self.processor(text=[text], audio=audio, sampling_rate=RATE_HZ, return_tensors="pt"))

    def loglikelihood(self, request: AudioLoglikelihood) -> float:
        count = len(self.processor.tokenizer(request.continuation)["input_ids"])
        inputs = self.inputs(request.context + request.continuation, request.media)
        targets = inputs["input_ids"][0, -count:]
        with torch.no_grad():
            logits = self.model(**inputs).logits[0, -count - 1 : -1].double().log_softmax(-1)
        return float(logits[torch.arange(count), targets].sum())

    def written(self, request: AudioGenerateUntil) -> str:
        inputs = self.inputs(request.context, request.media)
        with torch.no_grad():
            tokens = self.model.generate(**inputs, max_new_tokens=request.max_tokens, do_sample=False)
        return str(self.processor.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


@pytest.mark.parametrize("batch_tokens", [96, 2048])
def test_answers_are_those_of_the_models_own_forward_pass(folder: Path, batch_tokens: int) -> None:
    reference, requests = Reference(folder), asked()
    model = opened(folder, batch_tokens=batch_tokens)
    assert hearing(model).own_way_reason is None
    found = answers(model, requests)
    for request in requests:
        if isinstance(request, AudioLoglikelihood):
            expected = reference.loglikelihood(request)
            assert found[request.id].loglikelihood == pytest.approx(expected, abs=TOLERANCE_NATS)
        elif isinstance(request, AudioGenerateUntil):
            assert found[request.id].text == reference.written(request)


def test_each_sound_is_encoded_once_and_changes_the_answers(folder: Path) -> None:
    model, requests = opened(folder), asked()
    found = answers(model, requests)
    assert hearing(model).percepts.asked_count == len(requests)
    assert hearing(model).percepts.encoded_count == len(SOUNDS)
    first, second = (
        found[AudioLoglikelihood(context=f"{OBJECT}where does it stand?", continuation=".", media=(one,)).id]
        for one in SOUNDS[:2]
    )
    assert abs((first.loglikelihood or 0) - (second.loglikelihood or 0)) > TOLERANCE_NATS


def test_tokens_made_of_sounds_are_counted_apart_from_those_that_are_read(tmp_path: Path) -> None:
    loaded = load_model(resolve(str(HEARING["qwen2_audio"](tmp_path))), dtype="float32", device="cpu")
    meter = CountingMeter()
    model = AudioLanguageModel(loaded, batch_tokens=2048, meter=meter)
    before = dict(meter.tokens)
    requests = [one for one in asked() if isinstance(one, AudioLoglikelihood)]
    batches = model.plan(requests)
    for batch in batches:
        model.answer(batch)
    made = sum(model.percepts.look(name).token_count for name in SOUNDS)
    assert meter.tokens["encode"] - before.get("encode", 0) == made
    read = meter.tokens["prefill"] - before.get("prefill", 0)
    assert read == sum(batch.computed_token_count for batch in batches)
    assert read > made  # the sounds' own tokens are read, too, once for all choices


def test_two_sounds_stand_in_one_text(tmp_path: Path) -> None:
    folder = HEARING["qwen2_audio"](tmp_path)
    both = AudioLoglikelihood(context=f"First {OBJECT} then {OBJECT}:", continuation=" alike", media=SOUNDS[:2])
    (found,) = respond(opened(folder), [both])
    assert found.loglikelihood == pytest.approx(Reference(folder).loglikelihood(both), abs=TOLERANCE_NATS)


def test_texts_alone_are_read(folder: Path) -> None:
    request = Loglikelihood(context="where does it stand?", continuation=" nowhere")
    reference = Reference(folder)
    prompt, targets = (reference.processor.tokenizer(text)["input_ids"] for text in (request.context, " nowhere"))
    with torch.no_grad():
        logits = reference.model(input_ids=torch.tensor([prompt + targets])).logits[0].double().log_softmax(-1)
    expected = sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(targets))
    whole = LoglikelihoodRolling(text=request.context)
    found = answers(opened(folder), [request, whole])
    assert found[request.id].loglikelihood == pytest.approx(expected, abs=TOLERANCE_NATS)
    assert found[whole.id].loglikelihood is not None


def test_what_cannot_be_read_costs_that_answer_alone(folder: Path) -> None:
    model = opened(folder)
    mark, window_s = hearing(model).percepts.sense.token, hearing(model).percepts.sense.window_s
    few = AudioGenerateUntil(context=f"{OBJECT} and {OBJECT}", media=SOUNDS[:1])
    spelt = AudioGenerateUntil(context=f"{OBJECT} and {mark}", media=SOUNDS[:1])
    long = AudioGenerateUntil(context=OBJECT, media=(noise_sound(3, window_s + 0.5),))
    short = AudioGenerateUntil(context=OBJECT, media=(noise_sound(3, 0.01),))
    seen = AudioGenerateUntil(context=OBJECT, media=PICTURES[:1])
    fine = AudioGenerateUntil(context=OBJECT, media=SOUNDS[:1])
    found = {name: one.invalid for name, one in answers(model, [few, spelt, long, short, seen, fine]).items()}
    assert found[few.id] == "its text has 2 places for sounds, and it has 1 of them"
    assert found[spelt.id] == f"its text contains {mark}, which stands for a sound"
    assert f"is longer than the {window_s:g} seconds that the model reads at once" in str(found[long.id])
    assert found[short.id] == "a sound of 0.010 seconds is too short to be read"
    assert found[seen.id] == "it holds a picture, which this model doesn't see"
    assert found[fine.id] is None


def test_a_window_that_is_cut_into_pieces_is_read_whole(tmp_path: Path) -> None:
    folder = HEARING["audioflamingo3"](tmp_path)
    request = AudioLoglikelihood(context=OBJECT, continuation=" here", media=(noise_sound(4, WINDOW_S + 1.3),))
    (found,) = respond(opened(folder), [request])
    assert found.loglikelihood == pytest.approx(Reference(folder).loglikelihood(request), abs=TOLERANCE_NATS)


def test_a_turn_with_a_sound_is_rendered_in_parts(folder: Path) -> None:
    reference = Reference(folder)
    request = AudioLoglikelihood(context=f"{OBJECT}where is it?", continuation=" here", media=SOUNDS[:1])
    parts = [{"type": "audio"}, {"type": "text", "text": "where is it?"}]
    turn = reference.processor.tokenizer.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
    )
    # Spaces at the end of a context count to the continuation.
    rendered = AudioLoglikelihood(
        context=turn.replace(reference.mark, OBJECT).rstrip(), continuation="\nhere", media=request.media
    )
    model = opened(folder, apply_chat_template=True)
    found = answers(model, [request, GenerateUntil(context="where is it?", max_tokens=2)])
    assert found[request.id].loglikelihood == pytest.approx(reference.loglikelihood(rendered), abs=TOLERANCE_NATS)
    assert all(one.invalid is None for one in found.values())


def test_what_is_said_is_asked_for_in_words(folder: Path) -> None:
    reference = Reference(folder)
    requests = [
        Transcribe(audio=SOUNDS[0], reference=" over there", max_tokens=4),
        Transcribe(audio=SOUNDS[0], language="en", max_tokens=4),
        Transcribe(audio=noise_sound(3, 0.01), max_tokens=4),
    ]
    found = answers(opened(folder), [*requests, Loglikelihood(context="a", continuation=" b")])
    first, second, short = (found[one.id] for one in requests)
    context = f"{OBJECT}\nWrite down word for word what is said in this recording.\nTranscript:"
    written = reference.written(AudioGenerateUntil(context=context, max_tokens=4, media=SOUNDS[:1]))
    assert first.text == second.text == written.partition("\n")[0].strip()
    said = AudioLoglikelihood(context=context, continuation=" over there", media=SOUNDS[:1])
    assert first.loglikelihood == pytest.approx(reference.loglikelihood(said), abs=TOLERANCE_NATS)
    assert second.loglikelihood is None
    assert "too short" in str(short.invalid)
    assert short.text is None


def test_noise_lies_on_words_and_never_on_sounds(folder: Path) -> None:
    model, context = opened(folder), f"{OBJECT}where does it stand?"

    def noisy(*spans: tuple[int, int]) -> AudioLoglikelihood:
        noise = EmbeddingNoise(scale=0.5, seed="7", spans=spans) if spans else None
        return AudioLoglikelihood(context=context, continuation=" here", media=SOUNDS[:1], noise=noise)

    clean, all_of_it, words, sound_alone = noisy(), noisy((0, len(context))), noisy((1, len(context))), noisy((0, 1))
    found = {key: one.loglikelihood for key, one in answers(model, [clean, all_of_it, words, sound_alone]).items()}
    assert found[sound_alone.id] == pytest.approx(found[clean.id], abs=TOLERANCE_NATS)
    assert found[all_of_it.id] == pytest.approx(found[words.id], abs=TOLERANCE_NATS)
    assert abs((found[words.id] or 0) - (found[clean.id] or 0)) > 0.01
