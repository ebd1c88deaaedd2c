"""The white boxes of the kinds of models: what compares the choices of one request, with gradients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from harness.core.requests import Attribute, AttributePicture, Classify, Loglikelihood, MultimodalLoglikelihood
from harness.engine.attribution.ablations import Decision, Unusable
from harness.engine.attribution.pictured import PicturedDecision
from harness.engine.attribution.whitebox import EmbeddedDecision, Passage, WhiteBox, repeated, targeted
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.classifier import ClassifierModel
from harness.engine.kinds.masked import MaskedModel
from harness.engine.kinds.seq2seq import Seq2SeqModel
from harness.engine.kinds.vision_language import VisionLanguageModel
from harness.engine.packing import packed_arguments
from harness.engine.padding import padded
from harness.engine.scoring import logits_with_gradients
from harness.engine.tree import packed_row, path_row

__all__ = ["CausalBox", "ClassifierBox", "MaskedBox", "SeeingBox", "Seq2SeqBox"]

APART = "its choices have lengths that the model reads in different ways, so they can't be compared in one pass"


class CausalBox(WhiteBox):
    """All choices in one packed row, where the model can be packed; else a row for each."""

    def __init__(self, inner: CausalModel) -> None:
        super().__init__(inner, inner.encoder.tokenizer)

    @override
    def passage(self, request: Attribute) -> Passage:
        readings = self.inner.encoder.loglikelihoods(_pairs(request))
        inputs = sorted({reading.inputs for reading in readings})
        if len({self.inner.lengths.way(len(one)) for one in inputs}) > 1:
            raise Unusable(APART)
        rows = [path_row(one) for one in inputs] if self.inner.plain_reason else [packed_row(inputs, 0)]
        arguments = packed_arguments(self.model, rows)
        width = arguments["input_ids"].shape[1]
        ends = {one: (index, end) for index, row in enumerate(rows) for one, end in row.ends.items()}
        places, targets, owners = [], [], []
        for choice, reading in enumerate(readings):
            index, end = ends[reading.inputs]
            places += [index * width + step for step in rows[index].path(end, len(reading.targets))]
            targets += reading.targets
            owners += [choice] * len(reading.targets)
        scores = _Targets(self.model, arguments, places, targets, owners, len(readings))
        return Passage(beginnings=tuple(inputs), row_tokens=len(rows) * width, scores=scores)


class SeeingBox(CausalBox):
    """As `CausalBox`; gradients are followed into pictures, too, where these are tokens of their own to the model."""

    def __init__(self, inner: VisionLanguageModel) -> None:
        super().__init__(inner)
        self.follows_pictures = inner.own_way_reason is None
        self._pictures = inner.percepts

    @override
    def embedded(self, request: Attribute, units: Sequence[str], decision: Decision) -> EmbeddedDecision:
        """Of a request about a picture, the decision as a function of its pixels."""
        if not isinstance(request, AttributePicture):
            return super().embedded(request, units, decision)
        return PicturedDecision(self, self._pictures, self.passage(request), request, decision.index)


class MaskedBox(WhiteBox):
    """A row for each sequence in which a token of a choice is masked."""

    def __init__(self, inner: MaskedModel) -> None:
        super().__init__(inner, inner.encoder.tokenizer)

    @override
    def passage(self, request: Attribute) -> Passage:
        pairs = _pairs(request)
        copies = [(choice, copy) for choice, pair in enumerate(pairs) for copy in self.inner.copies(pair)]
        rows = tuple(sorted({copy.tokens for _, copy in copies}))
        arguments = padded(rows, self.inner.pad_id, self.model.device)
        width = arguments["input_ids"].shape[1]
        scores = _Targets(
            self.model,
            arguments,
            [rows.index(copy.tokens) * width + copy.position for _, copy in copies],
            [copy.target for _, copy in copies],
            [choice for choice, _ in copies],
            len(pairs),
        )
        return Passage(beginnings=rows, row_tokens=len(rows) * width, scores=scores)


class Seq2SeqBox(WhiteBox):
    """The source through the encoder once, each choice through the decoder."""

    def __init__(self, inner: Seq2SeqModel) -> None:
        super().__init__(inner, inner.tokenizer)

    @override
    def embedding_layer(self) -> Any:
        """The encoder's."""
        return self.model.get_encoder().get_input_embeddings()

    @override
    def passage(self, request: Attribute) -> Passage:
        pairs = _pairs(request)
        source, targets = self.inner.spelled(pairs)
        arguments = padded([source], self.inner.pad_id, self.model.device)

        def scores(count: int) -> Tensor:
            given = repeated(arguments, count)
            states = self.model.get_encoder()(**given).last_hidden_state
            logits = self.inner.decoded(
                targets,
                states.repeat_interleave(len(targets), dim=0),
                given["attention_mask"].repeat_interleave(len(targets), dim=0),
            )
            flat = logits.reshape(count, -1, logits.shape[-1])
            places = [choice * logits.shape[1] + step for choice, one in enumerate(targets) for step in range(len(one))]
            owners = [choice for choice, one in enumerate(targets) for _ in one]
            return targeted(flat, places, [token for one in targets for token in one], owners, len(targets))

        return Passage(beginnings=(source,), row_tokens=len(source) + sum(map(len, targets)), scores=scores)


class ClassifierBox(WhiteBox):
    """The text, or the pair of texts, in one row."""

    def __init__(self, inner: ClassifierModel) -> None:
        super().__init__(inner, inner.tokenizer)

    @override
    def passage(self, request: Attribute) -> Passage:
        row, arguments = self.inner.spelled(Classify(text=request.context, text_pair=request.text_pair))

        def scores(count: int) -> Tensor:
            return self.model(**repeated(arguments, count)).logits.float().log_softmax(dim=-1)

        return Passage(beginnings=(row.tokens,), row_tokens=len(row.tokens), scores=scores)


class _Targets:
    """Sums of the log-probabilities of given tokens at flat positions of some rows, by choice."""

    def __init__(
        self,
        model: Any,
        arguments: dict[str, Any],
        places: list[int],
        targets: list[int],
        owners: list[int],
        choices: int,
    ) -> None:
        self._model, self._arguments = model, arguments
        self._targets, self._owners, self._choices = targets, owners, choices
        self._unique, where = np.unique(places, return_inverse=True)
        self._where = where.tolist()

    def __call__(self, count: int) -> Tensor:
        given = repeated(self._arguments, count)
        size = self._arguments["input_ids"].numel()
        positions = (np.arange(count)[:, None] * size + self._unique).ravel()
        logits = logits_with_gradients(self._model, given, positions)
        if len(logits) != len(positions):
            # MobileBERT multiplies by its head's weights without calling it, so every position is there.
            logits = logits[torch.from_numpy(positions).to(logits.device)]
        shaped = logits.reshape(count, len(self._unique), -1)
        return targeted(shaped, self._where, self._targets, self._owners, self._choices)


def _pairs(request: Attribute) -> list[Loglikelihood]:
    if isinstance(request, AttributePicture):
        return [
            MultimodalLoglikelihood(context=request.context, continuation=one, media=request.media)
            for one in request.continuations
        ]
    return [Loglikelihood(context=request.context, continuation=one) for one in request.continuations]
