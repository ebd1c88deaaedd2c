"""The contract of everything that answers requests, the kinds of it, and what each can be asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.errors import ModelError
from harness.core.requests import Classify, Request, Response, Tag
from harness.core.text.reasons import Reason

__all__ = [
    "TOLERANCE_NATS",
    "Batch",
    "Kind",
    "Loading",
    "Model",
    "ModelOptions",
    "ParallelModel",
    "answered",
    "refuse_others",
    "respond",
    "tolerance_nats",
]

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
    None for the device's default. The `system_prompt` begins every chat that a task doesn't make itself, and its
    template's switch is set as `thinking` says, or left alone; `chat_date` is the day (YYYY-MM-DD) that it takes place
    on, for templates that ask. A model that is served elsewhere has the first three from its server. `reference` is the
    checkpoint that it is held against, opened likewise but for its `reference_dtype`. `device_map` says which devices
    the weights are spread over, `tensor_parallel` how many processes have a part of every layer.
    """

    dtype: str = "auto"
    device: str = "auto"
    device_map: str | None = None
    tensor_parallel: int = 1
    batch_tokens: int | None = None
    apply_chat_template: bool = False
    system_prompt: str | None = None
    thinking: Literal["on", "off"] | None = None
    chat_date: str | None = None
    trust_remote_code: bool = False
    reference: Checkpoint | None = None
    reference_dtype: str = "auto"


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


@runtime_checkable
class ParallelModel(Model, Protocol):
    """A model that answers several batches at once."""

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        """As `answer_each`, of one batch."""
        ((_, answers),) = self.answer_each([batch])
        return answers

    def answer_each(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """Each of the batches with what `answer` gives of it, in the order in which they are done."""
        ...


def answered(model: Model, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
    """Each of the batches with its responses, as they come."""
    if isinstance(model, ParallelModel):
        yield from model.answer_each(batches)
    else:
        for batch in batches:
            yield batch, model.answer(batch)


def respond(model: Model, requests: Sequence[Request]) -> Iterator[Response]:
    """Each request's response, exactly once, batch by batch as they are answered."""
    for _, responses in answered(model, model.plan(requests)):
        yield from responses


def refuse_others(requests: Sequence[Request], answered: tuple[type[Request], ...], model: str) -> None:
    """Raise `ModelError` for requests that are none of those `answered` by a `model`, such as "a tagger"."""
    others = sorted({request.kind for request in requests if type(request) not in answered})
    if others:
        raise ModelError(f"{model} can't answer requests of the kinds {', '.join(others)}")


def tolerance_nats(dtype: str) -> float:
    """What rounding may change of a log-likelihood, or a logit, that is computed in this type, such as `float32`."""
    return TOLERANCE_NATS if dtype in _FULL else _HALF_TOLERANCE_NATS


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How transformers loads the checkpoints of a kind.

    `table` is the name of its table from model types to architectures, `auto_class` that of its class for them.
    `adapter_task` is the `task_type` of peft's adapters of the kind. `unused` is a pattern of the names of tensors that
    a checkpoint may have left from its training, and that no answer of the kind depends on. `has_processor` says
    whether pictures are prepared for its models by a processor that comes with the checkpoint.
    """

    table: str
    auto_class: str
    adapter_task: str | None = None
    unused: str | None = None
    has_processor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of model. Registered in the entry-point group `harness.engines`, in a module that imports nothing heavy.

    `title` is for people, `answers` are the requests that it can be asked, and `trial` is a small one of them. `opener`
    names, as `module:function`, what is called with `(checkpoint, options, meter, loader)` and gives the `Model`; the
    default loads with transformers, as `loading` says, what `model`, as `module:class`, then answers for. `transformer`
    says which of a transformer's two stacks it has. `white_box` names what gives the gradients of its decisions, if it
    makes any, and `comparer`, as `module:class`, the model that holds two loaded checkpoints of the kind against each
    other, if they can be. `trainer`, as `module:class`, is what answers for a loaded checkpoint of the kind that is
    trained on rows first, if it can be. `task_type` is its tag on a model hub.

    A checkpoint of a kind of one's own is a folder with the file `marker` and without a config.json: it is recognised
    by that name alone, and nothing in it is run. `takes_noise` says whether requests may bear noise on embeddings,
    `is_chat` whether every prompt is a turn of a chat.
    """

    name: str
    title: str
    answers: tuple[type[Request], ...]
    trial: Request
    opener: str = "harness.engine.opening:open_loaded"
    model: str | None = None
    loading: Loading | None = None
    transformer: Literal["decoder", "encoder", "encoder-decoder"] | None = None
    white_box: str | None = None
    comparer: str | None = None
    trainer: str | None = None
    marker: str | None = None
    task_type: str = "text-generation"
    takes_noise: bool = False
    is_chat: bool = False

    @property
    def gives_labels(self) -> bool:
        """Whether its answers are labels, which a user may name."""
        return Classify in self.answers or Tag in self.answers

    def refusal(self, asked: type[Request]) -> str | None:
        """Why a model of this kind can't answer requests of the class `asked`; None where it can."""
        if (
            asked in self.answers
            or (asked.needs_reference and self.comparer)
            or (asked.needs_training and self.trainer)
        ):
            return None
        lack = asked.lack or Reason("answers no requests of the kind {name}", name=asked.kind)
        return Reason("a {kind} {lack}", kind=self.title, lack=lack)
