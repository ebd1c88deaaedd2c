"""The gap between groups of speakers: by hand, and against what chance alone makes of it."""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np
import pytest

from harness.core.metrics import Undefined
from harness.core.scores import Score
from suites.speech.gaps import gap_metrics
from suites.speech.voices import pitched

GAP, DIFFERING = gap_metrics(["accent"], 2)


def scores(clips: Sequence[tuple[int, int, Mapping[str, str], str | None]]) -> list[Score]:
    """Errors, words, groups and speaker of clips."""
    return [
        Score(sample_id=str(place), metric="", value=errors, weight=words, groups=dict(groups), cluster=speaker)
        for place, (errors, words, groups, speaker) in enumerate(clips)
    ]


def drawn(rng: np.random.Generator, rates: Mapping[str, float], clips: int) -> list[Score]:
    """Clips of ten words by group, each of its own speaker, whose words are wrong at these rates."""
    return scores(
        [
            (int(rng.binomial(10, rate)), 10, {"accent": accent, "sex": "mf"[place % 2]}, None)
            for accent, rate in rates.items()
            for place in range(clips)
        ]
    )


def test_a_gap_is_that_of_the_rates_of_the_groups_and_small_groups_are_named() -> None:
    one, two, three = {"accent": "a"}, {"accent": "b"}, {"accent": "c"}
    found = GAP.reduce(
        scores([(1, 4, one, None), (0, 6, one, None), (3, 5, two, None), (1, 5, two, None), (9, 9, three, None)]),
        Random(0),
    )
    assert found.value == pytest.approx(4 / 10 - 1 / 10)
    assert found.low is None
    assert "c (n = 1)" in str(found.method)
    # Of the three ways to part four clips into pairs, another makes a larger gap (4 / 9 less 1 / 11), one a smaller.
    assert found.p_value == pytest.approx(2 / 3, abs=0.04)


def test_one_group_has_no_gap() -> None:
    with pytest.raises(Undefined, match="fewer than two groups of accent"):
        GAP.reduce(scores([(1, 4, {"accent": "a"}, None)] * 5), Random(0))


def test_speakers_are_dealt_out_and_not_their_clips() -> None:
    """Two speakers a group, each with many clips: however large the gap, two against two can't be told from chance."""
    clips = [
        (9 if accent == "b" else 1, 10, {"accent": accent}, f"{accent}{speaker}")
        for accent in "ab"
        for speaker in range(2)
        for _ in range(30)
    ]
    found = GAP.reduce(scores(clips), Random(0))
    assert found.value == pytest.approx(0.8)
    assert found.p_value == pytest.approx(1 / 3, abs=0.04)
    assert DIFFERING.reduce(scores(clips), Random(0)).value == 0
    # The same clips of sixty speakers a group differ beyond doubt.
    alone = GAP.reduce(scores([(*clip[:3], None) for clip in clips]), Random(0))
    assert alone.p_value == pytest.approx(1 / 2000)


def test_where_one_speaker_is_in_several_groups_the_clips_of_each_are_dealt_out() -> None:
    """Every speaker has ten times as many errors as the one before; within each the groups are the same."""
    clips = [(errors, 10, {"accent": accent}, str(errors)) for errors in (0, 3, 9) for accent in "ab" for _ in range(4)]
    found = GAP.reduce(scores(clips), Random(0))
    assert found.value == 0
    assert found.p_value == 1
    worse = [(one + (accent == "b"), 10, {"accent": accent}, str(one)) for one in (0, 3, 8) for accent in "ab" * 4]
    assert (GAP.reduce(scores(worse), Random(0)).p_value or 1) < 0.01


def test_groups_that_differ_are_counted_and_those_that_do_not_seldom_are() -> None:
    _, _, both = gap_metrics(["accent", "sex"], 2)
    rng = np.random.default_rng(0)
    far = both.reduce(drawn(rng, {"a": 0.1, "b": 0.1, "c": 0.5}, 40), Random(0))
    assert 1 <= far.value <= 3
    alike = [both.reduce(drawn(rng, {"a": 0.2, "b": 0.2, "c": 0.2}, 12), Random(seed)).value for seed in range(40)]
    assert np.mean([one > 0 for one in alike]) <= 0.125  # 5 % and three standard errors


@pytest.mark.parametrize("semitones", [4.0, -4.0])
def test_a_voice_is_altered_in_pitch_and_in_nothing_else(semitones: float) -> None:
    rate_hz = 8000
    time_s = np.arange(rate_hz) / rate_hz
    tone = (0.3 * np.sin(2 * np.pi * 500 * time_s)).astype(np.float32)
    found = pitched(tone, rate_hz, semitones)
    assert len(found) == len(tone)
    assert np.mean(found**2) == pytest.approx(np.mean(tone**2), rel=0.01)
    heard_hz = np.argmax(np.abs(np.fft.rfft(found * np.hanning(len(found))))) * rate_hz / len(found)
    assert heard_hz == pytest.approx(500 * 2 ** (semitones / 12), rel=0.01)
    # A word stays where it is.
    word = np.where((time_s > 0.4) & (time_s < 0.6), tone, np.float32(0))
    loud = np.flatnonzero(np.abs(pitched(word, rate_hz, semitones)) > 0.1) / rate_hz
    assert loud.min() == pytest.approx(0.4, abs=0.05)
    assert loud.max() == pytest.approx(0.6, abs=0.05)
    assert pitched(tone, rate_hz, 0.0) is tone
