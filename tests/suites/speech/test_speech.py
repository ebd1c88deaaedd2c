"""The suite for speech: its rates against jiwer, its ladder against a model that hears, and one that doesn't."""

import base64
import io
import math
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import jiwer
import numpy as np
import pytest

from harness.checkpoints import resolve
from harness.core.errors import DataError
from harness.core.meters import Window
from harness.core.models import respond
from harness.core.requests import Response
from harness.core.scores import Estimate, SampleGroup, Score
from harness.core.tasks import Results, Task, TaskSettings
from harness.engine.opening import open_model
from harness.media.sounds import Samples, samples_of
from harness.report.words import Words
from harness.run.judgement import estimate_metric
from suites.speech import clips
from suites.speech.languages import LANGUAGE_CER, LANGUAGE_WER, SpokenLanguages
from suites.speech.noise import CORRUPTIONS
from suites.speech.noisy import INCREASE, NOISY, NoisyAnnouncements
from suites.speech.report import SpeechReport
from suites.speech.silence import HALLUCINATION, SpeechlessSounds, goes_in_circles
from suites.speech.suite import Speech
from suites.speech.transcription import SAVED, SpokenAnnouncements
from suites.speech.words import AUDIO_SECONDS, CER, WER, edits, normalised
from tests.media.tones import RATE_HZ, sentences, spoken

SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=3)


