"""A model in several processes: the leader's, which tells the others what it is asked, and what these make of it."""

import logging
from collections.abc import Callable, Sequence

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.models import Batch, Model, ModelOptions
from harness.core.requests import Request, Response
from harness.engine.parallel.crew import Crew

__all__ = ["LeadingModel", "follow"]

_log = logging.getLogger(__name__)
Opener = Callable[[Checkpoint, ModelOptions], Model]


class LeadingModel(Model):
    """A model of which each process of the crew has a part: all plan the same and compute each batch together."""

    def __init__(self, crew: Crew, checkpoint: Checkpoint, options: ModelOptions, opener: Opener) -> None:
        self._crew = crew
        crew.say("open", checkpoint, options)
        self._model = opener(checkpoint, options)
        self._batches: list[Batch] = []
        self._numbers: dict[int, int] = {}

    @override
    def plan(self, requests: Sequence[Request]) -> Sequence[Batch]:
        self._crew.say("plan", list(requests))
        batches = list(self._model.plan(requests))
        # What was planned stays, so that a batch is known again as the very object that it is.
        self._numbers |= {id(batch): number for number, batch in enumerate(batches, len(self._batches))}
        self._batches += batches
        return batches

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        self._crew.say("answer", self._numbers[id(batch)])
        return self._model.answer(batch)


def follow(crew: Crew, opener: Opener) -> None:
    """Do as the leader says until it says that this is the end."""
    model: Model | None = None
    batches: list[Batch] = []
    while True:
        said = crew.hear()
        if said[0] == "end":
            return
        try:
            if said[0] == "open":
                model, batches = None, []  # before another one comes into memory beside it
                model = opener(said[1], said[2])
            elif model is not None and said[0] == "plan":
                batches += model.plan(said[1])
            elif model is not None:
                model.answer(batches[said[1]])
        except Exception:
            # The leader met with the same, and says so; it may go on with the next batch.
            _log.debug("following %s failed", said[0], exc_info=True)
