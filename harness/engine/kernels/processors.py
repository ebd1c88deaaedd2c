"""What a processor computes faster than the calls that models make, with the same numbers but for rounding.

Attention goes in blocks. In a packed row, as in any text, no token sees one that comes later. A kernel that is given a
mask nevertheless computes the whole square, and its own causal mode leaves out little of texts of some hundred tokens.
Block by block, half of the square is never touched.

Matrix products go to oneDNN, which torch takes for half precision alone, and MKL for single precision: on the
processors tried with AVX-512 (AMD) oneDNN was 1.07 to 1.38 times faster with one thread and with two. On one with AVX2
alone it was 1.02 to 1.16 times slower, but for products with as many outputs as a vocabulary has. What the processor
can do decides, not a clock, so that a machine gives the same bytes each time.

A product of two to six rows, as in writing a few texts, takes MKL up to twice as long as one of a single row or of
eight. With the factors turned round it takes as long as that of a single row: a step of a Llama of 135 M parameters
56 ms instead of 103 for two texts, 58 instead of 125 for three, 64 instead of 88 for four, 71 instead of 79 for six.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import linear, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from harness.engine.kernels.masks import given_masks

__all__ = ["BLOCK", "FEW", "ROWS", "FasterKernels"]

BLOCK = 64
"""Queries of one block: of 32, 64, 128, 192 and 256 the fastest, or close to it, for rows of 150 to 2,000 tokens."""


ROWS = 32
"""Rows of a matrix product from which oneDNN was faster; it puts the weights in its own order each time."""
FEW = 6
"""Rows of a matrix product, more than one, up to which it is faster the other way round, the weights first."""
_OUTPUTS = 8192
"""Outputs of one product: of a large vocabulary only so many weights are there twice at a time."""
_FEWEST_OUTPUTS = 1 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else _OUTPUTS
_one_dnn: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None


class FasterKernels(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, a model on a processor uses these kernels, whichever of its modules asks. For inference.

    `arguments` are those of the forward pass, with masks under which no token sees a later one (`packed_arguments`).
    Attention under any other mask, and all attention on accelerators, whose kernels have blocks of their own, is left
    as it is.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self._masks = {mask.data_ptr() for mask in given_masks(arguments)}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run `func`, or what is faster."""
        if func is linear and not kwargs and _suits_one_dnn(*args[:2]):
            return _product(*args)
        if func is linear and not kwargs and _are_few(*args[:2]):
            return _turned(*args)
        options = dict(kwargs or {})
        if func is scaled_dot_product_attention and len(args) == 3 and self._can_cut(*args[:2], options):
            return _in_blocks(*args, options)
        return func(*args, **options)

    def _can_cut(self, queries: Tensor, keys: Tensor, options: Mapping[str, Any]) -> bool:
        if queries.device.type != "cpu" or queries.dim() != 4 or queries.shape[2] <= BLOCK:
            return False
        mask = options.get("attn_mask")
        if mask is None:
            return bool(options.get("is_causal")) and keys.shape[2] == queries.shape[2]
        return mask.data_ptr() in self._masks and mask.shape[-2:] == (queries.shape[2], keys.shape[2])


def _suits_one_dnn(states: Tensor, weight: Tensor) -> bool:
    return (
        _one_dnn is not None
        and states.dtype == weight.dtype == torch.float32
        and states.device.type == weight.device.type == "cpu"
        and states.dim() > 1
        and states.numel() >= ROWS * weight.shape[1]
        and len(weight) >= _FEWEST_OUTPUTS
        and type(weight) in {Tensor, Parameter}
    )


def _product(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    pieces = weight.split(_OUTPUTS)
    biases = [None] * len(pieces) if bias is None else bias.split(_OUTPUTS)
    found = [_one_dnn(states, *piece, "none", [], "") for piece in zip(pieces, biases, strict=True)]
    return found[0] if len(found) == 1 else torch.cat(found, dim=-1)


def _are_few(states: Tensor, weight: Tensor) -> bool:
    return (
        states.dtype == weight.dtype == torch.float32
        and states.device.type == weight.device.type == "cpu"
        and states.dim() > 1
        and weight.shape[1] < states.numel() <= FEW * weight.shape[1]
        and type(weight) in {Tensor, Parameter}
    )


def _turned(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    found = (weight @ states.reshape(-1, weight.shape[1]).t()).t()
    return (found if bias is None else found + bias).reshape(*states.shape[:-1], len(weight))


def _in_blocks(queries: Tensor, keys: Tensor, values: Tensor, options: dict[str, Any]) -> Tensor:
    width = queries.shape[2]
    before = keys.shape[2] - width
    mask = options.pop("attn_mask", None)
    options["is_causal"] = False
    later = _later(queries) if mask is None else None
    blocks = []
    for start in range(0, width, BLOCK):
        stop = min(start + BLOCK, width)
        end = before + stop
        seen = mask[..., start:stop, :end] if later is None else later[: stop - start, width - start :][:, :stop]
        blocks.append(
            scaled_dot_product_attention(
                queries[:, :, start:stop], keys[:, :, :end], values[:, :, :end], attn_mask=seen, **options
            )
        )
    return torch.cat(blocks, dim=2)


def _later(queries: Tensor) -> Tensor:
    """A mask whose columns from `width - start` on are those of the block that begins at `start`."""
    width = queries.shape[2]
    mask = queries.new_zeros((BLOCK, width + BLOCK))
    mask[:, width:].masked_fill_(torch.ones((BLOCK, BLOCK), dtype=torch.bool).triu(1), float("-inf"))
    return mask
