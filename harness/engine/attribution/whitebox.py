"""What lies inside a loaded model: the embeddings of a text, the gradients that reach them, the weights.

Each kind of model has a white box of its own, which says what goes through the model for one request.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.core.attributions import Embedded
from harness.core.meters import Meter
from harness.core.requests import Attribute
from harness.engine.attribution.ablations import Decision, Unusable
from harness.engine.encoding import Tokens

__all__ = ["EmbeddedDecision", "Passage", "WhiteBox", "repeated", "targeted"]

_KEPT = 8
"""Times as few tokens at once: with 128 a processor takes as long as with 256, and half the memory; with 64 longer."""

NO_TOKEN = "no token of the text to explain is left in the model's window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What goes through the model to compare the choices of one request.

    `beginnings` are the token sequences that the embedding layer reads: the text to explain stands where they all are
    the same. `row_tokens` counts the padded tokens of all rows together. `scores` gives the log-probability of each
    choice, of shape (copies, choices), for as many copies of the rows, each copy with embeddings of its own.
    """

    beginnings: tuple[Tokens, ...]
    row_tokens: int
    scores: Callable[[int], Tensor]


class WhiteBox(ABC):
    """Opens one of the engine's models; `batch_tokens` bounds the padded tokens of one pass forward and back.

    That is a part of what the model reads at once otherwise: for gradients, all that it makes on the way is kept.
    `follows_pictures` says whether gradients lead into pictures.
    """

    follows_pictures: bool = False

    def __init__(self, inner: Any, tokenizer: Any) -> None:
        self.inner = inner
        self.model = inner.model
        for parameter in self.model.parameters():
            # Gradients are of embeddings alone, and cost less memory where the weights need none.
            parameter.requires_grad_(False)
        self.tokenizer = tokenizer
        self.layer = self.embedding_layer()
        self.batch_tokens: int = max(inner.batch_tokens // _KEPT, 1)
        self.meter: Meter = inner.meter

    def embedding_layer(self) -> Any:
        """The module that makes embeddings of the text's tokens."""
        return self.model.get_input_embeddings()

    @abstractmethod
    def passage(self, request: Attribute) -> Passage:
        """What compares the choices of a request that the model can answer."""

    def forget(self, request_ids: Collection[str]) -> None:
        """Let go of all that was kept for these requests to the model, its caches too."""
        self.inner.forget(request_ids)

    def embedded(self, request: Attribute, units: Sequence[str], decision: Decision) -> "EmbeddedDecision":
        """The decision as a function of embeddings. Raises `Unusable` where no token can be told to be a unit's."""
        passage = self.passage(request)
        columns, owners = self._columns(request, units, passage.beginnings)
        return EmbeddedDecision(self, passage, columns, owners, len(units), decision.index)

    def _columns(self, request: Attribute, units: Sequence[str], rows: Sequence[Tokens]) -> tuple[list[int], list[int]]:
        """Where the tokens to explain stand in every row, and the unit of each."""
        if not self.tokenizer.is_fast:
            raise Unusable("its tokenizer doesn't tell where in the text a token stands")
        ends = [request.start + end for end in accumulate(map(len, units))]
        best: tuple[list[int], list[int]] = [], []
        for special in (True, False):
            found = self.tokenizer(
                request.context, add_special_tokens=special, return_offsets_mapping=True, verbose=False
            )
            shared = min(_shared(found["input_ids"], row) for row in rows)
            columns = [
                column
                for column, (start, end) in enumerate(found["offset_mapping"][:shared])
                if end > start and request.start < end <= ends[-1]
            ]
            if len(columns) > len(best[0]):
                last = [found["offset_mapping"][column][1] for column in columns]
                best = columns, [next(unit for unit, end in enumerate(ends) if place <= end) for place in last]
        if not best[0]:
            raise Unusable(NO_TOKEN)
        return best

    @contextmanager
    def randomised(self, seed: int) -> Iterator[None]:
        """While the block runs, every weight but the embeddings' is drawn from a normal distribution.

        It has the tensor's own mean and deviation. The loaded weights are put aside, never written to.
        """
        generator = torch.Generator().manual_seed(seed)
        given = {id(parameter) for parameter in self.layer.parameters()}
        aside = []
        try:
            for parameter in self.model.parameters():
                if id(parameter) in given or not parameter.is_floating_point():
                    continue
                weights = parameter.data
                deviation, mean = float(weights.float().std(correction=0)), float(weights.float().mean())
                drawn = torch.randn(weights.shape, generator=generator).mul_(deviation).add_(mean)
                aside.append((parameter, weights))
                parameter.data = drawn.to(weights)
            yield
        finally:
            for parameter, weights in aside:
                parameter.data = weights


class EmbeddedDecision(Embedded):
    """One decision of the model in a white box, for the passage that it reads."""

    def __init__(
        self, box: WhiteBox, passage: Passage, columns: list[int], owners: list[int], unit_count: int, decision: int
    ) -> None:
        self._box, self._passage, self._decision = box, passage, decision
        device = box.model.device
        self._columns = torch.tensor(columns, device=device)
        self._sums = torch.zeros(len(columns), unit_count, device=device)
        self._sums[range(len(columns)), owners] = 1
        self.pass_count = 0

    @property
    @override
    def rows_at_once(self) -> int:
        return max(self._box.batch_tokens // self._passage.row_tokens, 1)

    @property
    @override
    def embeddings(self) -> Tensor:
        token_ids = torch.tensor([self._passage.beginnings[0]], device=self._box.model.device)
        with torch.no_grad():
            return self._box.layer(token_ids)[:, self._columns].clone()

    @override
    def __call__(self, embeddings: Tensor) -> Tensor:
        self.pass_count += len(embeddings)
        self._box.meter.count(tokens=len(embeddings) * self._passage.row_tokens, requests=0)
        with _put(self._box.layer, embeddings, self._columns):
            scores = self._passage.scores(len(embeddings))
        others = [index for index in range(scores.shape[1]) if index != self._decision]
        return scores[:, self._decision] - scores[:, others].logsumexp(dim=1)

    @override
    def by_unit(self, values: Tensor) -> Tensor:
        return values.sum(dim=-1).float() @ self._sums

    def halve(self) -> bool:
        """Take half as many rows at once from now on; False where there is but one."""
        if self.rows_at_once == 1:
            return False
        self._box.batch_tokens = self.rows_at_once // 2 * self._passage.row_tokens
        return True


@contextmanager
def _put(layer: Any, embeddings: Tensor, columns: Tensor) -> Iterator[None]:
    """The first time that the layer is called inside, it gives `embeddings` at the columns, for all rows of a copy."""
    handles: list[Any] = []

    def replace(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        handles.pop().remove()
        copies = output.shape[0] // embeddings.shape[0]
        given = embeddings.to(output.dtype).repeat_interleave(copies, dim=0)
        return output.index_copy(1, columns, given)

    handles.append(layer.register_forward_hook(replace))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def repeated(value: Any, count: int) -> Any:
    """Tensors, or those inside a dictionary, `count` times along their first dimension; all else as it is."""
    if isinstance(value, dict):
        return {name: repeated(one, count) for name, one in value.items()}
    return value.repeat(count, *[1] * (value.dim() - 1)) if isinstance(value, Tensor) else value


def targeted(
    logits: Tensor, where: Sequence[int], targets: Sequence[int], owners: Sequence[int], choices: int
) -> Tensor:
    """Sums of log-probabilities by choice, of shape (copies, choices).

    `logits` has the shape (copies, positions, vocabulary). Each of `targets` is looked up at the position `where`, and
    belongs to the choice that `owners` names.
    """
    exact, places = logits.float(), torch.tensor(where, device=logits.device)
    chances = exact[:, places, torch.tensor(targets, device=logits.device)] - exact.logsumexp(dim=-1)[:, places]
    sums = torch.zeros(len(logits), choices, device=logits.device)
    return sums.index_add(1, torch.tensor(owners, device=logits.device), chances)


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = zip(first, second, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
