"""Which processor a run uses, and how much it takes at once."""

from typing import Any

import torch

from harness.core.errors import InputError

__all__ = ["default_batch_tokens", "describe_device", "resolve_device", "settle_kernels", "writing_bytes"]

_BATCH_TOKENS = {"cpu": 1024, "cuda": 65536}
_OTHER_BATCH_TOKENS = 16384
"""Of 4,096, 16,384 and 65,536 the last was the fastest on an H200; nobody tried other accelerators."""
_WRITING_BYTES = 512 * 2**20
_CUDA_WRITING_BYTES = 8 * 2**30
_CUDA_WRITING_SHARE = 1 / 8


def resolve_device(requested: str) -> str:
    """The device to use: `auto` takes an accelerator if there is one. Raises `InputError` for one that there isn't."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if requested == "auto":
        return accelerator.type if accelerator else "cpu"
    try:
        kind = torch.device(requested).type
    except RuntimeError as error:
        raise InputError("no such device", place=f"--device {requested}", fix="Use auto, cpu or cuda") from error
    if kind not in {"cpu", accelerator.type if accelerator else "cpu"}:
        raise InputError(
            "this machine, or this build of torch, has none",
            place=f"--device {requested}",
            fix="`harness doctor` lists the devices",
        )
    return requested


def default_batch_tokens(device: str) -> int:
    """Padded tokens in one forward pass where the user doesn't say; a function of the kind of device alone."""
    # Not by torch: the device of a served model is none of its.
    return _BATCH_TOKENS.get(device.partition(":")[0], _OTHER_BATCH_TOKENS)


def writing_bytes(device: Any) -> int:
    """Bytes for the keys and values of a batch that writes: small beside a model's, or a share of the whole card's."""
    if torch.device(device).type != "cuda":
        return _WRITING_BYTES
    whole = torch.cuda.get_device_properties(device).total_memory
    return max(_WRITING_BYTES, min(_CUDA_WRITING_BYTES, int(whole * _CUDA_WRITING_SHARE)))


def settle_kernels(device: str) -> None:
    """Choose what torch computes with on a device, for this process, before a model is used there.

    cuDNN's attention makes a plan for each new length of text: 50 ms, for each token that is written. Without it a
    Llama of a billion parameters wrote several times faster on an H200. And its convolutions round float32 to ten bits
    unless they are told not to: a Whisper's log-likelihoods moved by 1e-3 nats there.
    """
    if torch.device(device).type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)
        torch.backends.cudnn.allow_tf32 = False


def describe_device(device: str) -> dict[str, object]:
    """What a run's environment records of the processor."""
    return {
        "device": device,
        "device_name": torch.cuda.get_device_name(device) if device.startswith("cuda") else None,
        "torch_threads": torch.get_num_threads(),
    }
