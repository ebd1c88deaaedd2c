"""Choices about sounds: their truth, and the control that exposes a model that doesn't listen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from harness.core.requests import Response
from harness.core.tasks import Sample, Task
from harness.media.sounds import samples_of
from suites.speech import clips
from suites.speech.beeps import GeneratedBeeps
from suites.speech.told_apart import KindsOfSound, WhichWasSaid
from tests.media.tones import WORDS, spoken
from tests.suites.speech.test_speech import SETTINGS, row


@pytest.fixture
def many_rows() -> list[dict[str, str]]:
    """Twenty clips of four words."""
    rng, drawn = Random(4), Random(5)
    said = [[drawn.choice(WORDS) for _ in range(4)] for _ in range(20)]
    return [row(f"clip{place}", " ".join(words), spoken(words, rng)) for place, words in enumerate(said)]


def chosen(task: Task, heard: Callable[[Sample], int], deaf: Callable[[Sample], int], rows: Sequence[Any] = ()) -> Any:
    """What each metric makes of a model that prefers these choices with the sound, and in silence."""
    scores = []
    for sample in task.samples(rows, SETTINGS):
        asked, count = task.requests(sample), len(sample.choices)
        preferred = (heard(sample), count + deaf(sample))
        likely = [
            Response(request_id=one.id, loglikelihood=0.0 if place in preferred else -9.0)
            for place, one in enumerate(asked)
        ]
        assert [task.variant(sample, place) for place in range(2 * count)] == [""] * count + ["silence"] * count
        scores += task.score(sample, likely)
    return {
        one.name: one.reduce([s for s in scores if s.metric == one.name], Random(0)) for one in task.metrics
    }, scores


@pytest.mark.parametrize("task", [GeneratedBeeps(), KindsOfSound(), WhichWasSaid()], ids=lambda task: task.name)
def test_a_deaf_model_is_exposed_by_its_control(task: Task, many_rows: list[dict[str, str]]) -> None:
    rows = [] if task.data is None else many_rows
    found, _ = chosen(task, lambda sample: int(sample.gold or 0), lambda _sample: 0, rows)
    assert found["acc"].value == 1
    assert found["hearing_gain"].value == pytest.approx(1 - found["acc_deaf"].value)
    assert found["acc_deaf"].value < 0.75
    deaf, _ = chosen(task, lambda _sample: 0, lambda _sample: 0, rows)
    assert deaf["hearing_gain"].value == 0


def test_two_questions_are_about_one_sound_whose_beeps_can_be_counted_and_heard_to_rise() -> None:
    samples = GeneratedBeeps().samples([], replace(SETTINGS, limit=40))
    for count, pitch in zip(samples[::2], samples[1::2], strict=True):
        assert count.fields["sound"] == pitch.fields["sound"]
        assert count.fields["silence"] == samples[0].fields["silence"]
        found, rate_hz = samples_of(count.fields["sound"])
        loud = np.convolve(np.abs(found), np.ones(400) / 400, "same") > 0.02
        starts, ends = np.flatnonzero(np.diff(loud.astype(int)) == 1), np.flatnonzero(np.diff(loud.astype(int)) == -1)
        assert count.choices[count.gold] == ("", "", "two", "three", "four", "five")[len(starts)]
        tones_hz = [
            np.argmax(np.abs(np.fft.rfft(found[start:end], 2**16))) * rate_hz / 2**16
            for start, end in zip(starts, ends, strict=True)
        ]
        rises = all(one < other for one, other in pairwise(tones_hz))
        falls = all(one > other for one, other in pairwise(tones_hz))
        assert (rises, falls) == ((True, False) if pitch.gold == 0 else (False, True))


def test_other_seeds_make_other_beeps_and_a_larger_limit_holds_a_smaller_one() -> None:
    task = GeneratedBeeps()
    few, many = (task.samples([], replace(SETTINGS, limit=limit)) for limit in (7, 15))
    assert many[:7] == few
    other = task.samples([], replace(SETTINGS, seed=4, limit=7))
    assert not {one.id for one in few} & {one.id for one in other}
    assert not {one.fields["sound"] for one in few} & {one.fields["sound"] for one in other}


def test_other_texts_are_those_of_other_clips_and_as_long(many_rows: list[dict[str, str]]) -> None:
    texts = {one["text"] for one in many_rows}
    for sample in WhichWasSaid().samples(many_rows, SETTINGS):
        assert len(set(sample.choices)) == 4
        assert set(sample.choices) <= texts
        assert sample.choices[sample.gold] == next(one["text"] for one in many_rows if sample.id.endswith(one["id"]))


def test_a_tone_and_a_noise_are_as_long_and_as_loud_as_the_clip(many_rows: list[dict[str, str]]) -> None:
    clips_by_name = {one.name: one for one in clips.clips_of(many_rows)}
    kinds = set()
    for sample in KindsOfSound().samples(many_rows, SETTINGS):
        clip = clips_by_name[sample.id.partition("-")[2]]
        found, _ = samples_of(sample.fields["sound"])
        assert len(found) == len(clip.samples)
        if sample.choices[sample.gold] != "noise":  # whose peaks are clipped where the clip is loud
            assert np.mean(found**2) == pytest.approx(np.mean(clip.samples**2), rel=0.01)
        kinds.add(sample.choices[sample.gold])
    assert kinds == {"a person speaking", "a steady tone", "noise"}
