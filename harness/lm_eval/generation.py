"""A task's `generation_kwargs`: which of them the engine follows, which change nothing, and which are refused."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lm_eval.models.utils import normalize_gen_kwargs

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.requests import Conversation, GenerateUntil
from harness.core.text.reasons import Reason

__all__ = ["MAX_GEN_TOKS", "generation_of", "generation_refusal", "with_gen_kwargs"]

MAX_GEN_TOKS = 256
"""Tokens to generate where a task doesn't say, as in lm-eval's `hf` model."""

_FOLLOWED = frozenset({"do_sample", "max_gen_toks", "num_beams", "temperature", "top_k", "top_p", "until"})

_OF_LENGTH = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
"""What the most tokens of a text go by, of which lm-eval takes the first that it finds."""

_OFF: Mapping[str, float] = MappingProxyType(
    {
        "best_of": 1,
        "diversity_penalty": 0,
        "encoder_no_repeat_ngram_size": 0,
        "encoder_repetition_penalty": 1,
        "epsilon_cutoff": 0,
        "eta_cutoff": 0,
        "frequency_penalty": 0,
        "guidance_scale": 1,
        "length_penalty": 1,
        "early_stopping": False,
        "min_length": 0,
        "min_new_tokens": 0,
        "min_p": 0,
        "n": 1,
        "no_repeat_ngram_size": 0,
        "num_beam_groups": 1,
        "num_return_sequences": 1,
        "penalty_alpha": 0,
        "presence_penalty": 0,
        "remove_invalid_values": False,
        "repetition_penalty": 1,
        "token_healing": False,
        "typical_p": 1,
    }
)
"""At these values a setting changes no text."""
_OF_SAMPLING = frozenset({"epsilon_cutoff", "eta_cutoff", "min_p", "top_h", "top_k", "typical_p"})
"""Settings that only a draw depends on."""
_OF_BEAMS = frozenset({"early_stopping", "length_penalty", "low_memory", "renormalize_logits"})
"""Settings that only a search with beams depends on."""
_OF_THE_MACHINE = frozenset(
    {
        "cache_implementation",
        "disable_compile",
        "output_attentions",
        "output_hidden_states",
        "output_logits",
        "output_scores",
        "use_cache",
    }
)
"""Settings of how a text is computed or handed over, not of what it is."""


def generation_of(
    context: str, settings: Mapping[str, Any], *, seed: int, task: str | None, chat: Conversation | None = None
) -> GenerateUntil:
    """What is to be written after a context by a task's settings; `seed` counts where tokens are drawn.

    Raises `TaskError` for a setting that changes what is written in a way that the engine doesn't know.
    """
    known = normalize_gen_kwargs({name: value for name, value in settings.items() if value is not None}, MAX_GEN_TOKS)
    sampled, beams = bool(known["do_sample"]), int(known.get("num_beams", 1))
    unknown = sorted(name for name, value in known.items() if not _is_understood(name, value, sampled, beams))
    if sampled and beams > 1:
        unknown.append("num_beams together with sampling")
    if unknown:
        raise TaskError(
            f"the engine has no generation setting {', '.join(unknown)}",
            place=task or "generation_kwargs",
            fix="Take it out of generation_kwargs",
        )
    return GenerateUntil(
        context=context,
        until=tuple(stop for stop in known["until"] if stop),
        max_tokens=known["max_gen_toks"],
        temperature=float(known.get("temperature", 1.0)) if sampled else 0.0,
        top_p=float(known.get("top_p", 1.0)) if sampled else 1.0,
        top_k=(int(known.get("top_k", 0)) or None) if sampled else None,
        seed=seed if sampled else 0,
        num_beams=beams,
        chat=chat,
    )


def with_gen_kwargs(settings: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A task's settings with the user's in their place, as lm-eval's `--gen_kwargs` has it."""
    other_names = _OF_LENGTH if "max_new_tokens" in said else ()
    return {**{name: value for name, value in settings.items() if name not in other_names}, **said}


def generation_refusal(settings: Mapping[str, Any], kind: str, own: Mapping[str, Any]) -> str | None:
    """Why a model of a kind can't write by a task's settings; None where it can.

    `own` are the settings of the checkpoint that the engine follows: a task that sets one of them to what changes
    nothing would switch it off, which can't be done here.
    """
    beams = int(settings.get("num_beams") or 1)
    if beams > 1 and registry.kind(kind).transformer != "encoder-decoder":
        return Reason(
            "it is written with num_beams: {beams}, which is supported for sequence-to-sequence models only",
            beams=beams,
        )
    for name in sorted(own):
        if settings.get(name) is not None and not (name in _OF_BEAMS and beams == 1):
            return Reason(
                "it sets {name} to {asked}, and the checkpoint's own {name}, {own}, is followed here",
                name=name,
                asked=str(settings[name]),
                own=str(own[name]),
            )
    return None


def _is_understood(name: str, value: Any, sampled: bool, beams: int) -> bool:
    """Whether a setting is followed, or changes nothing beside the others."""
    if name in _FOLLOWED or name in _OF_THE_MACHINE:
        return True
    if (name in _OF_SAMPLING and not sampled) or (name in _OF_BEAMS and beams == 1):
        return True
    return name in _OFF and isinstance(value, int | float) and value == _OFF[name]
