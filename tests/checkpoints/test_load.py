"""What is loaded is what transformers loads, and what doesn't fit is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from harness.checkpoints import resolve
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError, InputError
from tests.checkpoints.conftest import Edit

TEXT = "She said that he would never go home again"


def loaded(folder: Path, dtype: str = "float32") -> LoadedCheckpoint:
    return load_model(resolve(str(folder)), dtype=dtype, device="cpu")


def logits(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    with torch.no_grad():
        return model(**tokenizer(TEXT, return_tensors="pt")).logits


def refusal(folder: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        loaded(folder)
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return caught.value


def rewrite(folder: Path, **tensors: torch.Tensor | None) -> None:
    """Replace, add or (None) remove tensors of the weights."""
    path = folder / "model.safetensors"
    kept = {**load_file(path), **tensors}
    save_file({name: tensor for name, tensor in kept.items() if tensor is not None}, path, metadata={"format": "pt"})


def test_logits_are_those_of_plain_transformers(tiny_llama: Path) -> None:
    ours = loaded(tiny_llama)
    theirs = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    assert torch.equal(logits(ours.model, ours.tokenizer), logits(theirs, AutoTokenizer.from_pretrained(tiny_llama)))
    assert not ours.model.training
    assert ours.max_length == 256


def test_a_sharded_checkpoint_gives_the_same_logits(folder: Path) -> None:
    whole = loaded(folder)
    (folder / "model.safetensors").unlink()
    whole.model.save_pretrained(folder, max_shard_size="60KB")
    assert not (folder / "model.safetensors").exists()
    parts = loaded(folder)
    assert parts.checkpoint.parameter_count == whole.checkpoint.parameter_count
    assert torch.equal(logits(parts.model, parts.tokenizer), logits(whole.model, whole.tokenizer))


def test_the_dtype_asked_for_is_the_one_loaded(tiny_llama: Path) -> None:
    assert {parameter.dtype for parameter in loaded(tiny_llama, "bfloat16").model.parameters()} == {torch.bfloat16}


def test_loading_says_nothing(tiny_llama: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded(tiny_llama)
    assert capfd.readouterr() == ("", "")


def test_a_missing_tensor_is_refused_rather_than_drawn_at_random(folder: Path) -> None:
    rewrite(folder, **{"model.layers.0.mlp.up_proj.weight": None})
    error = refusal(folder)
    assert "model.layers.0.mlp.up_proj.weight is missing" in error.problem
    assert error.place == str(folder)


def test_a_tensor_of_another_shape_is_refused_with_both_shapes(folder: Path) -> None:
    rewrite(folder, **{"model.norm.weight": torch.ones(31)})
    error = refusal(folder)
    assert "model.norm.weight" in error.problem
    assert "[31]" in error.problem
    assert "[32]" in error.problem


def test_a_tensor_too_many_is_refused(folder: Path) -> None:
    rewrite(folder, **{"model.layers.1.mlp.gate.weight": torch.ones(4)})
    assert "model.layers.1.mlp.gate.weight" in refusal(folder).problem


def test_buffers_that_old_checkpoints_store_are_no_fault(folder: Path) -> None:
    rewrite(folder, **{"model.layers.1.self_attn.rotary_emb.inv_freq": torch.ones(4)})
    assert loaded(folder).checkpoint.parameter_count == loaded(folder).model.num_parameters()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused_by_tensor_and_count(
    folder: Path, dtype: torch.dtype, value: float
) -> None:
    tensor = torch.linspace(-60000, 60000, 32 * 32, dtype=torch.float64).reshape(32, 32).to(dtype)
    name = "model.layers.1.self_attn.q_proj.weight"
    rewrite(folder, **{name: tensor})
    loaded(folder)
    tensor[3, 4:6] = value
    rewrite(folder, **{name: tensor})
    error = refusal(folder)
    assert f"{name} has 2 of 1,024 weights" in error.problem
    assert error.place == str(folder / "model.safetensors")


def test_weights_too_large_for_float16_are_refused(folder: Path) -> None:
    rewrite(folder, **{"model.norm.weight": torch.full((32,), 1e6)})
    with pytest.raises(CheckpointError, match=r"model\.norm\.weight has weights too large for float16"):
        loaded(folder, "float16")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_the_checkpoints_own_is_refused_and_not_executed(folder: Path, edit: Edit, name: str) -> None:
    marker = folder.parent / "executed"
    (folder / "evil.py").write_text(f"import pathlib; pathlib.Path({str(marker)!r}).touch()")
    edit(
        name,
        auto_map={
            "AutoModelForCausalLM": "evil.Model",
            "AutoConfig": "evil.Config",
            "AutoTokenizer": ["evil.Tokenizer", None],
        },
    )
    error = refusal(folder)
    assert error.place == str(folder / name)
    assert "--trust-remote-code" in str(error.fix)
    assert not marker.exists()


def test_code_of_the_checkpoints_own_runs_where_the_user_trusts_it(folder: Path, edit: Edit) -> None:
    (folder / "own.py").write_text(
        "from transformers import LlamaForCausalLM\nclass Own(LlamaForCausalLM):\n    pass\n"
    )
    edit("config.json", auto_map={"AutoModelForCausalLM": "own.Own"}, architectures=["Own"])
    trusted = load_model(resolve(str(folder)), dtype="float32", device="cpu", trust_remote_code=True)
    assert type(trusted.model).__name__ == "Own"


def test_what_transformers_can_not_read_is_one_line(folder: Path, edit: Edit) -> None:
    edit("config.json", hidden_act="sigh")
    error = refusal(folder)
    assert error.place == str(folder)
    assert "sigh" in error.problem


def test_a_tokenizer_that_the_library_can_not_build_is_one_line(folder: Path, edit: Edit) -> None:
    template = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    merges = template["model"]["merges"]
    edit("tokenizer.json", model={**template["model"], "merges": [*merges, ["never", "seen"]]})
    assert refusal(folder).place == str(folder / "tokenizer.json")


def test_a_device_that_is_not_there_is_named(tiny_llama: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_model(resolve(str(tiny_llama)), dtype="float32", device="warp")
    assert caught.value.place == "device warp"