def row(name: str, text: str, samples: Samples, rate_hz: int = RATE_HZ) -> dict[str, str]:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return {"id": name, "text": text, "wav": base64.b64encode(stream.getvalue()).decode()}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Clips of one to three of the tiny model's words, a window's worth."""
    monkeypatch.setattr(clips, "FEWEST_WORDS", 1)
    rng = Random(4)
    return [row(f"clip-{place}", " ".join(words), spoken(words, rng)) for place, words in enumerate(sentences(16, 21))]


def scored(task: Task, folder: Path, data: Sequence[Any] = ()) -> list[Score]:
    samples = task.samples(data, SETTINGS)
    model = open_model(resolve(str(folder)))
    asked = {sample.id: task.requests(sample) for sample in samples}
    distinct = {request.id: request for requests in asked.values() for request in requests}
    found = {response.request_id: response for response in respond(model, list(distinct.values()))}
    return [
        score for sample in samples for score in task.score(sample, [found[request.id] for request in asked[sample.id]])
    ]


def rate(scores: Sequence[Score], metric: Any, **groups: str) -> float:
    chosen = [one for one in scores if one.metric == metric.name and groups.items() <= one.groups.items()]
    value: float = metric.reduce(chosen, Random(0)).value
    return value


def test_words_are_compared_without_case_and_punctuation():
    assert normalised("Press  PRESS-now… it\u2019s 'fine', isn't it?") == "press press now it's fine isn't it"
    assert normalised("...") == ""
    assert normalised("हिन्दी, में!") == "हिन्दी में"  # vowels of many scripts are marks on letters


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Please hold the line.", "please hold on the line"),
        ("Goodbye now, my friend", ""),
        ("one two three four", "one one two four five five six six seven"),
    ],
)
def test_edits_are_those_of_jiwer(said, written):
    found = edits(said, written)
    assert found.words / found.word_count == pytest.approx(jiwer.wer(normalised(said), normalised(written)))
    assert found.characters / found.character_count == pytest.approx(jiwer.cer(normalised(said), normalised(written)))


def of_clips(*counted: tuple[int, int]) -> list[Score]:
    """Errors and words of some clips."""
    return [
        Score(sample_id=str(place), metric=WER.name, value=errors, weight=words)
        for place, (errors, words) in enumerate(counted)
    ]


def test_a_rate_is_a_ratio_of_sums_with_the_error_of_one():
    assert WER.reduce(of_clips((1, 4), (0, 6), (2, 5), (0, 1)), Random(0)).value == pytest.approx(3 / 16)
    # Of clips of five words each it is a mean, of 0.2, 0, 0.4 and 0: the deviations from 0.15, over 4 x 3.
    found = WER.reduce(of_clips((1, 5), (0, 5), (2, 5), (0, 5)), Random(0))
    assert found.stderr == pytest.approx(math.sqrt((0.05**2 + 0.15**2 + 0.25**2 + 0.15**2) / (4 * 3)))
    # A clip of no error in many words pulls the rate down by its words, and not as one of four.
    assert WER.reduce(of_clips((1, 1), (0, 99)), Random(0)).value == pytest.approx(0.01)


def test_a_model_that_hears_has_few_errors_and_one_that_does_not_is_exposed(tiny_whisper, rows):
    heard = scored(SpokenAnnouncements(), tiny_whisper, rows)
    assert rate(heard, WER) < 0.25
    assert rate(heard, CER) < 0.25
    assert rate(heard, SAVED) > 0.7
    texts = [one["text"] for one in rows]
    words = sum(len(text.split()) for text in texts)
    assert sum(one.weight for one in heard if one.metric == WER.name) == words

    task = SpokenAnnouncements()
    (sample, *_) = task.samples(rows, SETTINGS)
    # One that writes the same whatever it hears: its errors may be few, but hearing saves none of them.
    written = Response(request_id="", text=str(sample.gold))
    found = {one.metric: one.value for one in task.score(sample, [written, written])}
    assert found[WER.name] == 0
    assert found[SAVED.name] == 0


def test_noise_costs_words_step_by_step(tiny_whisper, rows):
    found = scored(NoisyAnnouncements(), tiny_whisper, rows)
    ladder = [rate(found, NOISY, condition=f"white noise, {level} dB") for level in (20, 10, 0)]
    assert ladder == sorted(ladder)
    assert ladder[0] < ladder[-1]
    clean = rate([one for one in found if one.metric == "clean_wer"], NoisyAnnouncements.metrics[2])
    increase = rate(found, INCREASE, condition="white noise, 0 dB")
    assert increase == pytest.approx(ladder[-1] - clean)


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=lambda one: one.name)
def test_a_corruption_is_nothing_at_severity_0_and_more_at_each_step(corruption):
    rng = Random(6)
    speech, *others = (spoken(words, rng) for words in sentences(6, 5))
    steps = [
        corruption.spoiled(speech, RATE_HZ, severity, np.random.default_rng(1), others)
        for severity in range(len(corruption.levels) + 1)
    ]
    assert (steps[0] == speech).all()
    assert all(np.abs(one).max() <= 1 for one in steps)
    again = corruption.spoiled(speech, RATE_HZ, 1, np.random.default_rng(1), others)
    assert (again == steps[1]).all()
    if corruption.name == "reverb":
        return  # of tones, an echo is a tone; see below
    if corruption.name == "speed":
        assert [len(one) for one in steps] == sorted((len(one) for one in steps), reverse=True)
        return
    likeness = [float(np.corrcoef(one, speech)[0, 1]) for one in steps]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] < 0.99


def test_an_echo_falls_by_60_db_in_its_time():
    click = np.zeros(2 * RATE_HZ, dtype=np.float32)
    click[0] = 0.5
    for severity, decay_s in enumerate(CORRUPTIONS["reverb"].levels, start=1):
        echo = CORRUPTIONS["reverb"].spoiled(click, RATE_HZ, severity, np.random.default_rng(1), [])[1:]
        half, part = int(decay_s / 2 * RATE_HZ), int(0.02 * RATE_HZ)
        fallen = 10 * np.log10(np.mean(echo[:part] ** 2) / np.mean(echo[half : half + part] ** 2))
        assert fallen == pytest.approx(30, abs=3)
        assert not echo[int(decay_s * RATE_HZ) :].round(6).any()


@pytest.mark.parametrize(("name", "snr_db"), [("white noise", 20), ("white noise", 0), ("babble", 10)])
def test_noise_has_the_power_that_its_label_says(name, snr_db):
    rng = Random(6)
    speech, *others = (0.1 * spoken(words, rng) for words in sentences(6, 5))
    corruption = CORRUPTIONS[name]
    severity = corruption.levels.index(snr_db) + 1
    noise = corruption.spoiled(speech, RATE_HZ, severity, np.random.default_rng(1), others) - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=0.01)


def test_another_seed_makes_another_noise_and_the_same_seed_the_same(rows):
    def asked(seed: int) -> list[str]:
        task = NoisyAnnouncements()
        samples = task.samples(rows, TaskSettings(limit=2, num_fewshot=0, seed=seed))
        # Nothing is drawn for clipping, a telephone and speed.
        drawn = ("white noise", "babble", "reverb")
        return [
            request.id
            for sample in samples
            for place, request in enumerate(task.requests(sample))
            if task.variant(sample, place).startswith(drawn)
        ]

    assert asked(1) == asked(1)
    assert len(asked(1)) == 2 * 8
    assert not set(asked(1)) & set(asked(2))


def test_words_where_nobody_speaks_are_counted(tiny_whisper):
    class Short(SpeechlessSounds):
        """Sounds that fit the tiny model's window."""

        longest_s = 1.5

    found = scored(Short(), tiny_whisper)
    assert 0 <= rate(found, HALLUCINATION) <= 1
    task = Short()
    sample = task.samples((), TaskSettings(limit=1, num_fewshot=0, seed=0))[0]

    def told(text: str) -> dict[str, float | None]:
        return {one.metric: one.value for one in task.score(sample, [Response(request_id="", text=text)])}

    assert told("...")["hallucination"] == 0
    said = told("Thank you. Thank you. Thank you.")
    assert said["hallucination"] == said["goes_in_circles"] == 1
    assert said["invented_words_per_minute"] == 6


