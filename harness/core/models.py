"""The contract of everything that answers requests."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from harness.core.requests import Request, Response

__all__ = ["Model"]


class Model(Protocol):
    """Anything that answers requests. Resuming and chat templates are Models that wrap a Model."""

    def plan(self, requests: Sequence[Request]) -> Sequence[Sequence[Request]]:
        """Cut distinct requests into batches, each computed as a whole.

        A function of the requests and the model's settings alone, never of speed or memory. Planning a batch
        again gives back that one batch, which is what lets an interrupted run repeat it byte for byte.
        """
        ...

    def respond(self, requests: Sequence[Request]) -> Iterator[Response]:
        """Answer each request exactly once, in any order.

        A request whose numbers can't be used gets a response that is `invalid`, with the reason. Raises
        `ModelError` where the model can't answer at all.
        """
        ...
