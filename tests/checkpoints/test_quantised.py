"""Quantised checkpoints: loaded where their back end is installed, refused by its name where it is not."""

import importlib.util
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, TorchAoConfig

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.loading.quantised import BACKENDS, require_backend
from harness.core.errors import UnavailableError
from harness.core.models import respond
from harness.core.requests import Loglikelihood
from harness.engine.kinds.causal import CausalModel
from tests.forks import python
from tests.tiny import build_tiny_checkpoint, build_tiny_tokenizer, tiny_llama_config

PAIRS = [Loglikelihood(context="The committee met", continuation=end) for end in (" on Tuesday", " today", " 中文")]
INSTALLED = [
    module for module in ("bitsandbytes", "gptqmodel", "compressed_tensors") if importlib.util.find_spec(module)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    config = tiny_llama_config(hidden_size=128, intermediate_size=256)
    return build_tiny_checkpoint(tmp_path_factory.mktemp("wide"), config=config, scale=4)


@pytest.fixture(params=["int8", "int8-dynamic", "int4"])
def quantised(request, base, tmp_path):
    """The base as torchao writes it: 8 or 4 bits a weight (4 of them kept in a byte each), scales beside them."""
    torchao = pytest.importorskip("torchao.quantization")
    how = {
        "int8": lambda: torchao.Int8WeightOnlyConfig(version=2),
        "int8-dynamic": lambda: torchao.Int8DynamicActivationInt8WeightConfig(version=2),
        "int4": lambda: torchao.IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=torchao.PerGroup(32)),
    }[request.param]()
    model = AutoModelForCausalLM.from_pretrained(base, quantization_config=TorchAoConfig(quant_type=how))
    folder = tmp_path / request.param
    model.save_pretrained(folder)
    build_tiny_tokenizer().save_pretrained(folder)
    return folder


def test_a_torchao_checkpoint_answers_as_transformers_does_with_it(quantised):
    checkpoint = resolve(str(quantised))
    model = CausalModel(load_model(checkpoint, dtype="auto", device="cpu"), batch_tokens=256)
    found = {response.request_id: response.loglikelihood for response in respond(model, PAIRS)}
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(quantised), AutoTokenizer.from_pretrained(quantised)
    for pair in PAIRS:
        context = len(tokenizer(pair.context)["input_ids"])
        whole = tokenizer(pair.context + pair.continuation)["input_ids"]
        with torch.inference_mode():
            rows = plain(torch.tensor([whole])).logits[0].log_softmax(-1)
        expected = sum(float(rows[at - 1, whole[at]]) for at in range(context, len(whole)))
        # Where activations are rounded to 8 bits too, a difference in the last bit of one can become a whole step.
        assert found[pair.id] == pytest.approx(expected, abs=0.1 if quantised.name == "int8-dynamic" else 1e-4)


def test_the_weights_of_a_torchao_checkpoint_are_counted_and_not_its_scales(quantised, base):
    checkpoint, whole = resolve(str(quantised), base=str(base)), resolve(str(base))
    assert checkpoint.parameter_count == whole.parameter_count
    assert checkpoint.parent_fingerprint == whole.fingerprint
    stored = load_file(quantised / "model.safetensors")
    bits = 8 * sum(tensor.nbytes for tensor in stored.values())
    assert checkpoint.bits_per_weight == pytest.approx(bits / whole.parameter_count)
    assert 8 < checkpoint.bits_per_weight < whole.bits_per_weight == 32
    assert "torchao" in checkpoint.notes[0]


@pytest.fixture
def pretend(base, tmp_path):
    """Writes the base as if a method that isn't installed here had quantised its layers."""

    def write(method, pack, **settings):
        folder = tmp_path / method
        build_tiny_tokenizer().save_pretrained(folder)
        config = json.loads((base / "config.json").read_text())
        config["quantization_config"] = {"quant_method": method, **settings}
        (folder / "config.json").write_text(json.dumps(config))
        tensors = {}
        for name, tensor in load_file(base / "model.safetensors").items():
            tensors |= pack(name.removesuffix(".weight"), tensor) if "_proj" in name else {name: tensor}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    return write


def _gptq(name, tensor):
    rows, columns = tensor.shape
    return {
        f"{name}.qweight": np.zeros((columns // 8, rows), np.int32),
        f"{name}.qzeros": np.zeros((1, rows // 8), np.int32),
        f"{name}.scales": np.ones((1, rows), np.float16),
        f"{name}.g_idx": np.zeros(columns, np.int32),
    }


def _bitsandbytes(name, tensor):
    return {
        f"{name}.weight": np.zeros((tensor.size // 2, 1), np.uint8),
        f"{name}.weight.absmax": np.zeros(tensor.size // 64, np.float32),
        f"{name}.weight.quant_map": np.zeros(16, np.float32),
        f"{name}.weight.quant_state.bitsandbytes__nf4": np.zeros(80, np.uint8),
    }


def _compressed(name, tensor):
    rows, columns = tensor.shape
    return {
        f"{name}.weight_packed": np.zeros((rows, columns // 8), np.int32),
        f"{name}.weight_scale": np.ones((rows, 1), np.float16),
        f"{name}.weight_shape": np.array(tensor.shape, np.int64),
    }


METHODS = [
    ("gptq", _gptq, {"bits": 4}, "optimum gptqmodel"),
    ("awq", _gptq, {"w_bit": 4}, "gptqmodel"),
    ("bitsandbytes", _bitsandbytes, {"load_in_4bit": True}, "bitsandbytes"),
    (
        "compressed-tensors",
        _compressed,
        {"config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
        "compressed-tensors",
    ),
]


@pytest.mark.skipif(bool(INSTALLED), reason="the back ends are installed here")
@pytest.mark.parametrize(("method", "pack", "settings", "packages"), METHODS)
def test_a_missing_back_end_is_named_before_anything_is_loaded(pretend, method, pack, settings, packages):
    checkpoint = resolve(str(pretend(method, pack, **settings)))
    with pytest.raises(UnavailableError, match=f"`pip install {packages}`") as raised:
        require_backend(checkpoint)
    assert method in str(raised.value)
    with pytest.raises(UnavailableError):
        load_model(checkpoint, dtype="auto", device="cpu")


@pytest.mark.parametrize(("method", "pack", "settings", "packages"), METHODS)
def test_packed_weights_are_counted_one_by_one(pretend, base, method, pack, settings, packages):
    checkpoint, whole = resolve(str(pretend(method, pack, **settings))), resolve(str(base))
    assert checkpoint.parameter_count == whole.parameter_count
    assert checkpoint.bits_per_weight < whole.bits_per_weight


def test_every_method_of_transformers_names_its_back_end_or_needs_none(tmp_path):
    code = "from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING as M; print(*M)"
    known = set(python("-c", code, cwd=tmp_path).stdout.split())
    assert set(BACKENDS) - {"bitsandbytes"} <= known
