"""What models that see or hear answer on an accelerator, against the same on the processor."""

from random import Random

import pytest

from harness.checkpoints import resolve
from harness.core.models import ModelOptions, respond
from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood, Transcribe
from harness.engine.opening import open_model
from harness.media.sounds import sound
from tests.media.tones import RATE_HZ, sentences, spoken
from tests.vision.digits import QUESTION, WORDS, held_out_digits

pytestmark = pytest.mark.gpu
SAID = sentences(40, seed=7)
DIGITS = held_out_digits(40)


def answers(folder, device, requests):
    model = open_model(resolve(str(folder)), ModelOptions(dtype="float32", device=device))
    found = {response.request_id: response for response in respond(model, requests)}
    return [found[request.id] for request in requests]


def test_sounds_are_written_down_as_on_the_processor(tiny_whisper, cuda):
    rng = Random(8)
    requests = [
        Transcribe(audio=sound(spoken(words, rng), RATE_HZ), reference=" ".join(words), max_tokens=8) for words in SAID
    ]
    assert _differing(answers(tiny_whisper, cuda, requests), answers(tiny_whisper, "cpu", requests)) == []


def test_pictures_are_read_as_on_the_processor(trained_llava_folder, cuda):
    asked = [
        MultimodalLoglikelihood(context=QUESTION, continuation=f" {word}", media=(one.medium,))
        for one in DIGITS
        for word in WORDS
    ]
    asked += [MultimodalGenerateUntil(context=QUESTION, max_tokens=6, media=(one.medium,)) for one in DIGITS]
    assert _differing(answers(trained_llava_folder, cuda, asked), answers(trained_llava_folder, "cpu", asked)) == []


def _differing(found, expected):
    """Pairs of answers with another text, or whose log-likelihoods are more than rounding apart."""
    return [
        (one.text, other.text, one.loglikelihood, other.loglikelihood)
        for one, other in zip(found, expected, strict=True)
        if one.text != other.text or (other.loglikelihood or 0.0) != pytest.approx(one.loglikelihood or 0.0, abs=5e-4)
    ]
