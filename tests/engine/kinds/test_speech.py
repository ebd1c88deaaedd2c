"""What speech recognisers write, and how likely it is, against transformers' own generate and forward passes."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import jiwer
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCTC,
    AutoModelForSpeechSeq2Seq,
    AutoProcessor,
)

from harness.checkpoints import resolve
from harness.core import registry
from harness.core.errors import CheckpointError, ModelError
from harness.core.models import ModelOptions, respond
from harness.core.requests import Loglikelihood, Response, Transcribe
from harness.engine.opening import open_model
from harness.media.sounds import Samples, sound
from tests.media.hearing import build_tiny_moonshine, build_tiny_wav2vec2
from tests.media.tones import RATE_HZ, sentences, spoken

SAID = sentences(12, seed=7)
REFERENCES = [" ".join(words) for words in SAID]


def clips(rate_hz: int = RATE_HZ) -> list[Samples]:
    rng = Random(8)
    return [spoken(words, rng) for words in SAID]


def answers(folder: Path, requests: Sequence[Transcribe], batch_tokens: int | None = None) -> list[Response]:
    model = open_model(resolve(str(folder)), ModelOptions(dtype="float32", device="cpu", batch_tokens=batch_tokens))
    found = {response.request_id: response for response in respond(model, requests)}
    return [found[request.id] for request in requests]


def asked(sounds: Sequence[Samples], rate_hz: int = RATE_HZ, **more: str | int) -> list[Transcribe]:
    return [
        Transcribe(audio=sound(one, rate_hz), reference=text, **{"max_tokens": 8, **more})
        for one, text in zip(sounds, REFERENCES, strict=False)
    ]


def plain_likelihoods(model, prefix: Sequence[int], row: Sequence[int], **features: torch.Tensor) -> list[float]:
    """One forward pass of the whole model for one sound."""
    with torch.no_grad():
        logits = model(**features, decoder_input_ids=torch.tensor([[*prefix, *row]])).logits[0]
    chances = logits.log_softmax(-1)
    return [float(chances[len(prefix) - 1 + place, token]) for place, token in enumerate(row)]


def test_texts_and_likelihoods_are_those_of_transformers(tiny_whisper):
    sounds = clips()
    found = answers(tiny_whisper, asked(sounds))
    model, processor = (
        AutoModelForSpeechSeq2Seq.from_pretrained(tiny_whisper),
        AutoProcessor.from_pretrained(tiny_whisper),
    )
    prefix = [1, processor.tokenizer.convert_tokens_to_ids("<|notimestamps|>")]
    for one, text, response in zip(sounds, REFERENCES, found, strict=True):
        # What is asked is what a FLAC file of 16 bits holds.
        heard = (np.round(one * 32767) / np.float32(32767)).astype(np.float32)
        features = processor(heard, sampling_rate=RATE_HZ, return_tensors="pt").input_features
        written = model.generate(features, max_new_tokens=8)
        assert response.text == processor.batch_decode(written, skip_special_tokens=True)[0].strip()
        assert response.stop == "end"
        own = plain_likelihoods(model, prefix, response.token_ids, input_features=features)
        assert response.token_loglikelihoods == pytest.approx(own, abs=1e-4)
        reference = [*processor.tokenizer(f" {text}", add_special_tokens=False)["input_ids"], 0]
        total = sum(plain_likelihoods(model, prefix, reference, input_features=features))
        assert response.loglikelihood == pytest.approx(total, abs=1e-4)
    assert jiwer.wer(REFERENCES, [response.text for response in found]) < 0.2


def test_neither_batch_nor_order_changes_an_answer(tiny_whisper):
    requests = asked(clips())
    one_by_one, together = answers(tiny_whisper, requests, 1), answers(tiny_whisper, requests[::-1], 5000)[::-1]
    for alone, beside in zip(one_by_one, together, strict=True):
        assert alone.text == beside.text
        assert alone.loglikelihood == pytest.approx(beside.loglikelihood, abs=5e-4)


def test_another_rate_is_brought_to_the_models_own(tiny_whisper):
    rng = Random(8)
    slow = [np.repeat(spoken(words, rng), 2) for words in SAID[:4]]
    found = answers(tiny_whisper, asked(slow, 2 * RATE_HZ))
    assert jiwer.wer(REFERENCES[:4], [response.text for response in found]) < 0.3


def test_a_text_that_its_tokens_cut_says_so(tiny_whisper):
    long = [words for words in SAID if len(words) > 1]
    (found,) = answers(tiny_whisper, [Transcribe(audio=sound(spoken(long[0], Random(1)), RATE_HZ), max_tokens=1)])
    assert found.stop == "length"
    assert len(found.token_ids) == 1


@pytest.mark.parametrize(("seconds", "said"), [(2.5, "longer than the 2 seconds"), (0.01, "too short")])
def test_a_sound_that_cannot_be_read_has_no_answer_and_a_reason(tiny_whisper, seconds, said):
    request = Transcribe(audio=sound(np.zeros(int(seconds * RATE_HZ), dtype=np.float32), RATE_HZ))
    (found,) = answers(tiny_whisper, [request])
    assert found.text is None
    assert said in found.invalid


def test_numbers_that_are_none_are_no_answer(tiny_whisper, tmp_path):
    folder = Path(shutil.copytree(tiny_whisper, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    weights["model.encoder.layer_norm.weight"] = torch.full_like(weights["model.encoder.layer_norm.weight"], 3e38)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    (found,) = answers(folder, asked(clips())[:1])
    assert "NaN or infinite" in found.invalid
    assert found.loglikelihood is None


def test_a_model_of_texts_that_is_asked_to_hear_says_so_in_a_line(tiny_llama):
    assert registry.kind("causal").refusal(Transcribe) == "a causal language model doesn't write down what it hears"
    with pytest.raises(ModelError, match="can't answer requests of the kinds transcribe"):
        list(respond(open_model(resolve(str(tiny_llama))), asked(clips())[:1]))


def test_texts_are_not_its_business(tiny_whisper):
    model = open_model(resolve(str(tiny_whisper)))
    with pytest.raises(ModelError, match="speech recogniser can't answer"):
        list(respond(model, [Loglikelihood(context="a", continuation="b")]))


def test_how_it_hears_belongs_to_its_fingerprint_and_is_checked(tiny_whisper, tmp_path):
    folder = Path(shutil.copytree(tiny_whisper, tmp_path / "model"))
    path = folder / "processor_config.json"
    said = json.loads(path.read_text("utf-8"))

    def changed(**fields: object) -> Path:
        extractor = {**said["feature_extractor"], **fields}
        path.write_text(json.dumps({**said, "feature_extractor": extractor}), "utf-8")
        return folder

    before = resolve(str(folder)).fingerprint
    assert resolve(str(changed(hop_length=100))).fingerprint != before
    with pytest.raises(CheckpointError, match="n_fft is '100000000000'"):
        resolve(str(changed(n_fft=10**11)))
    with pytest.raises(CheckpointError, match="feature_extractor_type is 'Mine'"):
        resolve(str(changed(feature_extractor_type="Mine")))
    path.unlink()
    with pytest.raises(CheckpointError, match=r"holds no preprocessor_config\.json"):
        resolve(str(folder))


def test_a_model_of_many_languages_is_told_which(tiny_whisper, tmp_path):
    folder = Path(shutil.copytree(tiny_whisper, tmp_path / "model"))
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "is_multilingual": True}), "utf-8")
    untold, spanish, italian = (
        Transcribe(audio=sound(clips()[0], RATE_HZ), language=language, max_tokens=5) for language in (None, "es", "it")
    )
    found = answers(folder, [untold, spanish, italian])
    assert "doesn't say which is spoken" in found[0].invalid
    assert "writes no language es" in found[1].invalid
    model, processor = AutoModelForSpeechSeq2Seq.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    prefix = processor.tokenizer.convert_tokens_to_ids(
        ["<|startoftranscript|>", "<|it|>", "<|transcribe|>", "<|notimestamps|>"]
    )
    heard = (np.round(clips()[0] * 32767) / np.float32(32767)).astype(np.float32)
    features = processor(heard, sampling_rate=RATE_HZ, return_tensors="pt").input_features
    own = plain_likelihoods(model, prefix, found[2].token_ids, input_features=features)
    assert found[2].token_loglikelihoods == pytest.approx(own, abs=1e-4)


def test_a_model_that_reads_samples_is_asked_by_their_length(tmp_path):
    folder = build_tiny_moonshine(tmp_path / "model")
    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-0.3, 0.3, count).astype(np.float32) for count in (8000, 8000, 5000)]
    found = answers(folder, asked(sounds, 16000))
    model = AutoModelForSpeechSeq2Seq.from_pretrained(folder)
    for one, response in zip(sounds, found, strict=True):
        heard = torch.tensor((np.round(one * 32767) / np.float32(32767)).astype(np.float32))[None]
        written = model.generate(heard, max_new_tokens=8)[0, 1:].tolist()
        assert list(response.token_ids) == [token for token in written if token != 2]
        own = plain_likelihoods(model, [1], response.token_ids, input_values=heard)
        assert response.token_loglikelihoods == pytest.approx(own, abs=1e-4)


def test_letters_by_moment_are_those_of_transformers_and_their_likelihood_sums_over_paths(tmp_path):
    folder = build_tiny_wav2vec2(tmp_path / "model")
    checkpoint = resolve(str(folder))
    assert checkpoint.kind == "speech_ctc"
    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-0.3, 0.3, count).astype(np.float32) for count in (1600, 1600, 1200)]
    requests = [
        Transcribe(audio=sound(one, 16000), reference=text) for one, text in zip(sounds, ("A", "b", "a!"), strict=True)
    ]
    found = answers(folder, requests)
    model, processor = AutoModelForCTC.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    for one, letter, response in zip(sounds, "aba", found, strict=True):
        heard = (np.round(one * 32767) / np.float32(32767)).astype(np.float32)
        with torch.no_grad():
            chances = model(**processor(heard, sampling_rate=16000, return_tensors="pt")).logits[0].log_softmax(-1)
        assert response.text == processor.batch_decode(chances.argmax(-1)[None])[0]
        # One letter is a run of it anywhere among blanks: all of these paths, summed by hand.
        place, moments = processor.tokenizer.convert_tokens_to_ids(letter), len(chances)
        paths = [
            chances[:start, 0].sum() + chances[start:end, place].sum() + chances[end:, 0].sum()
            for start in range(moments)
            for end in range(start + 1, moments + 1)
        ]
        assert response.loglikelihood == pytest.approx(float(torch.stack(paths).logsumexp(0)), abs=1e-3)
