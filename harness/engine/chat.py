"""A model whose prompts go through the checkpoint's chat template."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import TemplateError

from harness.core.errors import CheckpointError, ModelError
from harness.core.models import Model
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response

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

    def plan(self, requests: Sequence[Request]) -> list[list[Request]]:
        """See `Model.plan`."""
        originals = self._by_asked_id(requests)
        batches = self.model.plan(self._asked(requests))
        return [[one for asked in batch for one in originals[asked.id]] for batch in batches]

    def respond(self, requests: Sequence[Request]) -> Iterator[Response]:
        """See `Model.respond`."""
        originals = self._by_asked_id(requests)
        for response in self.model.respond(self._asked(requests)):
            for original in originals[response.request_id]:
                yield replace(response, request_id=original.id)

    def _asked(self, requests: Sequence[Request]) -> list[Request]:
        """What the model is asked, each question once."""
        return list({asked.id: asked for asked in map(self._templated, requests)}.values())

    def _by_asked_id(self, requests: Sequence[Request]) -> dict[str, list[Request]]:
        originals: dict[str, list[Request]] = {}
        for request in requests:
            originals.setdefault(self._templated(request).id, []).append(request)
        return originals

    def _templated(self, request: Request) -> Request:
        if isinstance(request, Loglikelihood):
            turn = self._turn(request.context)
            return replace(request, context=turn, continuation=request.continuation.removeprefix(" "))
        if isinstance(request, GenerateUntil):
            return replace(request, context=self._turn(request.context))
        return request

    def _turn(self, context: str) -> str:
        try:
            messages = [{"role": "user", "content": context}]
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except TemplateError as error:
            raise ModelError(f"the checkpoint's chat template fails: {error}") from error
