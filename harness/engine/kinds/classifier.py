"""The model of sequence classifiers: each text, or pair of texts, becomes one score a label."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.labels import names_of
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Classify, Request, Response
from harness.engine.batching import InputRow, RowReader
from harness.engine.halving import NO_MEMORY
from harness.engine.rounding import NOT_FINITE

__all__ = ["ClassifierModel"]


class ClassifierModel(Model):
    """Answers `Classify` requests with a loaded sequence classifier (`Model` in core).

    Scores are the softmax of the logits; the sigmoid of each where the config's `problem_type` is
    `multi_label_classification`; the logits themselves where it is `regression`, or there is a single one. A text that
    is too long loses its end, of a pair the longer text does. Texts that are cut into the same tokens are read once.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model, self.tokenizer, self.batch_tokens = loaded.model, loaded.tokenizer, batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.labels = names_of(loaded.checkpoint, loaded.model.config)
        self._problem = _problem(loaded.model.config)
        self._reader = RowReader(
            loaded.model,
            loaded.tokenizer,
            batch_tokens=batch_tokens,
            max_length=loaded.max_length,
            meter=self.meter,
        )
        self._rows: dict[str, InputRow] = {}

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Texts of like length together, equal ones in the same batch."""
        self._encode(requests)
        askers: dict[InputRow, list[Request]] = {}
        for request in sorted(requests, key=lambda request: request.id):
            askers.setdefault(self._rows[request.id], []).append(request)
        batches = []
        for rows in self._reader.batches([(len(row.tokens), row, row) for row in askers]):
            asked = sum(len(row.tokens) * len(askers[row]) for row in rows)
            found = tuple(request for row in rows for request in askers[row])
            batches.append(Batch(found, None, asked, sum(len(row.tokens) for row in rows)))
        return batches

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        logits = self._reader.logits([self._rows[request.id] for request in batch.requests])
        self.meter.count(tokens=0, requests=len(batch.requests))
        return list(self._answers(batch.requests, logits))

    def spelled(self, request: Classify) -> tuple[InputRow, dict[str, Tensor]]:
        """The request as the model reads it, and as the model's forward pass takes it."""
        pairs = None if request.text_pair is None else [request.text_pair]
        (row,) = self._reader.rows([request.text], pairs)
        return row, self._reader.arguments([row])

    def forget(self, request_ids: Collection[str]) -> None:
        """Let go of what was kept of requests that won't be asked again."""
        for name in request_ids:
            self._rows.pop(name, None)

    def _answers(self, requests: Sequence[Request], logits: Mapping[InputRow, Tensor]) -> Iterator[Response]:
        for request in requests:
            row = self._rows[request.id]
            found, scores, reason = logits.get(row), None, None
            if found is None:
                reason = NO_MEMORY
            elif not bool(torch.isfinite(found).all()):
                reason = NOT_FINITE
            else:
                scores = dict(zip(self.labels, self._scores(found.double()).tolist(), strict=True))
            assert isinstance(request, Classify)
            yield Response(
                request_id=request.id,
                label_scores=scores,
                context_token_count=len(row.tokens),
                unread_character_count=self._reader.unread_character_count(row, request.text, request.text_pair),
                invalid=reason,
            )

    def _scores(self, logits: Tensor) -> Tensor:
        if self._problem == "regression":
            return logits
        return logits.sigmoid() if self._problem == "multi_label_classification" else logits.softmax(dim=-1)

    def _encode(self, requests: Sequence[Request]) -> None:
        new = [request for request in requests if request.id not in self._rows]
        asked = [request for request in new if isinstance(request, Classify)]
        refuse_others(new, (Classify,), "a classifier")
        single = [request for request in asked if request.text_pair is None]
        pairs = [request for request in asked if request.text_pair is not None]
        for group, seconds in ((single, None), (pairs, [request.text_pair or "" for request in pairs])):
            noises = [request.noise for request in group]
            rows = self._reader.rows([request.text for request in group], seconds, noises)
            self._rows.update((request.id, row) for request, row in zip(group, rows, strict=True))


def _problem(config: object) -> str:
    if getattr(config, "problem_type", None):
        return str(config.problem_type)  # type: ignore[attr-defined]
    return "regression" if getattr(config, "num_labels", 0) == 1 else "single_label_classification"
