"""Translates between lm-eval's instances and our requests and responses."""

from lm_eval.api.instance import Instance

from harness.core.errors import TaskError
from harness.core.requests import Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.lm_eval.chat import conversation_of
from harness.lm_eval.generation import generation_of

__all__ = ["our_request", "result_of"]


def our_request(instance: Instance, *, seed: int = 0, in_chat: bool = False) -> Request:
    """What an instance asks. `seed` counts where tokens are sampled; repeats of an instance need one each.

    `in_chat` says that its prompt was built as a chat by `lm_eval_chat`. Raises `TaskError` for a kind, an input other
    than text, or a generation setting that can't be asked.
    """
    name = instance.task_name
    match instance.request_type, instance.args:
        case "loglikelihood", (str(context), str(continuation)):
            chat, context = conversation_of(context, name) if in_chat else (None, context)
            return Loglikelihood(context=context, continuation=continuation, chat=chat)
        case "loglikelihood_rolling", (str(text),):
            return LoglikelihoodRolling(text=text)
        case "generate_until", (str(context), dict(settings)):
            chat, context = conversation_of(context, name) if in_chat else (None, context)
            return generation_of(context, settings, seed=seed, task=name, chat=chat)
    kinds = ", ".join(type(argument).__name__ for argument in instance.args)
    raise TaskError(
        f"asks for {instance.request_type} of ({kinds}), which no model here answers",
        place=name,
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
