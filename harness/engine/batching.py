"""Whole texts through a model with a head for labels, many at a time."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from harness.core.meters import Meter
from harness.core.requests import EmbeddingNoise
from harness.engine.encoding import Tokens
from harness.engine.halving import Halving
from harness.engine.lengths import known_lengths
from harness.engine.noise import with_noise
from harness.engine.padding import padded, padding_id
from harness.engine.planner import cut
from harness.engine.rounding import tolerance

__all__ = ["InputRow", "RowReader"]

Item = TypeVar("Item")

_PROBES = ("the river", "the committee met on Tuesday to discuss energy, water and schools")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class InputRow:
    """One text as the model reads it, special tokens included; `types` tells the texts of a pair apart."""

    tokens: Tokens
    types: Tokens | None = None


class RowReader:
    """Gives the logits of rows with one model; `batch_tokens` bounds the padded tokens of one forward pass.

    Rows of unlike lengths are padded into one batch where that changes nothing but rounding, which is tried on two
    short texts; else rows of one length make a batch, or each row is read by itself. A decoder with a head for labels
    takes the last token before the padding, so without a padding token it takes one row at a time.
    """

    def __init__(self, model: Any, tokenizer: Any, *, batch_tokens: int, max_length: int, meter: Meter) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._batch_tokens = batch_tokens
        self._max_length = max_length
        self._meter = meter
        self._passes: Halving[InputRow, list[Tensor]] = Halving(batch_tokens)
        self._pad_id = padding_id(model, tokenizer)
        self._way = known_lengths(model).way

    def rows(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        noises: Sequence[EmbeddingNoise | None] = (),
    ) -> list[InputRow]:
        """Each text, or pair of texts, as a row; one too long loses its end, of a pair the longer text does.

        `noises` are what lies on the first text of each, none by default.
        """
        if not texts:
            return []
        seconds = None if pairs is None else list(pairs)
        options = {"return_offsets_mapping": True} if any(noises) else {}
        found = self._tokenizer(
            list(texts), seconds, truncation=True, max_length=self._max_length, verbose=False, **options
        )
        rows = _rows(found)
        for index, noise in enumerate(noises):
            if noise:
                first = [place for place, text in enumerate(found.sequence_ids(index)) if text == 0]
                offsets = found["offset_mapping"][index]
                tokens = with_noise(self._model, rows[index].tokens, offsets, noise, first)
                rows[index] = replace(rows[index], tokens=tokens)
        return rows

    def unread_character_count(self, row: InputRow, text: str, pair: str | None = None) -> int:
        """How many characters are lost at the ends of a text, or of a pair of texts, that `row` has no room for."""
        if len(row.tokens) < self._max_length or not self._tokenizer.is_fast:
            return 0
        kept = self._tokenizer(
            text, pair, truncation=True, max_length=self._max_length, return_offsets_mapping=True, verbose=False
        )
        ends = [0, 0]
        for owner, (_, end) in zip(kept.sequence_ids(0), kept["offset_mapping"], strict=True):
            if owner is not None:
                ends[owner] = max(ends[owner], end)
        return sum(len(one.rstrip()[end:]) for one, end in zip((text, pair or ""), ends, strict=True))

    def rows_of_words(
        self, sentences: Sequence[Sequence[str]], *, truncated: bool = False
    ) -> list[tuple[InputRow, list[int | None]]]:
        """Each list of words as a row, and which word each of its tokens is of, None for a special token.

        Rows may be longer than the model's window unless `truncated`: then they lose their ends.
        """
        if not sentences:
            return []
        length = {"truncation": True, "max_length": self._max_length} if truncated else {}
        found = self._tokenizer([list(words) for words in sentences], is_split_into_words=True, verbose=False, **length)
        return [(row, found.word_ids(index)) for index, row in enumerate(_rows(found))]

    def batches(self, items: Sequence[tuple[int, InputRow, Item]]) -> Iterator[list[Item]]:
        """Items cut into batches by their lengths, the longest first; a row may bring its item a length beyond its own.

        Depends on the set of items alone, whose rows must be in a total order.
        """
        groups: dict[Any, list[tuple[int, InputRow, Item]]] = {}
        for length, row, item in items:
            groups.setdefault(self._key(row), []).append((length, row, item))
        for _, group in sorted(groups.items(), reverse=True):
            group.sort(key=lambda one: (-one[0], one[1].tokens, one[1].types or ()))
            for part in cut([length for length, _, _ in group], self._batch_tokens):
                yield [item for _, _, item in group[part.start : part.stop]]

    def logits(self, rows: Sequence[InputRow]) -> Mapping[InputRow, Tensor]:
        """Logits of each distinct row on the CPU, in float32, padding cut off.

        Their shape is (labels) or (tokens, labels). A row that the memory can't hold is left out.
        """
        groups: dict[Any, list[InputRow]] = {}
        for row in sorted(set(rows), key=lambda row: (-len(row.tokens), row.tokens, row.types or ())):
            groups.setdefault(self._key(row), []).append(row)
        found: dict[InputRow, Tensor] = {}
        for group in groups.values():
            for part, answers in self._passes.run(group, lambda row: len(row.tokens), self._forward):
                found.update(zip(part, answers or [], strict=False))
        return found

    def _key(self, row: InputRow) -> tuple[Any, ...]:
        """Rows with the same key may be one batch."""
        config = self._model.config
        # A model of encoder and decoder labels what stands at the last end-of-text token, and counts them.
        ends = row.tokens.count(config.eos_token_id) if config.is_encoder_decoder else 0
        if self._pads:
            return (ends, self._way(len(row.tokens)))
        return (ends, len(row.tokens)) if self._batches else (ends, len(row.tokens), row.tokens, row.types or ())

    @cached_property
    def _pads(self) -> bool:
        return self._is_exact(self.rows(_PROBES), "of one length at a time: padding")

    @cached_property
    def _batches(self) -> bool:
        probe = self.rows(_PROBES[:1])
        return self._is_exact([*probe, *probe], "one at a time: a second one in the batch")

    def _is_exact(self, probes: Sequence[InputRow], otherwise: str) -> bool:
        """Whether the probes' logits are the same together as alone, but for rounding."""
        alone = [self._forward([row])[0] for row in probes]
        try:
            together = self._forward(probes)
        except Exception as fault:  # whatever a model does with a batch that it isn't made for
            _log.info("reading texts %s fails (%s: %s)", otherwise, type(fault).__name__, fault)
            return False
        error = max(float((one - other).abs().max()) for one, other in zip(alone, together, strict=True))
        if error > tolerance(self._model.dtype):
            _log.info("reading texts %s changes a logit by %.2g", otherwise, error)
            return False
        # Logits that are no numbers are so in any batch, and are reported request by request.
        return True

    def arguments(self, rows: Sequence[InputRow]) -> dict[str, Tensor]:
        """What the model's forward pass takes for the rows, padded on the right."""
        arguments = padded([row.tokens for row in rows], self._pad_id, self._model.device)
        if rows[0].types is not None:
            types = padded([row.types or () for row in rows], 0, self._model.device)
            arguments["token_type_ids"] = types["input_ids"]
        return arguments

    def _forward(self, rows: Sequence[InputRow]) -> list[Tensor]:
        with torch.inference_mode():
            logits = self._model(**self.arguments(rows)).logits.float().cpu()
        self._meter.count(tokens=sum(len(row.tokens) for row in rows), requests=0)
        return [one[: len(row.tokens)] if one.dim() > 1 else one for one, row in zip(logits, rows, strict=True)]


def _rows(encoded: Any) -> list[InputRow]:
    types = encoded.get("token_type_ids")
    return [
        InputRow(tuple(tokens), tuple(types[index]) if types else None)
        for index, tokens in enumerate(encoded["input_ids"])
    ]
