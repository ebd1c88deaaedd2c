"""What models take as masks: one for all layers, or one for each kind of layer."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

__all__ = ["attention_windows", "given_masks", "masks"]


def attention_windows(model: Any) -> dict[str, int | None]:
    """The kinds of the model's attention layers, each with the tokens it sees, itself included; None for all."""
    config = model.config.get_text_config(decoder=True)
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or ["full_attention" if window is None else "sliding_attention"]
    return {kind: window if kind == "sliding_attention" else None for kind in dict.fromkeys(kinds)}


def masks(model: Any, mask: Callable[[int | None], Tensor]) -> Any:
    """What the model takes as its mask, from what makes one for layers that see so many tokens; None for all."""
    found = {kind: mask(window) for kind, window in attention_windows(model).items()}
    # transformers takes one mask for all layers, or, where layers differ, one for each kind.
    return found if len(found) > 1 else next(iter(found.values()))


def given_masks(arguments: Mapping[str, Any]) -> list[Tensor]:
    """The masks among the arguments of a forward pass: none, one for all layers, or one for each kind of layer."""
    given = arguments.get("attention_mask")
    return list(given.values()) if isinstance(given, Mapping) else [] if given is None else [given]
