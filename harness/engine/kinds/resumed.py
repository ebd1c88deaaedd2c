"""A model that remembers: what a record already holds is not asked again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from typing_extensions import override

from harness.core.models import Batch, Model, ParallelModel, answered
from harness.core.requests import Request, Response

__all__ = ["ResponseJournal", "ResumedModel"]


class ResponseJournal(Protocol):
    """Where responses are kept: `harness.record.RunRecord` is one."""

    @property
    def responses(self) -> Mapping[str, Response]:
        """Every response kept so far, by request id."""
        ...

    def append(self, responses: Sequence[Response]) -> None:
        """Keep responses; when this returns they survive a crash."""
        ...


class ResumedModel(ParallelModel):
    """Answers from the journal where it can, and puts every new answer into it.

    A batch of which any answer is missing is computed again as a whole: the arithmetic of a batched forward pass
    depends, in its last bits, on what else is in the batch, so this is what makes the scores of an interrupted run
    equal to those of an undisturbed one, byte for byte.
    """

    def __init__(self, model: Model, journal: ResponseJournal) -> None:
        self.model = model
        self.journal = journal

    @override
    def plan(self, requests: Sequence[Request]) -> Sequence[Batch]:
        """The wrapped model's."""
        return self.model.plan(requests)

    @override
    def answer_each(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """What is known first; new responses are in the journal before they are given."""
        left = []
        for batch in batches:
            known = [self.journal.responses.get(request.id) for request in batch.requests]
            kept = [response for response in known if response is not None]
            if len(kept) == len(batch.requests):
                yield batch, kept
            else:
                left.append(batch)
        for batch, new in answered(self.model, left):
            self.journal.append(new)
            yield batch, new
