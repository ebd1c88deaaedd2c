"""A model that answers from a script: for tests of tasks, suites and plug-ins, without a checkpoint."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from harness.core.models import Batch, Model
from harness.core.requests import Request, Response

__all__ = ["ScriptedModel"]


class ScriptedModel(Model):
    """Answers each request by calling `script`, one request a batch.

    `script` returns a `Response` that bears the id of the request. `asked` keeps what was asked, in order.
    """

    def __init__(self, script: Callable[[Request], Response]) -> None:
        self.script = script
        self.asked: list[Request] = []

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """One request a batch, by id."""
        return [Batch((request,)) for request in sorted(requests, key=lambda request: request.id)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.asked.extend(batch.requests)
        return [self.script(request) for request in batch.requests]
