"""A model that is trained on rows before it is asked about others."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from harness.core.meters import Meter
from harness.core.models import Batch, Model, respond
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.text.hashing import digest
from harness.core.text.reasons import Reason
from harness.core.text.values import field_values
from harness.core.training.lessons import Lessons
from harness.core.training.requests import TunedLoglikelihood
from harness.engine.encoding import Encoder, Reading

__all__ = ["TunedModel"]

_log = logging.getLogger(__name__)


class TunedModel(Model):
    """Answers `TunedLoglikelihood` with an adapter that is fitted for it; all else is `model`'s, which it leaves as is.

    All requests with the same lessons are one batch, for which the adapter is fitted, and dropped behind it: what was
    interrupted is fitted again. `opened` opens the model anew while the adapter is in its place, so that nothing which
    was kept of texts is taken for what the adapted model makes of them. `asked` gives a request as the model reads it,
    in a chat or not.
    """

    def __init__(
        self,
        model: Model,
        loaded: Any,
        *,
        opened: Callable[[], Model],
        asked: Callable[[Loglikelihood], Loglikelihood],
        missing: dict[int, str],
        meter: Meter,
    ) -> None:
        self.model, self._loaded, self._opened, self._asked = model, loaded, opened, asked
        self._missing, self._meter = missing, meter
        self._encoder = Encoder(loaded.tokenizer, loaded.max_length, loaded.model)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """The model's own batches, then one for each of the lessons, the fewest rows first."""
        own = [one for one in requests if not isinstance(one, TunedLoglikelihood)]
        tuned = sorted((one for one in requests if isinstance(one, TunedLoglikelihood)), key=lambda one: one.id)
        groups: dict[Lessons, list[TunedLoglikelihood]] = {}
        for one in tuned:
            groups.setdefault(one.lessons, []).append(one)
        ordered = sorted(groups, key=lambda one: (one.task, len(one.rows), digest(field_values(one))))
        return [*self.model.plan(own), *(Batch(tuple(groups[lessons]), lessons) for lessons in ordered)]

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        if not isinstance(batch.work, Lessons):
            return self.model.answer(batch)
        # Imported late: peft takes a second, which a run without training need not pay.
        from harness.engine.training.adapters import UntaughtError, taught

        plain = {_plain(one).id: one for one in batch.requests if isinstance(one, TunedLoglikelihood)}
        try:
            readings = self._readings(batch.work)
            rows = len(batch.work.rows)
            _log.info("%s: %d steps of training on %d rows", batch.work.task, batch.work.recipe.step_count(rows), rows)
            with taught(self._loaded.model, batch.work, readings, self._meter):
                answers = list(respond(self._opened(), [_plain(one) for one in plain.values()]))
        except UntaughtError as error:
            return [Response(request_id=one.id, invalid=error.reason) for one in batch.requests]
        return [_renamed(one, plain[one.request_id]) for one in answers]

    def _readings(self, lessons: Lessons) -> list[Reading]:
        """Raises `UntaughtError` where the model can't read a row."""
        from harness.engine.training.adapters import UntaughtError

        asked = [Loglikelihood(context=prompt, continuation=answer) for prompt, answer in lessons.rows]
        readings = self._encoder.loglikelihoods([self._asked(one) for one in asked])
        for reading in readings:
            for token in (*reading.inputs, *reading.targets):
                if token in self._missing:
                    raise UntaughtError(
                        Reason(
                            "the text contains the token {token}, for which the model has no embedding",
                            token=self._missing[token],
                        )
                    )
        return readings


def _plain(request: TunedLoglikelihood) -> Loglikelihood:
    """What the adapted model is asked, which knows nothing of having been adapted."""
    return Loglikelihood(
        context=request.context, continuation=request.continuation, noise=request.noise, chat=request.chat
    )


def _renamed(answer: Response, request: TunedLoglikelihood) -> Response:
    return replace(answer, request_id=request.id)
