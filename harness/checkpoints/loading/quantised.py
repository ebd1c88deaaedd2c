"""Quantised checkpoints: how many weights they stand for, and which package computes with them."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from harness.checkpoints.geometry import parameter_count
from harness.checkpoints.headers import StoredTensor
from harness.core.checkpoints import Checkpoint
from harness.core.errors import UnavailableError

__all__ = ["quantisation", "require_backend", "weight_count"]

BACKENDS = {
    "aqlm": ("aqlm",),
    "auto-round": ("auto_round",),
    "awq": ("gptqmodel",),
    "bitsandbytes": ("bitsandbytes",),
    "bitsandbytes_4bit": ("bitsandbytes",),
    "bitsandbytes_8bit": ("bitsandbytes",),
    "compressed-tensors": ("compressed_tensors",),
    "eetq": ("eetq",),
    "fbgemm_fp8": ("fbgemm_gpu",),
    "gptq": ("optimum", "gptqmodel"),
    "hqq": ("hqq",),
    "quanto": ("optimum.quanto",),
    "quark": ("quark",),
    "spqr": ("spqr_quant",),
    "torchao": ("torchao",),
    "vptq": ("vptq",),
}
"""The modules that transformers needs for a method, by the method's name in its configs."""
PACKAGES = {"optimum.quanto": "optimum-quanto", "quark": "amd-quark", "fbgemm_gpu": "fbgemm-gpu"}
"""What pip calls a module's package, where that isn't the module's name with hyphens."""

AIDS = re.compile(
    r"(^|[._])(g_idx|qzeros|zeros|scales?|scale_inv|zero_point|input_scale|output_scale|SCB|absmax|quant_map"
    r"|weight_format|weight_shape|codebooks?)$|\.quant_state\.|_scales$"
)
"""Tensors that hold no weights, but what is needed to read them."""
PACKED = re.compile(r"(^|\.)(qweight|weight_packed|_weight_packed)$")
BITS = {"I32": 32, "U32": 32, "U8": 8, "I8": 8}


def quantisation(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a config says of its quantisation; empty where it says nothing."""
    found = config.get("quantization_config")
    return found if isinstance(found, dict) else {}


def weight_count(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> int:
    """How many weights the stored numbers stand for: several in one where they are packed, none in a scale.

    Where nothing is quantised, `parameter_count`.
    """
    told = quantisation(config)
    if not told:
        return parameter_count(config, tensors)
    bits = _bits(told)
    return sum(_stands_for(name, tensor, bits) for name, tensor in tensors.items() if not AIDS.search(name))


def _stands_for(name: str, tensor: StoredTensor, bits: int | None) -> int:
    stored = BITS.get(tensor.dtype)
    # bitsandbytes packs two weights of 4 bits into each byte of a tensor that is called weight as ever.
    packed = PACKED.search(name) or tensor.dtype == "U8"
    return tensor.count * stored // bits if bits and stored and packed else tensor.count


def _bits(told: Mapping[str, Any]) -> int | None:
    """Bits of a packed weight, by the config's fields of GPTQ, AWQ, bitsandbytes and compressed-tensors."""
    groups = told.get("config_groups")
    nested = [group.get("weights") for group in groups.values()] if isinstance(groups, dict) else []
    for source in (told, *(one for one in nested if isinstance(one, dict))):
        for field in ("bits", "w_bit", "num_bits"):
            if type(source.get(field)) is int and 1 <= source[field] <= 16:
                return int(source[field])
    if told.get("load_in_4bit"):
        return 4
    return None


def require_backend(checkpoint: Checkpoint) -> None:
    """Refuse a quantised checkpoint whose back end isn't installed. Raises `UnavailableError` naming the package."""
    method = quantisation(checkpoint.config).get("quant_method")
    missing = [module for module in BACKENDS.get(str(method), ()) if not _is_installed(module)]
    if missing:
        names = " ".join(PACKAGES.get(module, module.replace("_", "-")) for module in missing)
        raise UnavailableError(
            f"its weights are quantised with {method}, and {names} is not installed",
            place=checkpoint.path / "config.json",
            fix=f"Run `pip install {names}`, or give an unquantised version of the checkpoint",
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that the module would be in
        return False
