"""Exemplars before a question: in front of it in its prompt, or as turns of a chat."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.core.requests import Attribute, Conversation, GenerateUntil, Loglikelihood, Request
from harness.core.tasks import Sample, TaskSettings

__all__ = ["after_exemplars", "in_turns", "running_text"]

Exemplars = Sequence[tuple[str, str]]
"""Pairs of question and answer."""


def running_text(exemplars: Exemplars) -> str:
    """What stands before a question: each exemplar answered after one space and followed by a blank line."""
    return "".join(f"{question} {answer}\n\n" for question, answer in exemplars)


def after_exemplars(exemplars: Exemplars, samples: Iterable[Sample], settings: TaskSettings) -> list[Sample]:
    """The samples with these exemplars: as turns before all that is asked, or at the beginning of its prompt."""
    if settings.multiturn:
        return [replace(sample, exemplars=tuple(exemplars)) for sample in samples]
    shared = running_text(exemplars)
    return [replace(sample, prompt=shared + sample.prompt, question_start=len(shared)) for sample in samples]


def in_turns(sample: Sample, requests: Iterable[Request]) -> tuple[Request, ...]:
    """The requests about a sample behind those exemplars that are turns: one of the user, one of the assistant each.

    Where the sample has none they stay as they are, and so does a request whose task made its chat itself. An answer
    begins its turn, so it loses the space that would join it to running text.
    """
    if not sample.exemplars:
        return tuple(requests)
    turns = [turn for question, answer in sample.exemplars for turn in (("user", question), ("assistant", answer))]
    chat = Conversation(before=tuple(turns))
    return tuple(_behind(chat, request) for request in requests)


def _behind(chat: Conversation, request: Request) -> Request:
    match request:
        case Loglikelihood(chat=None):
            return replace(request, chat=chat, continuation=request.continuation.removeprefix(" "))
        case GenerateUntil(chat=None):
            return replace(request, chat=chat)
        case Attribute(chat=None):
            continuations = tuple(one.removeprefix(" ") for one in request.continuations)
            return replace(request, chat=chat, continuations=continuations)
    return request
