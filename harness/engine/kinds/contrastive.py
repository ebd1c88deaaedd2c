"""The model of contrastive checkpoints: a picture and a text each become a vector, and which fit is their product."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.errors import ModelError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import MatchTexts, Request, Response
from harness.engine.halving import NO_MEMORY, is_lack_of_memory
from harness.engine.rounding import NOT_FINITE, tolerance
from harness.media.pictures import image_of, trial_picture

__all__ = ["ContrastiveModel"]

_TOGETHER = 64
"""Requests in a batch: each picture is encoded by itself, so this decides how often the record is written alone."""
_TRIAL = ("a river", "two old houses")


class ContrastiveModel(Model):
    """Answers `MatchTexts` requests with a loaded CLIP, SigLIP or their like (`Model` in core).

    Scores are the softmax, over a request's texts, of the model's logits for the picture. Of SigLIP too, which is
    trained to judge each pair by itself (Zhai et al., 2023): its sigmoids wouldn't sum to 1, and the order of the texts
    is the same. Each picture and each text is encoded once and by itself, so no neighbour changes its vector. A text
    too long for the model loses its end. `asked_count` and `encoded_count` are of pictures.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model, self.batch_tokens = loaded.model, batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.asked_count = self.encoded_count = 0
        self._processor, self._tokenizer, self._length = loaded.processor, loaded.tokenizer, loaded.max_length
        self._pictures: dict[str, Tensor] = {}
        self._texts: dict[str, tuple[Tensor, int, int]] = {}
        self._check()
        self.encoded_count = 0

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Requests about one picture together."""
        refuse_others(requests, (MatchTexts,), "a contrastive model")
        asked = sorted((one for one in requests if isinstance(one, MatchTexts)), key=lambda one: (one.image, one.id))
        starts = range(0, len(asked), _TOGETHER)
        return [Batch(tuple(asked[start : start + _TOGETHER])) for start in starts]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        asked = [one for one in batch.requests if isinstance(one, MatchTexts)]
        self.asked_count += len(asked)
        answers = [self._answered(request) for request in asked]
        self.meter.count(tokens=0, requests=len(asked))
        return answers

    def _answered(self, request: MatchTexts) -> Response:
        try:
            logits = self._logits(request)
        except Exception as error:
            if not is_lack_of_memory(error):
                raise
            return Response(request_id=request.id, invalid=NO_MEMORY)
        read = sum(count for _, count, _ in map(self._text, request.texts))
        unread = sum(lost for _, _, lost in map(self._text, request.texts))
        if not bool(torch.isfinite(logits).all()):
            return Response(request_id=request.id, context_token_count=read, invalid=NOT_FINITE)
        shares = logits.double().softmax(dim=-1).tolist()
        return Response(
            request_id=request.id,
            label_scores=dict(zip(request.texts, shares, strict=True)),
            context_token_count=read,
            unread_character_count=unread,
        )

    def _logits(self, request: MatchTexts) -> Tensor:
        """Of shape (texts,)."""
        texts = torch.stack([self._text(text)[0] for text in request.texts])
        with torch.inference_mode():
            return (texts @ self._picture(request.image)).float() * self.model.logit_scale.exp().float()

    def _picture(self, name: str) -> Tensor:
        if name not in self._pictures:
            self.encoded_count += 1
            made = self._processor.image_processor(images=[image_of(name)], return_tensors="pt")
            pixels = made["pixel_values"].to(self.model.device, self.model.dtype)
            with torch.inference_mode():
                self._pictures[name] = _unit(self.model.get_image_features(pixel_values=pixels))
        return self._pictures[name]

    def _text(self, text: str) -> tuple[Tensor, int, int]:
        """The vector of a text, how many tokens it has, and how many characters at its end aren't read."""
        if text not in self._texts:
            given = self._spelt(text)
            with torch.inference_mode():
                vector = _unit(self.model.get_text_features(**given))
            whole = self._tokenizer(text, verbose=False)["input_ids"]
            self._texts[text] = vector, min(len(whole), self._length), self._lost(text, len(whole))
            self.meter.count(tokens=given["input_ids"].shape[1], requests=0)
        return self._texts[text]

    def _spelt(self, text: str) -> dict[str, Tensor]:
        """What the model takes: padded to its window, as such models are trained on texts."""
        made = self._tokenizer(
            [text], padding="max_length", truncation=True, max_length=self._length, return_tensors="pt"
        )
        taken = {"input_ids", *({"attention_mask"} if "attention_mask" in self._tokenizer.model_input_names else ())}
        return {name: value.to(self.model.device) for name, value in made.items() if name in taken}

    def _lost(self, text: str, token_count: int) -> int:
        if token_count <= self._length or not self._tokenizer.is_fast:
            return 0
        cut = self._tokenizer(text, truncation=True, max_length=self._length, return_offsets_mapping=True)
        return len(text) - max((end for _, end in cut["offset_mapping"]), default=0)

    def _check(self) -> None:
        """Raises `ModelError` where the vectors don't give the model's own logits, apart from what all texts share."""
        request = MatchTexts(image=trial_picture(), texts=_TRIAL)
        try:
            found = self._logits(request).log_softmax(-1)
            pixels = self._processor.image_processor(images=[image_of(request.image)], return_tensors="pt")
            texts = [self._spelt(text) for text in _TRIAL]
            given = {name: torch.cat([one[name] for one in texts]) for name in texts[0]}
            with torch.inference_mode():
                own = self.model(pixel_values=pixels["pixel_values"].to(self.model.device, self.model.dtype), **given)
            error = float((own.logits_per_image[0].float().log_softmax(-1) - found).abs().max())
        except Exception as fault:  # whatever an architecture does otherwise
            raise ModelError(f"a trial picture can't be read ({type(fault).__name__}: {str(fault)[:300]})") from fault
        if not error <= tolerance(self.model.dtype):
            raise ModelError(f"its vectors don't give its own logits: they differ by {error:.2g} nats on a trial")


def _unit(made: Any) -> Tensor:
    """The vector of one picture or text, of shape (width,) and length 1."""
    vector: Tensor = getattr(made, "pooler_output", made)[0]
    return vector / vector.norm()