@pytest.mark.parametrize(
    ("text", "circles"), [("a b a b a b", True), ("a a a", True), ("a b c a b c", False), ("", False)]
)
def test_circles(text, circles):
    assert goes_in_circles(text.split()) is circles


def test_speechless_sounds_are_as_loud_as_they_say():
    task = SpeechlessSounds()
    for sample in task.samples((), TaskSettings(limit=7, num_fewshot=0, seed=0)):
        samples, rate_hz = samples_of(task.requests(sample)[0].audio)
        assert len(samples) / rate_hz == pytest.approx(sample.fields["seconds"], abs=0.01)
        assert bool(samples.any()) is (sample.fields["kind"] != "silence")
        assert np.abs(samples).max() < 1


def test_an_answer_that_is_none_spoils_its_own_clip_alone(rows):
    task = SpokenAnnouncements()
    sample = task.samples(rows, SETTINGS)[0]
    silent = Response(request_id="", invalid="too long")
    assert {one.invalid for one in task.score(sample, [silent, silent])} == {"too long"}
    heard = Response(request_id="", text=str(sample.gold), loglikelihood=-1.0)
    found = {one.metric: one for one in task.score(sample, [heard, silent])}
    assert found.keys() == {one.name for one in task.metrics}
    assert {name: one.invalid for name, one in found.items() if one.invalid} == {"errors_saved_by_hearing": "too long"}


def test_short_texts_and_figures_are_not_asked_about_and_a_damaged_clip_is_named():
    sound = np.zeros(800, dtype=np.float32)
    kept = clips.clips_of(
        [
            row("a", "Please hold the line.", sound),
            row("b", "Goodbye.", sound),
            row("c", "Press 1 to go on", sound),
            row("d", "press * to toggle pause", sound),
        ]
    )
    assert [clip.name for clip in kept] == ["a"]
    with pytest.raises(DataError, match="bad: is no WAV file"):
        clips.clips_of([{"id": "bad", "text": "Please hold the line.", "wav": "AAAA"}])


def test_an_hour_of_sound_costs_what_the_windows_say():
    def results(*windows: Window) -> Results:
        scores = [Score(sample_id=str(place), metric=AUDIO_SECONDS.name, value=30.0) for place in range(4)]
        return Results(
            scores={("speech", "spoken_announcements"): scores},
            estimates=(),
            windows=windows,
            signature="s",
            request_counts={("speech", "spoken_announcements"): 8},
        )

    window = Window(
        phase="speech/transcribe", duration_s=6.0, energy_joules=120.0, basis="measured", source="m", request_count=8
    )
    found = {one.metric: one for one in Speech().derive(results(window))}
    assert found["real_time_factor"].value == pytest.approx(6 / 120)
    assert found["wh_per_audio_hour"].value == pytest.approx(120 / 120 * 3600 / 3600)
    untold = {one.metric: one for one in Speech().derive(results())}
    assert untold["real_time_factor"].value is None
    assert "window" in (untold["real_time_factor"].reason or "")
    busy = Window(
        phase="speech/transcribe",
        duration_s=6.0,
        energy_joules=None,
        basis="estimated",
        source="no meter",
        reason="another run measures energy",
    )
    uncounted = {one.metric: one.reason for one in Speech().derive(results(busy))}
    assert set(uncounted.values()) == {"another run measures energy"}
    blind = Window(
        phase="speech/transcribe",
        duration_s=6.0,
        energy_joules=None,
        basis="estimated",
        source="none",
        reason="no counter",
        request_count=8,
    )
    absent = {one.metric: one for one in Speech().derive(results(blind))}
    assert absent["wh_per_audio_hour"].reason == "no counter"
    assert absent["real_time_factor"].value == pytest.approx(0.05)


