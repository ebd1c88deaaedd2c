"""Log-probabilities of given tokens, with the output head computed only where a score needs it.

The head is a third of a small model's work, and its softmax more: for a question of 500 tokens whose answer has 5,
both are computed at 5 positions, not at 505. That is done in front of the head itself, so whatever a model does
behind it (scaling, soft caps) still happens.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.checkpoints.vocabulary import word_count
from harness.engine.encoding import Reading
from harness.engine.kernels.choice import faster_kernels
from harness.engine.packing import Stem, StemCache, packed_arguments
from harness.engine.states import State, StateCache
from harness.engine.tree import Row, Tokens, packed_row, path_row

__all__ = [
    "ReadingScore",
    "continuing_error",
    "forward_at",
    "logits_at",
    "logits_with_gradients",
    "packing_error",
    "rounding_error",
    "score_rows",
    "target_states",
]

_CHUNK = 128
_ACCELERATOR_CHUNK = 1024
"""Positions whose vocabulary-sized rows exist at once: few fit a processor's cache, many keep an accelerator busy."""

ToLogits = Callable[[Tensor], Tensor]
"""From states of shape (positions, width) to logits of shape (positions, vocabulary)."""


@dataclass(frozen=True, slots=True)
class ReadingScore:
    """What the model says of one reading: the sum of its targets' log-probabilities, and whether each is the arg-max.

    `loglikelihood` is in nats; NaN or infinite where the model's logits are.
    """

    loglikelihood: float
    is_greedy: bool


def score_rows(
    model: Any, rows: Sequence[Row], readings: Sequence[Reading], stem: Stem | State | None = None
) -> dict[Reading, ReadingScore]:
    """The verdict on each reading from one forward pass over the rows in which their inputs end."""
    states, to_logits, where = target_states(model, rows, readings, stem)
    targets = np.concatenate([np.array(reading.targets, dtype=np.int64) for reading in readings])
    log_probabilities, greedy = _log_probabilities(model, states, to_logits, np.concatenate(where), targets)
    bounds = [0, *itertools.accumulate(map(len, where))]
    return {
        reading: ReadingScore(float(log_probabilities[start:stop].sum()), bool(greedy[start:stop].all()))
        for reading, (start, stop) in zip(readings, itertools.pairwise(bounds), strict=True)
    }


def target_states(
    model: Any, rows: Sequence[Row], readings: Sequence[Reading], stem: Stem | State | None = None
) -> tuple[Tensor, ToLogits, list[NDArray[np.intp]]]:
    """Hidden states in front of the targets, what makes logits of them, and where each reading's are among them.

    The states have the shape (distinct positions, width), and are of one forward pass over the rows in which the
    readings' inputs end.
    """
    width = max(len(row.tokens) for row in rows)
    ends = {inputs: (index, end) for index, row in enumerate(rows) for inputs, end in row.ends.items()}
    positions: list[int] = []
    for reading in readings:
        index, node = ends[reading.inputs]
        positions += (index * width + step for step in rows[index].path(node, len(reading.targets)))
    unique, where = np.unique(positions, return_inverse=True)
    states, to_logits = _states_at(model, packed_arguments(model, rows, stem), unique)
    bounds = list(itertools.accumulate(len(reading.targets) for reading in readings))
    return states, to_logits, np.split(where, bounds[:-1])


def packing_error(model: Any) -> float:
    """The largest difference, in nats, between the packed and the plain way on three short sequences; for a self-check.

    The packed way reads a stem, then one row that branches twice.
    """
    sequences = _trials(model)
    stem, _ = StemCache(model).stem(sequences[0][:8], (8,))
    return _error(model, sequences, [packed_row(sequences, 8)], stem)


def continuing_error(model: Any) -> float:
    """As `packing_error`, for sequences that go on, side by side, from what the model kept of their beginning."""
    sequences = _trials(model)
    stem, _ = StateCache(model).stem(sequences[0][:20], (8, 20))
    return _error(model, sequences, [packed_row([sequence], 20) for sequence in sequences], stem)


def rounding_error(model: Any) -> float:
    """The largest difference, in nats, between two plain ways that differ in nothing but the order of their sums.

    Several texts are read one by one, and side by side with the plainest attention that torch has. In half precision on
    a GPU kernels of another shape can change a log-likelihood of a deep model more than `tolerance` allows.
    """
    sequences = [sequence for start in (3, 5, 11) for sequence in _trials(model, start)]
    readings = [Reading(sequence, sequence[:3]) for sequence in sequences]
    with sdpa_kernel(SDPBackend.MATH):
        together = score_rows(model, [path_row(sequence) for sequence in sequences], readings)
    alone = [score_rows(model, [path_row(one.inputs)], [one])[one] for one in readings]
    return max(
        abs(one.loglikelihood - together[reading].loglikelihood) for one, reading in zip(alone, readings, strict=True)
    )


