"""Checkpoints that see: what they are taken for, and what is refused of how they prepare pictures."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.remote_code import refuse_borrowed_code
from harness.core import registry
from harness.core.errors import CheckpointError, ModelError
from harness.core.requests import MatchTexts, MultimodalGenerateUntil, MultimodalLoglikelihood
from harness.engine.opening import open_model
from tests.vision.checkpoints import build_tiny_clip, build_tiny_florence, build_tiny_gemma3, build_tiny_llava

PROCESSOR = "processor_config.json"


@pytest.fixture
def llava(tmp_path: Path) -> Path:
    return build_tiny_llava(tmp_path / "llava")


def changed(folder: Path, change: Callable[[dict[str, Any]], object], name: str = PROCESSOR) -> Path:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder


def loaded(folder: Path) -> Any:
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


def test_a_causal_architecture_is_taken_for_one_that_sees_where_it_can(tmp_path: Path) -> None:
    folder = build_tiny_gemma3(tmp_path / "gemma3")
    assert resolve(str(folder)).kind == "vision_language"
    assert resolve(str(folder), kind="causal").kind == "causal"
    (folder / PROCESSOR).unlink()
    assert resolve(str(folder)).kind == "causal"


def test_how_pictures_are_prepared_is_part_of_the_fingerprint(llava: Path) -> None:
    before = resolve(str(llava))
    assert PROCESSOR in before.files
    changed(llava, lambda content: content["image_processor"].update(image_mean=[0.4, 0.5, 0.5]))
    assert resolve(str(llava)).fingerprint != before.fingerprint


def test_a_checkpoint_without_a_processor_is_refused(llava: Path, tmp_path: Path) -> None:
    for folder in (llava, build_tiny_clip(tmp_path / "clip")):
        (folder / PROCESSOR).unlink()
        with pytest.raises(CheckpointError, match="holds no processor"):
            resolve(str(folder))


def test_code_of_a_processor_never_runs_unasked(llava: Path) -> None:
    (llava / "evil.py").write_text("raise SystemExit('it ran')\n")
    changed(llava, lambda content: content.update(auto_map={"AutoProcessor": "evil.Evil"}))
    with pytest.raises(CheckpointError, match="names Python code of the checkpoint's own"):
        loaded(llava)


def test_code_that_a_part_of_a_processor_names_is_known_and_another_repositorys_refused(llava: Path) -> None:
    before = resolve(str(llava))
    (llava / "own.py").write_text("raise SystemExit('it ran')\n")
    named = {"AutoImageProcessor": {"pil": "own.Own"}}
    changed(llava, lambda content: content["image_processor"].update(auto_map=named))
    with pytest.raises(CheckpointError, match="names Python code of the checkpoint's own"):
        loaded(llava)
    assert {"own.py"} == resolve(str(llava)).files.keys() - before.files.keys()
    named["AutoImageProcessor"]["pil"] = "nobody/other--own.Own"
    changed(llava, lambda content: content["image_processor"].update(auto_map=named))
    with pytest.raises(CheckpointError, match="code of another repository, 'nobody/other'"):
        refuse_borrowed_code(llava)


def test_sizes_that_no_picture_needs_are_refused_before_they_fill_the_memory(llava: Path) -> None:
    changed(llava, lambda content: content["image_processor"].update(size={"height": 200_000, "width": 200_000}))
    with pytest.raises(CheckpointError, match="the processor of pictures"):
        loaded(llava)


def test_more_layers_of_sight_than_there_are_weights_for_are_refused(llava: Path) -> None:
    changed(llava, lambda content: content["vision_config"].update(num_hidden_layers=10**7), "config.json")
    with pytest.raises(CheckpointError, match="num_hidden_layers is 10,000,000"):
        resolve(str(llava))


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="it is there")
@pytest.mark.parametrize("family", ["Qwen2VL", "SmolVLM"])
def test_a_package_that_the_processor_needs_is_named(family: str, llava: Path) -> None:
    def to_other(content: dict[str, Any]) -> None:
        content["processor_class"] = f"{family}Processor"
        content["image_processor"] = {"image_processor_type": f"{family}ImageProcessor"}
        content["video_processor"] = {"video_processor_type": f"{family}VideoProcessor"}

    with pytest.raises(CheckpointError, match="needs the package torchvision"):
        loaded(changed(llava, to_other))


def test_a_decoder_beside_an_encoder_that_sees_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="written by a decoder beside an encoder"):
        open_model(resolve(str(build_tiny_florence(tmp_path / "florence"))))


def test_kinds_say_that_they_do_not_see() -> None:
    causal, contrastive = registry.kind("causal"), registry.kind("contrastive")
    assert causal.refusal(MultimodalLoglikelihood) == "a causal language model reads no texts with pictures in them"
    assert (
        contrastive.refusal(MultimodalGenerateUntil)
        == "a contrastive model of pictures and texts reads no texts with pictures in them"
    )
    assert registry.kind("vision_language").refusal(MultimodalGenerateUntil) is None
    assert causal.refusal(MatchTexts) == "a causal language model doesn't compare pictures with texts"


def test_a_processor_without_a_token_for_pictures_is_refused_in_a_line(llava: Path) -> None:
    def to_blip(content: dict[str, Any]) -> None:
        content["processor_class"] = "BlipProcessor"
        content["image_processor"] = {"image_processor_type": "BlipImageProcessor"}

    changed(llava, to_blip)
    changed(llava, lambda content: content.pop("extra_special_tokens", None), "tokenizer_config.json")
    with pytest.raises(ModelError, match="which token stands for a picture"):
        open_model(resolve(str(llava)))
