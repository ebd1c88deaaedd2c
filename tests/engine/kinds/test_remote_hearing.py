"""Sounds in the questions to a served chat."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from harness.checkpoints import resolve
from harness.core.media import OBJECT
from harness.core.models import Model, respond
from harness.core.requests import AudioGenerateUntil, Transcribe
from harness.engine.opening import open_model
from harness.media.sounds import extent_of, samples_of
from tests.engine.kinds.test_audio_language import SOUNDS
from tests.served import Answer, Served, serving

ASKED = AudioGenerateUntil(context=f"Here {OBJECT} and there {OBJECT}: alike?", media=SOUNDS[1:], max_tokens=8)


@pytest.fixture
def served(tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    with serving(Served(folder=tiny_llama, gives_logprobs=False)) as found:
        yield found


def opened(served: Served) -> Model:
    return open_model(resolve(f"openai:{served.url}#{served.name}"))


def test_each_sound_stands_in_its_place_as_a_wav_file_of_the_same_samples(served: Served) -> None:
    (answer,) = respond(opened(served), [ASKED])
    assert answer.text is not None
    (turn,) = served.bodies[-1]["messages"]
    assert [part["type"] for part in turn["content"]] == ["text", "input_audio", "text", "input_audio", "text"]
    assert [part["text"] for part in turn["content"] if part["type"] == "text"] == ["Here ", " and there ", ": alike?"]
    sent = [part["input_audio"] for part in turn["content"] if part["type"] == "input_audio"]
    assert {one["format"] for one in sent} == {"wav"}
    for one, medium in zip(sent, ASKED.media, strict=True):
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(one["data"])), dtype="int16")
        assert (len(samples), rate_hz) == extent_of(medium)
        assert (samples == (samples_of(medium)[0] * 32767).round()).all()


def test_what_is_said_is_asked_for_in_words(served: Served) -> None:
    asked = Transcribe(audio=SOUNDS[0], language="en", reference="over there", max_tokens=8)
    (found,) = respond(opened(served), [asked])
    sound, text = served.bodies[-1]["messages"][0]["content"]
    assert sound["type"] == "input_audio"
    assert "what is said" in text["text"]
    assert found.text is not None
    assert found.loglikelihood is None


@pytest.mark.parametrize(("status", "said"), [(400, "At most 0 audios may be given"), (500, "audio isn't supported")])
def test_a_server_that_refuses_sounds_says_so_once_and_is_asked_about_no_other(
    served: Served, status: int, said: str
) -> None:
    def refuse(path: str, _call: int) -> Answer | None:
        heard = path.endswith("/chat/completions") and "input_audio" in str(served.bodies[-1])
        return (status, {"error": {"message": said}}, {}) if heard else None

    model = opened(served)
    served.before = refuse
    before = len(served.paths)
    asked = [AudioGenerateUntil(context=OBJECT, media=(one,), max_tokens=8) for one in SOUNDS]
    reasons = {one.invalid for one in respond(model, asked)}
    assert reasons == {f"the server takes no sounds: it answers HTTP {status} ({said})"}
    assert len(served.paths) - before == 1


def test_one_sound_that_is_refused_costs_that_answer_alone(served: Served) -> None:
    model = opened(served)
    served.before = lambda _path, _call: (
        (400, {"error": {"message": "too noisy"}}, {}) if "alike" in str(served.bodies[-1]) else None
    )
    fine = AudioGenerateUntil(context=f"{OBJECT}And this?", media=SOUNDS[:1], max_tokens=8)
    found = {one.request_id: one for one in respond(model, [ASKED, fine])}
    assert found[ASKED.id].invalid == "the server answers HTTP 400 (too noisy)"
    assert found[fine.id].text is not None