def test_samples_are_drawn_by_the_seed_and_a_larger_limit_holds_a_smaller(rows):
    task = SpokenAnnouncements()

    def drawn(limit: int, seed: int = 3) -> set[str]:
        settings = TaskSettings(limit=limit, num_fewshot=0, seed=seed)
        return {sample.id for sample in task.samples(rows, settings)}

    assert drawn(4) < drawn(8)
    assert drawn(8) != drawn(8, seed=4)


def test_the_ladder_is_drawn_from_the_clean_clips_on_for_the_strengths_that_were_measured():
    def estimate(metric: str, value: float, condition: str | None = None) -> Estimate:
        return Estimate(
            suite="speech",
            task="noisy_announcements",
            metric=metric,
            group=SampleGroup("condition", condition) if condition else None,
            value=value,
            n=10,
            unit="errors/word",
            direction="lower",
            signature="",
        )

    found = [
        estimate("clean_wer", 0.1),
        estimate("noisy_wer", 0.4),
        estimate("noisy_wer", 0.2, "white noise, 20 dB"),
        estimate("noisy_wer", 0.9, "white noise, 0 dB"),
        estimate("noisy_wer", 0.5, "speed, 1.7 times"),
    ]
    run = SimpleNamespace(model="m", estimates=found)
    (drawing,) = SpeechReport().figures(run, Words("zh").of("speech"))
    (data,) = drawing.draw(language="zh").to_dict()["datasets"].values()
    lines = [(one["name"], one["severity"], one["value"]) for one in data]
    noise, speed = "白噪声 (20, 10, 0 dB)", "加速 (1.3, 1.7 倍)"
    assert lines == [(noise, 0, 0.1), (noise, 1, 0.2), (noise, 3, 0.9), (speed, 0, 0.1), (speed, 2, 0.5)]
    assert len(drawing.rows) == 4


def test_each_kind_of_speechless_sound_has_its_share_by_default():
    samples = SpeechlessSounds().samples((), TaskSettings(limit=SpeechlessSounds.default_limit, num_fewshot=0, seed=0))
    task = SpeechlessSounds()
    kinds = {str(sample.fields["kind"]) for sample in samples}
    scores = [one for sample in samples for one in task.score(sample, [Response(request_id="", text="So.")])]
    for kind in kinds:
        chosen = [one for one in scores if one.metric == HALLUCINATION.name and one.groups["kind"] == kind]
        found = estimate_metric(
            HALLUCINATION, chosen, suite="s", task="t", seed=0, signature="", group=SampleGroup("kind", kind)
        )
        # Wilson's lower end of three in three.
        assert (found.value, found.n, found.low) == (1, 3, pytest.approx(3 / (3 + 1.96**2), abs=1e-3))


def test_languages_are_drawn_alike_and_compared_without_accents(rows):
    spoken_rows = [
        {**one, "id": f"{code}/{one['id']}", "language": code, "text": "mañana déjà \u0451"}
        for code in ("es", "ru", "fr")
        for one in rows[:6]
    ]
    task = SpokenLanguages()

    def drawn(limit: int | None, seed: int = 3) -> list[str]:
        return [one.id for one in task.samples(spoken_rows, TaskSettings(limit=limit, num_fewshot=0, seed=seed))]

    assert [one.split("/")[0] for one in drawn(7)] == ["es", "es", "es", "ru", "ru", "fr", "fr"]
    assert set(drawn(7)) < set(drawn(12))
    assert set(drawn(7)) != set(drawn(7, seed=4))
    assert len(drawn(None)) == 18

    sample = task.samples(spoken_rows, SETTINGS)[-1]
    (request,) = task.requests(sample)
    assert request.language == "fr"
    found = task.score(sample, [Response(request_id="", text="Manana, deja \u0435!")])
    errors = [one for one in found if one.metric in (LANGUAGE_WER.name, LANGUAGE_CER.name)]
    assert [(one.value, one.groups) for one in errors] == [(0, {"language": "fr"})] * 2
    assert [one.weight for one in errors] == [3, 13]


def test_a_recogniser_of_one_language_is_not_asked_about_others(tiny_whisper):
    checkpoint = resolve(str(tiny_whisper))
    assert "many languages" in (SpokenLanguages().refusal(checkpoint) or "")
    # As in Whisper's published checkpoints: `.en` and the others.
    for rows_of_the_embedding, refused in ((51864, True), (51865, False), (51866, False)):
        other = replace(checkpoint, config={**checkpoint.config, "vocab_size": rows_of_the_embedding})
        assert (SpokenLanguages().refusal(other) is not None) is refused
