"""Translates between lm-eval's instances and our requests and responses."""

from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.utils import normalize_gen_kwargs

from harness.core.errors import TaskError
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response

__all__ = ["MAX_GEN_TOKS", "request_of", "result_of"]

MAX_GEN_TOKS = 256
"""Tokens to generate where a task doesn't say, as in lm-eval's `hf` model."""

_UNDERSTOOD = frozenset({"do_sample", "max_gen_toks", "temperature", "top_p", "until"})


def request_of(instance: Instance, *, seed: int = 0) -> Request:
    """What an instance asks. `seed` counts where tokens are sampled; repeats of an instance need one each.

    Raises `TaskError` for a kind, an input other than text, or a generation setting that can't be asked.
    """
    match instance.request_type, instance.args:
        case "loglikelihood", (str(context), str(continuation)):
            return Loglikelihood(context=context, continuation=continuation)
        case "loglikelihood_rolling", (str(text),):
            return LoglikelihoodRolling(text=text)
        case "generate_until", (str(context), dict(settings)):
            return _generation(context, settings, seed, instance.task_name)
    kinds = ", ".join(type(argument).__name__ for argument in instance.args)
    raise TaskError(
        f"asks for {instance.request_type} of ({kinds}), which no model here answers",
        place=instance.task_name,
        fix="Choose a task over text alone",
    )


def result_of(response: Response) -> tuple[float, bool] | float | str | None:
    """The answer in lm-eval's terms; None where the response doesn't hold one."""
    if response.invalid is not None:
        return None
    if response.loglikelihood is None:
        return response.text
    if response.is_greedy is None:
        return response.loglikelihood
    return response.loglikelihood, response.is_greedy


def _generation(context: str, settings: dict[str, Any], seed: int, task: str | None) -> GenerateUntil:
    known = normalize_gen_kwargs(settings, MAX_GEN_TOKS)
    unknown = sorted(set(known) - _UNDERSTOOD)
    if unknown:
        raise TaskError(
            f"the engine knows no generation setting {', '.join(unknown)}",
            place=task or "generation_kwargs",
            fix="Take it out of generation_kwargs",
        )
    sampled = bool(known["do_sample"])
    return GenerateUntil(
        context=context,
        until=tuple(stop for stop in known["until"] if stop),
        max_tokens=known["max_gen_toks"],
        temperature=float(known.get("temperature", 1.0)) if sampled else 0.0,
        top_p=float(known.get("top_p", 1.0)) if sampled else 1.0,
        seed=seed if sampled else 0,
    )
