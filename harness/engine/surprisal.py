"""How likely, how usual and how greedy each token of a text is, from the logits in front of it.

Plain functions: `surprisals` reads the logits in front of the tokens, and `surprisal_response` makes the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from harness.core.requests import Response, TokenLoglikelihoods
from harness.engine.encoding import Reading
from harness.engine.packing import Stem
from harness.engine.rounding import NOT_FINITE
from harness.engine.scoring import target_states
from harness.engine.tree import Row

__all__ = ["Surprisals", "surprisal_response", "surprisals", "surprisals_of"]

_CHUNK = 32
"""Positions whose vocabulary-sized rows are in memory at once, in double precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprisals:
    """One value a token: its log-probability in nats, its z-score, and whether it is the likeliest token there."""

    loglikelihoods: Tensor
    z_scores: Tensor
    is_greedy: Tensor


def surprisals_of(
    model: Any, rows: Sequence[Row], readings: Sequence[Reading], stem: Stem | None = None
) -> dict[Reading, Surprisals]:
    """What a causal model says of each reading, from one forward pass over the rows in which their inputs end."""
    states, to_logits, where = target_states(model, rows, readings, stem)
    found = {}
    with torch.inference_mode():
        for reading, places in zip(readings, where, strict=True):
            here, targets = states[torch.from_numpy(places).to(states.device)], torch.tensor(reading.targets)
            parts = [
                surprisals(to_logits(part), wanted.to(states.device))
                for part, wanted in zip(here.split(_CHUNK), targets.split(_CHUNK), strict=True)
            ]
            found[reading] = Surprisals(
                loglikelihoods=torch.cat([part.loglikelihoods for part in parts]),
                z_scores=torch.cat([part.z_scores for part in parts]),
                is_greedy=torch.cat([part.is_greedy for part in parts]),
            )
    return found


def surprisals(logits: Tensor, targets: Tensor) -> Surprisals:
    """What `logits`, of shape (tokens, vocabulary), say of the `targets` that follow, of shape (tokens).

    The z-score is `(log p(target) - mean) / deviation` with mean and deviation of `log p` under `p` itself, as Min-K%++
    has it (Zhang et al., 2025); 0 where the deviation is, as all words with any probability are equally likely there.
    """
    log_probabilities = logits.double().log_softmax(dim=-1)
    probabilities = log_probabilities.exp()
    # A word of probability 0 adds nothing to an expectation, whereas 0 times minus infinity is no number.
    finite = log_probabilities.masked_fill(probabilities == 0, 0.0)
    mean = (probabilities * finite).sum(dim=-1)
    spread = (probabilities * (finite - mean.unsqueeze(-1)).square()).sum(dim=-1).sqrt()
    chosen = log_probabilities.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    # Below this the deviation is rounding, and dividing by it would make a number out of nothing.
    certain = spread < 1e-9
    return Surprisals(
        loglikelihoods=chosen,
        z_scores=torch.where(certain, torch.zeros_like(chosen), (chosen - mean) / spread.masked_fill(certain, 1.0)),
        is_greedy=logits.argmax(dim=-1) == targets,
    )


def surprisal_response(
    request: TokenLoglikelihoods, reading: Reading, found: Surprisals | None, ends: Sequence[int] | None = None
) -> Response:
    """The answer to a request; invalid where the model's logits are NaN or infinite, or the text has no token.

    `ends` are those of the tokens of the whole text, None where the tokenizer doesn't tell.
    """
    blank = Response(request_id=request.id, token_count=len(reading.targets), context_token_count=len(reading.inputs))
    if found is None:
        return replace(blank, invalid="the text has no token")
    if not bool(torch.isfinite(found.loglikelihoods).all() and torch.isfinite(found.z_scores).all()):
        return replace(blank, invalid=NOT_FINITE)
    return replace(
        blank,
        loglikelihood=float(found.loglikelihoods.sum()),
        token_loglikelihoods=tuple(found.loglikelihoods.tolist()),
        token_z_scores=tuple(found.z_scores.tolist()),
        token_is_greedy=tuple(found.is_greedy.tolist()),
        token_ends=None if ends is None else tuple(ends[: len(reading.targets)]),
    )
