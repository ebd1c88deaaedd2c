"""The contract of everything that answers requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.core.requests import Request, Response

__all__ = ["TOLERANCE_NATS", "Batch", "Model", "respond", "tolerance_nats"]

TOLERANCE_NATS = 5e-4
"""What rounding may change of a log-likelihood in single precision: by batch, order, or another way of computing it."""
_HALF_TOLERANCE_NATS = 0.1
_FULL = ("float32", "float64")


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that a model computes together; `work` is for the model that made the batch alone.

    `asked_token_count` counts the tokens that reading each request by itself would take, `computed_token_count`
    those that are read, tokens to be written apart; both 0 where the model doesn't count.
    """

    requests: tuple[Request, ...]
    work: Any = None
    asked_token_count: int = 0
    computed_token_count: int = 0


class Model(Protocol):
    """Anything that answers requests. Resuming and chat templates are Models that wrap a Model."""

    def plan(self, requests: Sequence[Request]) -> Sequence[Batch]:
        """Distribute distinct requests over batches, each request in exactly one.

        A function of the set of requests and the model's settings alone, never of their order, of speed or of memory:
        an interrupted run plans the same batches again, and computes those that are missing, as wholes, to the same
        bytes.
        """
        ...

    def answer(self, batch: Batch) -> Sequence[Response]:
        """One response to each request of a batch that `plan` made, in any order.

        A request whose numbers can't be used gets a response that is `invalid`, with the reason. Raises
        `ModelError` where the model can't answer at all.
        """
        ...


def respond(model: Model, requests: Sequence[Request]) -> Iterator[Response]:
    """Each request's response, exactly once, in the order of the model's batches."""
    for batch in model.plan(requests):
        yield from model.answer(batch)


def tolerance_nats(dtype: str) -> float:
    """What rounding may change of a log-likelihood, or a logit, that is computed in this type, such as `float32`."""
    return TOLERANCE_NATS if dtype in _FULL else _HALF_TOLERANCE_NATS