def _trials(model: Any, start: int = 3) -> list[Tokens]:
    words = word_count(model)
    shared = tuple((7 * step + start) % words for step in range(24))
    return sorted((*shared, *((token % words) for token in ending)) for ending in ((5, 6), (5, 8, 2), (9, 4)))


def _error(model: Any, sequences: Sequence[Tokens], rows: Sequence[Row], stem: Stem | State) -> float:
    readings = [Reading(sequence, sequence[:3]) for sequence in sequences]
    plain = score_rows(model, [path_row(sequence) for sequence in sequences], readings)
    shared = score_rows(model, rows, readings, stem)
    return max(abs(plain[reading].loglikelihood - shared[reading].loglikelihood) for reading in readings)


def logits_at(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> Tensor:
    """Logits of shape (positions, vocabulary) at flat positions (row * width + column) of one forward pass."""
    return forward_at(model, arguments, positions)[0]


def forward_at(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> tuple[Tensor, Any]:
    """As `logits_at`, with all that the forward pass gave."""
    with torch.inference_mode(), faster_kernels(model, arguments):
        return _forward_at(model, arguments, positions)


def logits_with_gradients(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> Tensor:
    """As `logits_at`, and gradients can be followed back from them."""
    return _forward_at(model, arguments, positions)[0]


def _forward_at(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> tuple[Tensor, Any]:
    index = torch.from_numpy(positions).to(model.device)
    head = model.get_output_embeddings()
    if head is None:
        output = model(**arguments)
        return _flatten(output.logits).index_select(0, index), output
    with _gathered(head, index):
        output = model(**arguments)
        return _flatten(output.logits), output


def _states_at(model: Any, arguments: dict[str, Any], positions: NDArray[np.int64]) -> tuple[Tensor, ToLogits]:
    """What the output head reads at the flat positions, and the head; logits where the head isn't the last word."""
    if not _ends_with_head(model):
        return logits_at(model, arguments, positions), _as_it_is
    head = model.get_output_embeddings()
    states: list[Tensor] = []
    index = torch.from_numpy(positions).to(model.device)
    with torch.inference_mode(), faster_kernels(model, arguments), _gathered(head, index, states):
        model(**arguments)
    return states[0], head


def _as_it_is(logits: Tensor) -> Tensor:
    return logits


_heads: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def _ends_with_head(model: Any) -> bool:
    """Whether the logits are what the output head gives, neither scaled nor capped behind it; by trying."""
    if model not in _heads:
        _heads[model] = _logits_are_the_heads(model)
    return _heads[model]


def _logits_are_the_heads(model: Any) -> bool:
    head = model.get_output_embeddings()
    if head is None:
        return False
    words = word_count(model)
    token_ids = torch.tensor([[token % words for token in (3, 5, 7)]], device=model.device)
    states: list[Tensor] = []
    with torch.inference_mode():
        with _gathered(head, torch.tensor([2], device=model.device), states):
            logits = model(input_ids=token_ids, use_cache=False).logits
        return bool(states) and torch.equal(head(states[0].unsqueeze(0)), logits)


@contextmanager
def _gathered(head: Any, index: Tensor, kept: list[Tensor] | None = None) -> Iterator[None]:
    """While the block runs, `head` sees only the hidden states at the flat positions `index`.

    With `kept`, those go there, and the head sees the first of them alone.
    """

    def gather(_module: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden, *rest = inputs
        states = _flatten(hidden).index_select(0, index.to(hidden.device))  # a model may be spread over devices
        if kept is not None:
            kept.append(states)
            states = states[:1]
        return (states.unsqueeze(0), *rest)

    handle = head.register_forward_pre_hook(gather)
    try:
        yield
    finally:
        handle.remove()


def _flatten(states: Tensor) -> Tensor:
    return states.reshape(-1, states.shape[-1])


def _log_probabilities(
    model: Any, states: Tensor, to_logits: ToLogits, where: NDArray[np.intp], targets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Log-probability of each target at the row `where` of `states`, and whether it is that row's arg-max."""
    chosen = np.empty(len(targets), dtype=np.float64)
    greedy = np.empty(len(targets), dtype=np.bool_)
    chunk = _CHUNK if states.device.type == "cpu" else _ACCELERATOR_CHUNK
    for start in range(0, len(states), chunk):
        here = np.flatnonzero((where >= start) & (where < start + chunk))
        with torch.inference_mode(), faster_kernels(model, {}):
            logits = to_logits(states[start : start + chunk]).float()
            rows = torch.from_numpy(where[here] - start).to(logits.device)
            wanted = torch.from_numpy(targets[here]).to(logits.device)
            of_target = logits[rows, wanted].double() - logits.logsumexp(dim=-1).double()[rows]
            chosen[here] = of_target.cpu().numpy()
            greedy[here] = (logits.argmax(dim=-1)[rows] == wanted).cpu().numpy()
    return chosen, greedy
