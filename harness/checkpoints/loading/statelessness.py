"""Makes models forget what they keep of one text when they read the next."""

from typing import Any

__all__ = ["forget_texts"]


def forget_texts(model: Any) -> None:
    """Make rotary positions that are scaled by a text's length depend on the text at hand alone.

    transformers keeps the scale of the longest text that was read until a short one comes, so what a model gives
    would depend on the order of texts.
    """
    for module in model.modules():
        if "dynamic" in str(getattr(module, "rope_type", "")) and hasattr(module, "original_max_seq_len"):
            module.register_forward_pre_hook(_forget)


def _forget(module: Any, _inputs: Any) -> None:
    kinds = module.rope_type if isinstance(module.rope_type, dict) else {}
    for prefix in [f"{kind}_" for kind in kinds] or [""]:
        original = getattr(module, f"{prefix}original_inv_freq", None)
        if original is not None:
            frequencies = getattr(module, f"{prefix}inv_freq")
            setattr(module, f"{prefix}inv_freq", original.to(frequencies.device))
            setattr(module, f"{prefix}max_seq_len_cached", module.original_max_seq_len)
