"""A user's own recordings, and questions about them."""

import json
from pathlib import Path
from random import Random

import jiwer
import pytest
import soundfile

from harness.core.errors import DataError, HarnessError, TaskError
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from tests.media.listening import build_tiny_qwen2_audio
from tests.media.tones import RATE_HZ, sentences, spoken

SUITE = """
name: mine
tasks:
  - name: my_calls
    type: transcription
    data: calls.jsonl
    audio: file
    text: said
    language: en
    cluster: speaker
    attributes: [accent, line]
    smallest_group: 4
    max_tokens: 8
"""
QUESTIONS = """
name: mine
tasks:
  - name: my_choices
    type: audio_choice
    data: calls.jsonl
    audio: file
    prompt: "Question: Who speaks?\\nAnswer:"
    choices: [a woman, a man, nobody]
    gold: who
    metrics: [acc, acc_deaf]
  - name: my_answers
    type: audio_written
    data: calls.jsonl
    audio: file
    prompt: "Question: Who speaks?\\nAnswer:"
    reference: who
    max_tokens: 4
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A suite file about sixteen recordings, half of them as FLAC, in which one accent is hard to hear."""
    (tmp_path / "sounds").mkdir()
    rng, rows = Random(4), []
    for number, words in enumerate(sentences(16, 21)):
        accent = ("near", "far")[number % 2]
        samples = spoken(words, rng)
        if accent == "far":
            samples = samples * 0  # which nobody hears
        name = f"sounds/{number}.{('wav', 'flac')[number // 8]}"
        soundfile.write(tmp_path / name, samples, RATE_HZ)
        told = {"accent": accent, "line": ("old", "new")[number // 8], "speaker": f"{accent} {number // 4}"}
        rows.append({"file": name, "said": " ".join(words).title(), "who": "a woman", **told})
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "mine.yaml").write_text(SUITE)
    (tmp_path / "questions.yaml").write_text(QUESTIONS)
    return tmp_path / "mine.yaml"


def run(model: Path, suite: Path, output: Path) -> RunRecord:
    options = EvalOptions(output=output, meter="none", offline=True)
    return evaluate(str(model), suite=[str(suite)], task=(), options=options)


def test_recordings_are_written_down_and_errors_told_by_group(tiny_whisper: Path, calls: Path, tmp_path: Path) -> None:
    record = run(tiny_whisper, calls, tmp_path / "runs")
    found = {(one.metric, str(one.group) if one.group else ""): one for one in record.estimate_list}
    samples = record.samples
    written = samples[(samples["kind"] == "transcribe") & samples["variant"].isna()].sort_values(
        "sample_id", key=lambda ids: ids.astype(int)
    )
    rows = [json.loads(line) for line in (calls.parent / "calls.jsonl").read_text().splitlines()]
    for group in ({}, {"accent": "near"}, {"accent": "far"}, {"line": "new"}):
        kept = [place for place, row in enumerate(rows) if group.items() <= row.items()]
        said, heard = [rows[place]["said"].lower() for place in kept], [written["text"].iloc[place] for place in kept]
        (estimate,) = [
            one
            for one in record.estimate_list
            if one.metric == "wer" and (one.group.value if one.group else None) == next(iter(group.values()), None)
        ]
        assert estimate.value == pytest.approx(jiwer.wer(said, heard))
    near, far = (
        next(
            one.value for one in record.estimate_list if one.metric == "wer" and one.group and one.group.value == accent
        )
        for accent in ("near", "far")
    )
    gap = found["wer_gap_accent", ""]
    assert gap.value == pytest.approx((far or 0) - (near or 0))
    assert gap.value > 0.3
    assert gap.p_value is not None
    # Four speakers a group: one deal of 70 to either side.
    assert gap.p_value == pytest.approx(2 / 70, abs=0.02)
    assert (found["errors_saved_by_hearing", ""].value or 0) > 0
    assert ("wer_groups_differing", "") in found


def test_questions_about_recordings_are_asked_of_a_model_that_hears(calls: Path, tmp_path: Path) -> None:
    model = build_tiny_qwen2_audio(tmp_path / "model")
    record = run(model, calls.parent / "questions.yaml", tmp_path / "runs")
    found = {(one.task, one.metric) for one in record.estimate_list if one.value is not None}
    assert {("my_choices", "acc"), ("my_choices", "acc_deaf"), ("my_answers", "accuracy_all")} <= found
    assert run(model, calls, tmp_path / "runs").estimate_list  # it is asked in words what is said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "sounds/missing.wav"}, "no such file"),
        ({"file": "../outside.wav"}, "names the sound '../outside.wav', which lies outside of its folder"),
        ({"file": "calls.jsonl"}, "is no sound of a kind that is read"),
        ({"said": "..."}, "holds no word that could be said"),
        ({"accent": " "}, "field 'accent' is empty"),
    ],
)
def test_a_recording_that_cannot_be_used_is_named(
    tiny_whisper: Path, calls: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    rows = [json.loads(line) for line in (calls.parent / "calls.jsonl").read_text().splitlines()]
    (calls.parent / "calls.jsonl").write_text("\n".join(json.dumps({**row, **change}) for row in rows))
    with pytest.raises(DataError, match=said.replace(".", r"\.")) as refused:
        run(tiny_whisper, calls, tmp_path / "runs")
    assert "\n" not in str(refused.value)


def test_what_is_not_defined_is_refused_in_a_line(
    tiny_llama: Path, tiny_whisper: Path, calls: Path, tmp_path: Path
) -> None:
    with pytest.raises(HarnessError, match="doesn't write down what it hears"):
        run(tiny_llama, calls, tmp_path / "runs")
    with pytest.raises(HarnessError, match="reads no texts with sounds in them"):
        run(tiny_whisper, calls.parent / "questions.yaml", tmp_path / "runs")
    calls.write_text(SUITE.replace("[accent, line]", "[accent, accent]"))
    with pytest.raises(TaskError, match="names a column twice"):
        run(tiny_whisper, calls, tmp_path / "runs")
