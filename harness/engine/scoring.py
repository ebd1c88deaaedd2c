"""Log-probabilities of given tokens, with the output head computed only where a score needs it.

The head is a third of a small model's work, and its softmax more: for a question of 500 tokens whose answer has 5,
both are computed at 5 positions, not at 505. That is done in front of the head itself, so whatever a model does
behind it (scaling, soft caps) still happens.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.engine.encoding import Reading

__all__ = ["Verdict", "logits_at", "score_readings"]

_CHUNK = 256
"""Positions whose vocabulary-sized rows are normalised at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one reading: the sum of its targets' log-probabilities, and whether each is the arg-max.

    `loglikelihood` is in nats; NaN or infinite where the model's logits are.
    """

    loglikelihood: float
    is_greedy: bool


def score_readings(model: Any, readings: Sequence[Reading]) -> tuple[list[Verdict], int]:
    """The verdict on each reading from one forward pass, and the number of tokens that were read (padding apart).

    Equal inputs are read once, whatever their targets. Rows are padded on the right, where no real token looks.
    """
    inputs = list(dict.fromkeys(reading.inputs for reading in readings))
    row_of = {row: index for index, row in enumerate(inputs)}
    width = max(map(len, inputs))
    token_ids = torch.zeros((len(inputs), width), dtype=torch.long)
    for index, row in enumerate(inputs):
        token_ids[index, : len(row)] = torch.tensor(row)

    ends = np.array([row_of[reading.inputs] * width + len(reading.inputs) for reading in readings])
    counts = np.array([len(reading.targets) for reading in readings])
    positions = np.concatenate([np.arange(end - count, end) for end, count in zip(ends, counts, strict=True)])
    targets = np.concatenate([np.array(reading.targets, dtype=np.int64) for reading in readings])

    unique, where = np.unique(positions, return_inverse=True)
    logits = logits_at(model, {"input_ids": token_ids.to(model.device), "use_cache": False}, unique)
    log_probabilities, greedy = _log_probabilities(logits, where, targets)

    bounds = np.concatenate([[0], np.cumsum(counts)])
    verdicts = [
        Verdict(float(log_probabilities[start:stop].sum()), bool(greedy[start:stop].all()))
        for start, stop in itertools.pairwise(bounds)
    ]
    return verdicts, sum(map(len, inputs))


def logits_at(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> Tensor:
    """Logits of shape (positions, vocabulary) at flat positions (row * width + column) of one forward pass."""
    index = torch.from_numpy(positions).to(model.device)
    head = model.get_output_embeddings()
    with torch.inference_mode():
        if head is None:
            logits = model(**arguments).logits
            return _flatten(logits).index_select(0, index)
        with _gathered(head, index):
            return _flatten(model(**arguments).logits)


@contextmanager
def _gathered(head: Any, index: Tensor) -> Iterator[None]:
    """While the block runs, `head` sees only the hidden states at the flat positions `index`."""

    def gather(_module: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden, *rest = inputs
        return (_flatten(hidden).index_select(0, index).unsqueeze(0), *rest)

    handle = head.register_forward_pre_hook(gather)
    try:
        yield
    finally:
        handle.remove()


def _flatten(states: Tensor) -> Tensor:
    return states.reshape(-1, states.shape[-1])


def _log_probabilities(
    logits: Tensor, where: NDArray[np.intp], targets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Log-probability of each target at the row `where` of `logits`, and whether it is that row's arg-max."""
    index, wanted = torch.from_numpy(where).to(logits.device), torch.from_numpy(targets).to(logits.device)
    normalisers, best = [], []
    for chunk in logits.split(_CHUNK):
        exact = chunk.float()
        normalisers.append(exact.logsumexp(dim=-1))
        best.append(exact.argmax(dim=-1))
    chosen = logits[index, wanted].double() - torch.cat(normalisers).double()[index]
    return chosen.cpu().numpy(), (torch.cat(best)[index] == wanted).cpu().numpy()
