"""How far a causal model's next-word distributions are from those of a reference, token by token.

Both models read the same rows in the same batches, and are compared a few positions at a time while both are in
memory: no more than `_CHUNK` distributions of either exist at once, and a model is at distance 0 from itself to the
last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.models import Batch, Model, refuse_others
from harness.core.references.requests import Divergence
from harness.core.requests import Request, Response
from harness.engine.encoding import Encoder, Reading
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.lengths import tried_lengths
from harness.engine.planner import pack_alone
from harness.engine.rounding import NOT_FINITE
from harness.engine.scoring import target_states
from harness.engine.tree import Row, Tokens

__all__ = ["DivergenceModel", "Divergences", "divergences"]

_CHUNK = 32
"""Positions whose two vocabulary-sized rows are in memory at once, in double precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergences:
    """One value a token: the divergence, what either model gives the token (all in nats), and whether they agree."""

    divergences: Tensor
    loglikelihoods: Tensor
    reference_loglikelihoods: Tensor
    agrees: Tensor


def divergences(logits: Tensor, reference: Tensor, targets: Tensor) -> Divergences:
    """What two models' logits, of shape (tokens, vocabulary), say of each other and of the `targets` that follow.

    The divergence is KL(reference || model), the sum over the vocabulary of `p log(p / q)`, in double precision. Where
    one model has more rows than the other (embeddings are often padded), what both have is all that counts.
    """
    width = min(logits.shape[-1], reference.shape[-1])
    own, other = (one[..., :width].double().log_softmax(dim=-1) for one in (logits, reference.to(logits.device)))
    # A word of probability 0 adds nothing to an expectation, whereas 0 times infinity is no number.
    terms = torch.where(other == -torch.inf, 0.0, other.exp() * (other - own))
    chosen = targets.unsqueeze(-1)
    return Divergences(
        divergences=terms.sum(dim=-1).clamp(min=0.0),
        loglikelihoods=own.gather(-1, chosen).squeeze(-1),
        reference_loglikelihoods=other.gather(-1, chosen).squeeze(-1),
        agrees=own.argmax(dim=-1) == other.argmax(dim=-1),
    )


class DivergenceModel(Model):
    """Answers `Divergence` by two loaded causal models that have one vocabulary (`Model` in core).

    Texts are cut into tokens by the first, `loaded`, and read as far as the windows of both reach.
    """

    def __init__(self, loaded: LoadedCheckpoint, reference: LoadedCheckpoint, *, batch_tokens: int) -> None:
        self.model, self.reference = loaded.model, reference.model
        self.encoder = Encoder(loaded.tokenizer, min(loaded.max_length, reference.max_length), loaded.model)
        self._lengths = [tried_lengths(one.model, one.max_length) for one in (loaded, reference)]
        self._reader: Halving[Row, dict[Reading, Divergences]] = Halving(batch_tokens)
        self._readings: dict[str, Reading] = {}

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Batches of texts of like length."""
        refuse_others(requests, (Divergence,), "a comparison with a reference")
        asked = sorted((one for one in requests if isinstance(one, Divergence)), key=lambda one: one.id)
        self._readings |= {one.id: read for one, read in zip(asked, self.encoder.beginnings(asked), strict=True)}
        full = [one for one in asked if self._readings[one.id].targets]
        empty = tuple(one for one in asked if not self._readings[one.id].targets)
        groups = [(self._readings[one.id].inputs,) for one in full]
        batches = []
        for pack, indices in pack_alone(groups, self._reader.batch_tokens, self._way):
            chosen = tuple(full[index] for index in indices)
            count = sum(len(self._readings[one.id].inputs) for one in chosen)
            batches.append(Batch(chosen, pack, count, sum(len(row.tokens) for row in pack.rows)))
        return [*batches, *([Batch(empty)] if empty else [])]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        wanted: dict[Tokens, list[Reading]] = {}
        for one in batch.requests:
            reading = self._readings[one.id]
            wanted.setdefault(reading.inputs, []).append(reading)
        found: dict[Reading, Divergences] = {}
        rows = batch.work.rows if batch.work else ()
        for _, judged in self._reader.run(rows, lambda row: len(row.tokens), partial(self._judge, wanted)):
            found |= judged or {}
        ends = self.encoder.ends([one.text for one in batch.requests if isinstance(one, Divergence)])
        return [
            _response(one, self._readings[one.id], found.get(self._readings[one.id]), ends.get(one.text))
            for one in batch.requests
            if isinstance(one, Divergence)
        ]

    def _way(self, length: int) -> int:
        own, other = (one.way(length) for one in self._lengths)
        return (own << 32) + other

    def _judge(self, wanted: dict[Tokens, list[Reading]], rows: Sequence[Row]) -> dict[Reading, Divergences]:
        readings = [one for row in rows for inputs in row.ends for one in dict.fromkeys(wanted[inputs])]
        states, to_logits, where = target_states(self.model, rows, readings)
        others, to_others, _ = target_states(self.reference, rows, readings)
        found = {}
        with torch.inference_mode():
            for reading, places in zip(readings, where, strict=True):
                here, targets = torch.from_numpy(places), torch.tensor(reading.targets)
                parts = [
                    divergences(
                        to_logits(states[some.to(states.device)]),
                        to_others(others[some.to(others.device)]),
                        wanted_here.to(states.device),
                    )
                    for some, wanted_here in zip(here.split(_CHUNK), targets.split(_CHUNK), strict=True)
                ]
                found[reading] = _joined(parts)
        return found


def _joined(parts: Sequence[Divergences]) -> Divergences:
    columns: dict[str, Any] = {
        name: torch.cat([getattr(part, name) for part in parts]).cpu() for name in Divergences.__dataclass_fields__
    }
    return Divergences(**columns)


def _response(request: Divergence, reading: Reading, found: Divergences | None, ends: Sequence[int] | None) -> Response:
    predicted, read = len(reading.targets), len(reading.inputs) if reading.targets else 0
    reason = None
    if not reading.targets:
        reason = "the text has no token"
    elif found is None:
        reason = NO_MEMORY
    elif not bool(torch.isfinite(torch.stack([found.divergences, found.loglikelihoods])).all()):
        reason = NOT_FINITE
    if reason or found is None:
        return Response(request_id=request.id, token_count=predicted, context_token_count=read, invalid=reason)
    return Response(
        request_id=request.id,
        loglikelihood=float(found.loglikelihoods.sum()),
        token_loglikelihoods=tuple(found.loglikelihoods.tolist()),
        token_reference_loglikelihoods=tuple(found.reference_loglikelihoods.tolist()),
        token_divergences=tuple(found.divergences.tolist()),
        token_agrees=tuple(found.agrees.tolist()),
        token_ends=None if ends is None else tuple(ends[:predicted]),
        token_count=predicted,
        context_token_count=read,
    )
