"""Each thing that can be wrong with a model reference or a checkpoint gives one line that says what and what to do."""

import hashlib
import json
import os
import pickle
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import pytest
import torch
from huggingface_hub import errors
from safetensors.torch import load_file
from transformers import BertConfig, BertForQuestionAnswering

from harness.checkpoints import fingerprint, resolve
from harness.core.errors import CheckpointError, HarnessError, UnavailableError
from tests.checkpoints.conftest import Edit
from tests.checkpoints.refusals import refusal
from tests.forks import python

RESPONSE = httpx.Response(404, request=httpx.Request("GET", "https://hub.example/nobody/nothing"))


@pytest.mark.parametrize("ref", ["./nowhere", "/nowhere/at/all", "~/no-such-folder", "a/b/c", "nowhere.gguf", "a..b/c"])
def test_a_path_that_is_not_there_is_named(ref: str) -> None:
    error = refusal(ref)
    assert error.place == ref
    assert "no such" in error.problem


@pytest.mark.parametrize("ref", ["", "smollm2-135mm", "no\0thing", "x" * 5000])
def test_a_word_that_is_no_model_names_those_that_are(ref: str) -> None:
    assert "smollm2-135m" in refusal(ref).problem


def test_a_hub_id_that_is_not_cached_offline_gives_both_readings_and_the_command() -> None:
    error = refusal("nobody/nothing@v1", UnavailableError)
    assert "no such path" in error.problem
    assert "hf download nobody/nothing --revision v1" in str(error.fix)


def test_a_path_that_is_not_utf8_is_refused(folder: Path) -> None:
    renamed = folder.rename(folder.with_name("odd\udcff"))
    with pytest.raises(CheckpointError, match="not UTF-8"):
        resolve(str(renamed))


def test_a_file_in_place_of_a_folder_is_refused(folder: Path) -> None:
    assert str(folder) in str(refusal(folder / "model.safetensors").fix)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert error.place == str(tmp_path)
    assert "empty folder" in error.problem


def test_a_folder_without_config_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "config.json" in refusal(folder).problem


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff\xfe", b'{"rms_norm_eps": NaN}', b'{"a":' * 100_000], ids=repr
)
def test_a_config_that_is_no_usable_json_is_refused(folder: Path, text: bytes) -> None:
    (folder / "config.json").write_bytes(text)
    assert refusal(folder).place == str(folder / "config.json")


def test_an_unknown_model_type_is_named(folder: Path, edit: Edit) -> None:
    edit("config.json", model_type="lama", architectures=["LamaForCausalLM"])
    error = refusal(folder)
    assert error.place == str(folder / "config.json")
    assert "'lama'" in error.problem
    assert "LamaForCausalLM" in error.problem


def test_an_architecture_of_no_kind_is_named_with_the_kinds_it_could_be_read_as(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    BertForQuestionAnswering(config).save_pretrained(tmp_path)
    error = refusal(tmp_path)
    assert "BertForQuestionAnswering" in error.problem
    assert "--kind causal or masked or classifier or tagger or encoder" in str(error.fix)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", 3),
        ("num_hidden_layers", -1),
        ("num_attention_heads", 0),
        ("hidden_size", "32"),
        ("hidden_size", 10**9),
        ("vocab_size", 10**12),
        ("intermediate_size", 10**12),
        ("head_dim", 399),
    ],
)
def test_a_config_of_absurd_sizes_is_refused_by_field(folder: Path, edit: Edit, field: str, value: object) -> None:
    edit("config.json", **{field: value})
    error = refusal(folder)
    assert error.place == str(folder / "config.json")
    assert field in error.problem


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, name: str) -> None:
    outside = folder.parent / name
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    error = refusal(folder)
    assert error.place == str(folder / name)
    assert str(outside) in error.problem


def test_a_link_that_loops_and_a_pipe_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.unlink()
    weights.symlink_to(weights)
    assert refusal(folder).place == str(weights)
    weights.unlink()
    os.mkfifo(weights)
    assert "not a regular file" in refusal(folder).problem


