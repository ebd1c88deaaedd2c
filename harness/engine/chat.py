"""A model whose prompts go through the checkpoint's chat template."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.core.errors import CheckpointError, ModelError
from harness.core.models import Batch, Model
from harness.core.requests import Attribute, EmbeddingNoise, GenerateUntil, Loglikelihood, Request, Response

__all__ = ["ChatModel"]


class ChatModel:
    """Gives each context as the user's turn, and scores or writes the assistant's.

    As in lm-evaluation-harness, exemplars stand in the same turn, and a continuation loses the space that would
    join it to running text. Whole texts (`loglikelihood_rolling`) are no turns and stay as they are.
    """

    def __init__(self, model: Model, tokenizer: Any) -> None:
        if not tokenizer.chat_template:
            raise CheckpointError(
                "the checkpoint has no chat template", place="--apply-chat-template", fix="Leave that option out"
            )
        self.model = model
        self.tokenizer = tokenizer

    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """See `Model.plan`. Requests that the template makes equal are asked once."""
        originals: dict[str, list[Request]] = {}
        distinct: dict[str, Request] = {}
        for request in requests:
            templated = self._templated(request)
            distinct[templated.id] = templated
            originals.setdefault(templated.id, []).append(request)
        return [
            replace(batch, requests=tuple(one for asked in batch.requests for one in originals[asked.id]), work=batch)
            for batch in self.model.plan(list(distinct.values()))
        ]

    def answer(self, batch: Batch) -> list[Response]:
        """See `Model.answer`."""
        answers = {response.request_id: response for response in self.model.answer(batch.work)}
        return [replace(answers[self._templated(request).id], request_id=request.id) for request in batch.requests]

    def _templated(self, request: Request) -> Request:
        if isinstance(request, Loglikelihood):
            turn, continuation = self._turn(request.context), request.continuation.removeprefix(" ")
            return replace(request, context=turn, continuation=continuation, noise=_moved(request, turn))
        if isinstance(request, GenerateUntil):
            turn = self._turn(request.context)
            return replace(request, context=turn, noise=_moved(request, turn))
        if isinstance(request, Attribute):
            return self._explained(request)
        return request

    def _explained(self, request: Attribute) -> Attribute:
        """The text to explain where it stands in the turn; nothing where the template changes it."""
        stop = len(request.context) if request.stop is None else request.stop
        turn = self._turn(request.context)
        start = turn.find(request.context)
        start, stop = (start + request.start, start + stop) if start >= 0 else (0, 0)
        continuations = tuple(one.removeprefix(" ") for one in request.continuations)
        return replace(request, context=turn, continuations=continuations, start=start, stop=stop)

    def _turn(self, context: str) -> str:
        try:
            messages = [{"role": "user", "content": context}]
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # a stranger's template may raise whatever Python can
            raise ModelError(f"the checkpoint's chat template fails ({type(error).__name__}: {error})") from error


def _moved(request: Loglikelihood | GenerateUntil, turn: str) -> EmbeddingNoise | None:
    """The request's noise where its context stands in the turn. Raises `ModelError` where the template changed it."""
    if request.noise is None:
        return None
    bare = request.context.strip()
    if bare not in turn:
        raise ModelError("the chat template changes the text that noise is to be put on")
    by = turn.index(bare) - request.context.index(bare)
    return replace(request.noise, spans=tuple((start + by, end + by) for start, end in request.noise.spans))
