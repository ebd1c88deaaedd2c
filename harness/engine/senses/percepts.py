"""Media as tokens: what a model makes of a picture or sound stands in prompts as virtual tokens, and is made once.

The vectors are taken where the model itself hands them to its decoder, in the places of the medium's tokens, so
whatever an architecture does to a medium before is done.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.core.errors import ModelError
from harness.engine.senses.sense import Sense, on
from harness.engine.tree import Tokens
from harness.engine.virtual import VirtualTokens

__all__ = ["Look", "Percepts"]

_INDEX_BITS, _DIGEST_BITS = 16, 44
"""Of an id: which of a medium's tokens it is, and which medium, by the SHA-256 in its name."""
_KEPT_BYTES = 1 << 30
"""Of media's vectors that are kept for later batches."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the processor puts in place of a medium: a text, and how many tokens of it are the medium's own."""

    text: str
    token_count: int


class Percepts(VirtualTokens):
    """The media that a model is asked about. `asked_count` counts them, `encoded_count` how often one was encoded.

    The model's own forward pass, where it is needed, encodes those of one text together: so many as `read_together`.
    """

    def __init__(self, model: Any, sense: Sense, *, kept_bytes: int = _KEPT_BYTES) -> None:
        super().__init__(model, sense.first)
        self.asked_count = self.encoded_count = 0
        self.read_together = 1
        self.sense = sense
        self._decoder = model.get_decoder()
        self._model = model.base_model
        self._device = model.device
        self._dtype = model.dtype
        self._kept_bytes = kept_bytes
        self._looks: dict[str, Look] = {}
        self._names: dict[int, str] = {}
        self._vectors: OrderedDict[str, Tensor] = OrderedDict()

    def look(self, name: str) -> Look:
        """What the processor makes of a medium. Raises `ModelError` where it doesn't tell."""
        if name not in self._looks:
            sense = self.sense
            said = sense.prepared(sense.mark, [name], return_text_replacement_offsets=True)
            (place,) = said["text_replacement_offsets"][0]
            count = int((said["input_ids"] == sense.token_id).sum())
            if not 0 < count < 1 << _INDEX_BITS:
                raise ModelError(f"the checkpoint's processor makes {count:,} tokens of a {sense.one}")
            self._looks[name] = Look(sense.mark.replace(sense.token, place["replacement"]), count)
        return self._looks[name]

    def ids(self, name: str) -> Tokens:
        """The virtual tokens of a medium."""
        sha256 = name.rpartition(":")[2]
        medium = int(sha256[:16], 16) >> (64 - _DIGEST_BITS)
        if self._names.setdefault(medium, name) != name:
            raise ModelError(f"{name} and {self._names[medium]} can't be told apart in one run")
        return tuple(self.first + (medium << _INDEX_BITS) + index for index in range(self.look(name).token_count))

    def unheld(self, names: Iterable[str]) -> list[str]:
        """Those that have to be encoded before they can be read, each once."""
        return [name for name in dict.fromkeys(names) if name not in self._vectors]

    def hold(self, names: Iterable[str]) -> None:
        """Encode those media of the next batch that aren't held, after forgetting what takes too much memory."""
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            if name in self._vectors:
                self._vectors.move_to_end(name)
        while self._vectors and sum(one.nbytes for one in self._vectors.values()) > self._kept_bytes:
            if next(iter(self._vectors)) in wanted:
                break
            self._vectors.popitem(last=False)
        for name in self.unheld(wanted):
            self._vectors[name] = self._encoded(name)

    @override
    def real(self, token: int) -> int:
        return self.sense.token_id

    @override
    def vectors(self, clean: Tensor, tokens: Sequence[int]) -> Tensor:
        places: dict[int, tuple[list[int], list[int]]] = {}
        for place, token in enumerate(tokens):
            medium, index = divmod(token - self.first, 1 << _INDEX_BITS)
            where, which = places.setdefault(medium, ([], []))
            where.append(place)
            which.append(index)
        found = clean.clone()
        for medium, (where, which) in places.items():
            name = self._names[medium]
            if name not in self._vectors:  # of a beginning that was kept from an earlier batch
                self._vectors[name] = self._encoded(name)
            found[where] = self._vectors[name][which].to(found)
        return found

    def read(self, name: str) -> dict[str, Any]:
        """What the processor makes of a medium, as the model reads it."""
        return on(self.sense.prepared(self.sense.mark, [name]), self._device, self._dtype)

    def vectors_of(self, inputs: dict[str, Any]) -> Tensor:
        """The vectors of a medium that was read, of shape (tokens, width); gradients can be followed through them."""
        found: list[Tensor] = []

        def stop(_module: Any, _inputs: Any, given: dict[str, Any]) -> None:
            found.append(given["inputs_embeds"])
            raise _Reached

        handle = self._decoder.register_forward_pre_hook(stop, with_kwargs=True)
        try:
            with torch._C.DisableTorchFunction():
                self._model(**inputs, use_cache=False)
        except _Reached:
            pass
        finally:
            handle.remove()
        return found[0][0, inputs["input_ids"][0] == self.sense.token_id].clone()

    def _encoded(self, name: str) -> Tensor:
        """The vectors of a medium: always by itself, so that no neighbour changes it."""
        self.encoded_count += 1
        with torch.inference_mode():
            return self.vectors_of(self.read(name))


class _Reached(Exception):  # noqa: N818 - no error: the decoder was reached, and is not needed
    """What the decoder is to read is known."""