class Malicious:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_a_pickle_is_refused_with_a_way_out_and_never_executed(folder: Path, write: Callable[..., Any]) -> None:
    (folder / "model.safetensors").unlink()
    marker = folder.parent / "executed"
    write({"model.norm.weight": Malicious(marker)}, folder / "pytorch_model.bin")
    error = refusal(folder)
    assert "pytorch_model.bin" in error.problem
    assert "save_pretrained" in str(error.fix)
    assert "weights_only" not in str(error)
    assert not marker.exists()


def test_the_command_given_for_a_pickle_converts_it(folder: Path) -> None:
    before = load_file(folder / "model.safetensors")
    torch.save(before, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    command = shlex.split(str(refusal(folder).fix).split("`")[1])
    assert python(*command[1:], cwd=folder).returncode == 0
    assert resolve(str(folder)).parameter_count == sum(tensor.numel() for tensor in before.values())


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "model.safetensors" in refusal(folder).problem


def test_a_folder_without_tokenizer_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    error = refusal(folder)
    assert "tokenizer.json" in error.problem
    assert "tokenizer.save_pretrained" in str(error.fix)


def test_a_tokenizer_larger_than_the_embedding_is_refused(folder: Path, edit: Edit) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    model = tokenizer["model"]
    edit("tokenizer.json", model={**model, "vocab": {**model["vocab"], "more": 400}})
    error = refusal(folder)
    assert error.place == str(folder / "tokenizer.json")
    assert "400" in error.problem


def test_a_tokenizer_of_no_known_form_is_refused(folder: Path, edit: Edit) -> None:
    edit("tokenizer.json", model=None)
    assert refusal(folder).place == str(folder / "tokenizer.json")


def test_an_adapter_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    assert "merge" in str(refusal(folder).fix)


def test_a_config_that_asks_for_code_from_a_hub_is_refused(folder: Path, edit: Edit) -> None:
    edit("config.json", attn_implementation="nobody/kernel")
    assert "nobody/kernel" in refusal(folder).problem


def test_a_config_that_names_a_weight_file_of_its_own_is_refused(folder: Path, edit: Edit) -> None:
    edit("config.json", transformers_weights="other.safetensors")
    assert "transformers_weights" in refusal(folder).problem


def test_an_infinite_field_is_refused_wherever_it_stands_and_infinite_time_steps_are_fine(
    folder: Path, edit: Edit
) -> None:
    edit("config.json", time_step_limit=[0.0, float("inf")], time_step_max=float("inf"))
    assert resolve(str(folder))
    edit("config.json", rope_parameters={"rope_theta": float("inf")})
    assert "rope_theta is infinite" in refusal(folder).problem


@pytest.mark.parametrize("value", [0, -0.0, -10000.0, False])
@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("rope_theta", lambda value: {"rope_theta": value}),
        ("rope_theta", lambda value: {"rope_parameters": {"rope_theta": value}}),
        ("rope_theta", lambda value: {"rope_parameters": {"full_attention": {"rope_theta": value}}}),
        ("factor", lambda value: {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": value}}),
        ("long_factor", lambda value: {"rope_scaling": {"rope_type": "longrope", "long_factor": [1.0, value]}}),
    ],
)
def test_a_rotation_not_above_zero_is_refused(
    folder: Path, edit: Edit, field: str, fields: Callable[[float], dict[str, object]], value: float
) -> None:
    edit("config.json", **fields(value))
    assert f"{field} is {value!r}, not a number above 0" in refusal(folder).problem


FRAME = {"type": "TemplateProcessing", "pair": [{"Sequence": {"id": "B", "type_id": 0}}]}
FIRST = {"SpecialToken": {"id": "<s>", "type_id": 0}}


def template(number: int) -> dict[str, object]:
    """A post-processor that begins every text with the token of that id."""
    text = {"Sequence": {"id": "A", "type_id": 0}}
    special = {"<s>": {"id": "<s>", "ids": [number], "tokens": ["<s>"]}}
    return {**FRAME, "single": [FIRST, text], "special_tokens": special}


def framed(kind: str, number: int) -> dict[str, object]:
    return {"type": kind, "sep": ["</s>", 0], "cls": ["<s>", number], "trim_offsets": True, "add_prefix_space": False}


@pytest.mark.parametrize(
    "processor",
    [
        template(400),
        {"type": "Sequence", "processors": [template(400)]},
        framed("RobertaProcessing", 400),
        framed("BertProcessing", 400),
    ],
)
def test_a_frame_around_every_text_beyond_the_embedding_is_refused(
    folder: Path, edit: Edit, processor: dict[str, object]
) -> None:
    edit("tokenizer.json", post_processor=processor)
    error = refusal(folder)
    assert "token id 400" in error.problem
    assert "tokenizer.json" in str(error.place)


def test_a_frame_within_the_embedding_is_fine(folder: Path, edit: Edit) -> None:
    edit("tokenizer.json", post_processor=template(1))
    assert resolve(str(folder))


def test_heads_wider_than_any_tensor_are_refused(folder: Path, edit: Edit) -> None:
    edit("config.json", head_dim=200)
    assert "num_attention_heads x head_dim is 800" in refusal(folder).problem


@pytest.mark.parametrize("named", ["LlamaForCausalLM", [3]])
def test_architectures_that_are_no_list_of_names_are_refused(folder: Path, edit: Edit, named: object) -> None:
    edit("config.json", architectures=named)
    assert "not a list of names" in refusal(folder).problem


def test_a_config_that_can_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    assert "can't be read (Permission denied)" in refusal(folder).problem


def cached(folder: Path, name: str) -> Path:
    """The folder as a snapshot in a hub's cache, with the weights in a blob called `name`."""
    repository = folder.parent / "models--a--b"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.parent.mkdir(parents=True)
    (repository / "blobs").mkdir()
    folder.rename(snapshot)
    (snapshot / "model.safetensors").rename(repository / "blobs" / name)
    (snapshot / "model.safetensors").symlink_to(Path("../../blobs") / name)
    return snapshot


def test_a_blob_of_the_hubs_cache_must_be_what_its_name_says(folder: Path) -> None:
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    snapshot = cached(folder, digest)
    assert resolve(str(snapshot)).files["model.safetensors"] == digest
    blob = (snapshot / "model.safetensors").resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    assert "was changed since it was downloaded" in refusal(snapshot).problem


def test_a_file_that_can_not_be_hashed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> str:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(fingerprint, "read_stamped", broken)
    assert "Input/output error" in refusal(folder).problem


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ([{"type": "x.Transformer", "path": "0_Transformer"}], "0_Transformer"),
        ([{"type": "x.Dense", "path": "2_Dense"}], "a module Dense"),
        ([{"type": "x.Pooling"}], "not a list of modules"),
        ({"type": 3}, "not a list of modules"),
        ([{"type": "x.Pooling", "path": "none"}], "asks for no pooling"),
        ([{"type": "x.Pooling", "path": "odd"}], "the pooling 'odd'"),
    ],
)
def test_modules_that_can_not_be_computed_are_refused(folder: Path, modules: object, says: str) -> None:
    for name, config in (("none", {}), ("odd", {"pooling_mode": "mean+odd"})):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(modules))
    assert says in refusal(folder).problem


def test_a_default_prompt_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "modules.json").write_text("[]")
    for content in ({"default_prompt_name": "query"}, {"default_prompt_name": "query", "prompts": 3}):
        (folder / "config_sentence_transformers.json").write_text(json.dumps(content))
        assert "no prompt 'query'" in refusal(folder).problem


@pytest.mark.parametrize(
    ("raised", "kind", "says"),
    [
        (errors.GatedRepoError("403", response=RESPONSE), UnavailableError, "consent"),
        (errors.RevisionNotFoundError("404", response=RESPONSE), CheckpointError, "no such model or revision"),
        (OSError("No space left on device"), UnavailableError, "No space left on device"),
    ],
)
def test_what_the_hub_answers_is_told(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, kind: type[HarnessError], says: str
) -> None:
    def fails(*_: object, **__: object) -> str:
        raise raised

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fails)
    assert says in refusal("nobody/nothing", kind).problem


def test_a_snapshot_without_safetensors_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    assert "no safetensors weights" in refusal("nobody/nothing").problem
