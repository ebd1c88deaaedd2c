"""The contract of everything that answers requests, the kinds of it, and what each can be asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from harness.core.requests import (
    Attribute,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
)

__all__ = ["KINDS", "TOLERANCE_NATS", "Batch", "Kind", "Model", "ModelOptions", "respond", "tolerance_nats"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How a checkpoint is opened; every default serves.

    `dtype` and `device` are `auto` or a name of torch's; `batch_tokens` bounds the padded tokens of a forward pass,
    None for the device's default. The `system_prompt` begins every chat that a task doesn't make itself; `chat_date` is
    the day (YYYY-MM-DD) that it takes place on, for templates that ask. A model that is served elsewhere has the first
    three from its server.
    """

    dtype: str = "auto"
    device: str = "auto"
    batch_tokens: int | None = None
    apply_chat_template: bool = False
    system_prompt: str | None = None
    chat_date: str | None = None
    trust_remote_code: bool = False


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

@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of model: its `title` for people, the requests that it `answers`, and whether they may bear noise."""

    name: str
    title: str
    answers: tuple[type[Request], ...]
    takes_noise: bool = False

    def refusal(self, asked: type[Request]) -> str | None:
        """Why a model of this kind can't answer requests of the class `asked`; None where it can."""
        return None if asked in self.answers else f"a {self.title} {_WANTED[asked.kind]}"


_WANTED: Mapping[str, str] = {
    Loglikelihood.kind: "gives no likelihood of one text after another",
    LoglikelihoodRolling.kind: "doesn't predict a text from left to right",
    GenerateUntil.kind: "doesn't write",
    TokenLoglikelihoods.kind: "doesn't give the likelihood of each token of a text",
    PseudoLoglikelihood.kind: "can't fill in a masked token",
    Classify.kind: "has no head that labels texts",
    Tag.kind: "has no head that labels words",
    Embed.kind: "gives no embedding of a text",
    Attribute.kind: "isn't asked for explanations, which take hundreds of questions for each decision",
}
"""What a kind lacks, as the end of a sentence."""

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                name="causal",
                title="causal language model",
                answers=(Loglikelihood, LoglikelihoodRolling, TokenLoglikelihoods, GenerateUntil, Attribute),
                takes_noise=True,
            ),
            Kind(
                name="masked",
                title="masked language model",
                answers=(Loglikelihood, PseudoLoglikelihood, Attribute),
                takes_noise=True,
            ),
            Kind(
                name="seq2seq",
                title="sequence-to-sequence model",
                answers=(Loglikelihood, GenerateUntil, Attribute),
                takes_noise=True,
            ),
            Kind(name="classifier", title="sequence classifier", answers=(Classify, Attribute), takes_noise=True),
            Kind(name="tagger", title="token classifier", answers=(Tag,)),
            Kind(name="encoder", title="sentence encoder", answers=(Embed,)),
            Kind(
                name="completions",
                title="served model with token probabilities",
                answers=(Loglikelihood, LoglikelihoodRolling, GenerateUntil),
            ),
            Kind(name="chat", title="served chat model", answers=(GenerateUntil,)),
        )
    }
)
"""Every kind, by name. A masked model's `Loglikelihood` is the pseudo-log-likelihood of the continuation."""
