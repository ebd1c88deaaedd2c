"""The two sides of the comparison, asked for the same things in the same words."""

from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any, Protocol

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from benchmarks.case import Answers
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.models import Batch, respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.engine.devices import default_batch_tokens
from harness.engine.kinds.causal import CausalModel

__all__ = ["LmEval", "Ours", "Side", "lm_eval_answers"]


class Side(Protocol):
    """Something that answers a case's requests from the beginning, nothing remembered from an earlier call."""

    def answer(self, requests: Sequence[Request]) -> Answers:
        """One response to each request."""
        ...


class Ours:
    """This package's engine over a loaded checkpoint."""

    def __init__(self, loaded: LoadedCheckpoint, device: str = "cpu") -> None:
        self.model = CausalModel(loaded, batch_tokens=default_batch_tokens(device))

    def answer(self, requests: Sequence[Request]) -> Answers:
        """See `Side.answer`."""
        return {response.request_id: response for response in respond(self.model, requests)}

    def plan(self, requests: Sequence[Request]) -> Sequence[Batch]:
        """The batches, for their token counts."""
        return self.model.plan(requests)


class LmEval:
    """lm-evaluation-harness's `hf` over the same torch model."""

    def __init__(self, loaded: LoadedCheckpoint, *, batch_size: int) -> None:
        self.model = HFLM(
            pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=batch_size, max_length=loaded.max_length
        )

    def answer(self, requests: Sequence[Request]) -> Answers:
        """See `Side.answer`."""
        return lm_eval_answers(self.model, requests)


def lm_eval_answers(model: HFLM, requests: Sequence[Request]) -> Answers:
    """What lm-eval's model says of requests of one kind."""
    (kind,) = {request.kind for request in requests}
    instances = [
        Instance(request_type=kind, doc={}, arguments=_arguments(request), idx=index)
        for index, request in enumerate(requests)
    ]
    with redirect_stderr(StringIO()):  # its progress bars can't all be turned off
        results = getattr(model, kind)(instances)
    return {request.id: _response(request, result) for request, result in zip(requests, results, strict=True)}


def _arguments(request: Request) -> tuple[Any, ...]:
    match request:
        case Loglikelihood(context=context, continuation=continuation):
            return context, continuation
        case LoglikelihoodRolling(text=text, max_length=None, stride=None):
            return (text,)
        case GenerateUntil(context=context, max_tokens=max_tokens, until=until, temperature=0.0):
            return context, {"until": list(until), "max_gen_toks": max_tokens, "do_sample": False}
        case GenerateUntil(
            context=context, max_tokens=max_tokens, until=until, temperature=heat, top_p=1.0, top_k=None
        ):
            # transformers draws from the 50 likeliest where it isn't told otherwise.
            drawn = {"do_sample": True, "temperature": heat, "top_k": 0}
            return context, {"until": list(until), "max_gen_toks": max_tokens, **drawn}
    raise TypeError(f"lm-eval can't be asked for {request}")


def _response(request: Request, result: Any) -> Response:
    if isinstance(request, Loglikelihood):
        return Response(request_id=request.id, loglikelihood=result[0], is_greedy=result[1])
    if isinstance(request, LoglikelihoodRolling):
        return Response(request_id=request.id, loglikelihood=result)
    return Response(request_id=request.id, text=result)
