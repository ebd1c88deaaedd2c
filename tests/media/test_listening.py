"""Checkpoints that hear and write: how they are found, and what is refused about them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.resolver import resolve
from harness.checkpoints.senses.hearing import PREPROCESSOR, PROCESSOR
from harness.core import registry
from harness.core.errors import CheckpointError
from harness.core.requests import AudioGenerateUntil, AudioLoglikelihood, MultimodalLoglikelihood, Transcribe
from harness.examine.checkup import examine_model
from tests.media.listening import HEARING, build_tiny_qwen2_audio
from tests.tiny import build_tiny_checkpoint, build_tiny_seq2seq


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_tiny_qwen2_audio(tmp_path / "model")


def changed(folder: Path, change: Callable[[dict[str, Any]], object], name: str = PROCESSOR) -> Path:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder


def loaded(folder: Path) -> Any:
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


@pytest.mark.parametrize("name", sorted(HEARING))
def test_the_config_says_that_it_hears(name: str, tmp_path: Path) -> None:
    folder = HEARING[name](tmp_path / "model")
    assert resolve(str(folder)).kind == "audio_language"
    told = {one.name: one.detail for one in examine_model(str(folder), offline=True)}
    assert "each sound is encoded once, and agrees with the model's own forward pass on a trial" in told["reading"]


def test_models_without_ears_are_not_taken_for_such(tmp_path: Path) -> None:
    for build in (build_tiny_checkpoint, build_tiny_seq2seq):
        folder = build(tmp_path / build.__name__)
        assert resolve(str(folder)).kind != "audio_language"
        with pytest.raises(CheckpointError, match="can't be loaded as a language model that hears"):
            resolve(str(folder), kind="audio_language")


def test_a_checkpoint_without_a_processor_is_refused(folder: Path) -> None:
    for name in (PROCESSOR, PREPROCESSOR):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="without which no picture or sound can be read"):
        resolve(str(folder))


def test_a_processor_without_what_makes_features_is_refused(folder: Path) -> None:
    changed(folder, lambda content: content.pop("feature_extractor"))
    with pytest.raises(CheckpointError):
        loaded(folder)


def test_code_of_a_processor_never_runs_unasked(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('it ran')\n")
    changed(folder, lambda content: content.update(auto_map={"AutoProcessor": "evil.Evil"}))
    with pytest.raises(CheckpointError, match="names Python code of the checkpoint's own"):
        loaded(folder)


@pytest.mark.parametrize("rate_hz", [1, 10**9])
def test_a_rate_that_no_sound_is_brought_to_is_refused(folder: Path, rate_hz: int) -> None:
    changed(folder, lambda content: content["feature_extractor"].update(sampling_rate=rate_hz))
    with pytest.raises(CheckpointError, match=f"sampling_rate is {rate_hz}"):
        loaded(folder)


def test_sizes_that_no_sound_needs_are_refused_before_they_fill_the_memory(folder: Path) -> None:
    changed(folder, lambda content: content["feature_extractor"].update(n_fft=2**22, feature_size=10**5))
    with pytest.raises(CheckpointError, match="the processor of pictures or sounds"):
        loaded(folder)


def test_more_layers_of_hearing_than_there_are_weights_for_are_refused(folder: Path) -> None:
    changed(folder, lambda content: content["audio_config"].update(encoder_layers=10**7), "config.json")
    with pytest.raises(CheckpointError, match="encoder_layers is 10,000,000"):
        resolve(str(folder))


def test_no_random_noise_is_added_whatever_the_files_say(folder: Path) -> None:
    changed(folder, lambda content: content["feature_extractor"].update(dither=0.5))
    assert loaded(folder).processor.feature_extractor.dither == 0


def test_kinds_say_that_they_do_not_hear() -> None:
    causal, seeing = registry.kind("causal"), registry.kind("vision_language")
    assert causal.refusal(AudioLoglikelihood) == "a causal language model reads no texts with sounds in them"
    assert seeing.refusal(AudioGenerateUntil) == "a vision-language model reads no texts with sounds in them"
    hearing = registry.kind("audio_language")
    assert hearing.refusal(Transcribe) is None
    assert (
        hearing.refusal(MultimodalLoglikelihood) == "a language model that hears reads no texts with pictures in them"
    )
