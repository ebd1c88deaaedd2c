"""Pictures as tokens: what a model makes of one stands in prompts as virtual tokens, and is made once.

The vectors are taken where the model itself hands them to its decoder, in the places of its image tokens, so whatever
an architecture does to a picture before is done.
"""

import warnings
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.core.errors import ModelError
from harness.engine.tree import Tokens
from harness.engine.virtual import VirtualTokens
from harness.media.pictures import image_of

__all__ = ["Look", "Pictures", "on", "prepared"]

_FIRST = 1 << 61
"""The smallest id of a picture's token."""
_INDEX_BITS, _DIGEST_BITS = 16, 44
"""Of an id: which of a picture's tokens it is, and which picture, by the SHA-256 in its name."""
_KEPT_BYTES = 1 << 30
"""Of pictures' vectors that are kept for later batches."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the processor puts in place of a picture: a text, and how many tokens of it are the picture's own."""

    text: str
    token_count: int


class Pictures(VirtualTokens):
    """The pictures that a model is asked about. `asked_count` counts them, `encoded_count` how often one was encoded.

    The model's own forward pass, where it is needed, encodes those of one text together: so many as `read_together`.
    """

    def __init__(self, model: Any, processor: Any, *, kept_bytes: int = _KEPT_BYTES) -> None:
        mark = getattr(processor, "image_token", None)
        config = model.config
        token_id = getattr(config, "image_token_id", getattr(config, "image_token_index", None))
        if not isinstance(mark, str) or not isinstance(token_id, int):
            raise ModelError(
                "neither its processor nor its config says which token stands for a picture",
                fix="Give a model whose prompts have such a token, such as LLaVA, Idefics3 or Qwen2-VL",
            )
        super().__init__(model, _FIRST)
        self.asked_count = self.encoded_count = 0
        self.read_together = 1
        self.mark, self.token_id = mark, token_id
        self._decoder = model.get_decoder()
        self._model = model.base_model
        self._device = model.device
        self._dtype = model.dtype
        self._processor = processor
        self._kept_bytes = kept_bytes
        self._looks: dict[str, Look] = {}
        self._names: dict[int, str] = {}
        self._vectors: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def marks(self) -> frozenset[str]:
        """Words that stand for pictures, which no text may hold by itself."""
        return frozenset({self.mark, self._processor.tokenizer.convert_ids_to_tokens(self.token_id)})

    def look(self, name: str) -> Look:
        """What the processor makes of a picture. Raises `ModelError` where it doesn't tell."""
        if name not in self._looks:
            said = prepared(self._processor, self.mark, [name], return_text_replacement_offsets=True)
            (place,) = said["text_replacement_offsets"][0]
            count = int((said["input_ids"] == self.token_id).sum())
            if not 0 < count < 1 << _INDEX_BITS:
                raise ModelError(f"the checkpoint's processor makes {count:,} tokens of a picture")
            self._looks[name] = Look(place["replacement"], count)
        return self._looks[name]

    def ids(self, name: str) -> Tokens:
        """The virtual tokens of a picture."""
        sha256 = name.rpartition(":")[2]
        picture = int(sha256[:16], 16) >> (64 - _DIGEST_BITS)
        if self._names.setdefault(picture, name) != name:
            raise ModelError(f"{name} and {self._names[picture]} can't be told apart in one run")
        return tuple(_FIRST + (picture << _INDEX_BITS) + index for index in range(self.look(name).token_count))

    def hold(self, names: Iterable[str]) -> None:
        """Encode those pictures of the next batch that aren't held, after forgetting what takes too much memory."""
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            if name in self._vectors:
                self._vectors.move_to_end(name)
        while self._vectors and sum(one.nbytes for one in self._vectors.values()) > self._kept_bytes:
            if next(iter(self._vectors)) in wanted:
                break
            self._vectors.popitem(last=False)
        for name in wanted:
            if name not in self._vectors:
                self._vectors[name] = self._encoded(name)

    @override
    def real(self, token: int) -> int:
        return self.token_id

    @override
    def vectors(self, clean: Tensor, tokens: Sequence[int]) -> Tensor:
        places: dict[int, tuple[list[int], list[int]]] = {}
        for place, token in enumerate(tokens):
            picture, index = (token - _FIRST) >> _INDEX_BITS, (token - _FIRST) % (1 << _INDEX_BITS)
            where, which = places.setdefault(picture, ([], []))
            where.append(place)
            which.append(index)
        found = clean.clone()
        for picture, (where, which) in places.items():
            name = self._names[picture]
            if name not in self._vectors:  # of a beginning that was kept from an earlier batch
                self._vectors[name] = self._encoded(name)
            found[where] = self._vectors[name][which].to(found)
        return found

    def _encoded(self, name: str) -> Tensor:
        """The vectors of a picture, of shape (tokens, width): always by itself, so that no neighbour changes it."""
        self.encoded_count += 1
        inputs = on(prepared(self._processor, self.mark, [name]), self._device, self._dtype)
        found: list[Tensor] = []

        def stop(_module: Any, _inputs: Any, given: dict[str, Any]) -> None:
            found.append(given["inputs_embeds"])
            raise _Reached

        handle = self._decoder.register_forward_pre_hook(stop, with_kwargs=True)
        try:
            with torch.inference_mode(), torch._C.DisableTorchFunction():
                self._model(**inputs, use_cache=False)
        except _Reached:
            pass
        finally:
            handle.remove()
        return found[0][0, inputs["input_ids"][0] == self.token_id].clone()


class _Reached(Exception):  # noqa: N818 - no error: the decoder was reached, and is not needed
    """What the decoder is to read is known."""


def prepared(processor: Any, text: str, names: Sequence[str], **options: Any) -> dict[str, Any]:
    """What a processor makes of a text and the pictures that are marked in it, as tensors of one row."""
    images = [image_of(name) for name in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries among each other
        made = dict(processor(text=[text], images=[images], return_tensors="pt", **options))
    made.pop("labels", None)
    return made


def on(inputs: dict[str, Any], device: Any, dtype: Any) -> dict[str, Any]:
    """The tensors on a device, pixels in the model's type."""
    return {
        name: value.to(device, dtype) if value.is_floating_point() else value.to(device)
        for name, value in inputs.items()
        if isinstance(value, Tensor)
    }
