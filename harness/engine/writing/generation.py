"""Writing after prompts: batches of continuations, greedy or sampled, each until its own end."""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.core.meters import Meter
from harness.core.requests import GenerateUntil, Stop
from harness.engine.devices import writing_bytes
from harness.engine.lengths import Lengths
from harness.engine.packing import StemCache
from harness.engine.planner import Pack, pack_shared
from harness.engine.tree import Tokens
from harness.engine.virtual import real_tokens
from harness.engine.writing.draws import Draws, draw_tokens
from harness.engine.writing.prefill import ReadPack, batching_error, prefill_padded, read_pack
from harness.engine.writing.slots import Slots
from harness.engine.writing.steering import Steer, Steering
from harness.engine.writing.stops import StopSpelling

__all__ = ["Continuation", "Writer", "choose_tokens", "end_ids"]

_log = logging.getLogger(__name__)

_TURNS = 4
"""A batch has so many times the texts that are there at once. With more, fewer steps would be for a few last texts, and
more would be lost where a run is interrupted."""
_FEW = 0.75
"""The share of a batch's rows that still write at which the others are dropped, which copies the memory once."""


@dataclass(slots=True)
class Continuation:
    """What is being written after one prompt. `token_ids` leave out the end-of-text token.

    `opened` is the marker by which the prompt has the model begin inside its thoughts. `spelt` is the prompt in tokens
    of the vocabulary alone.
    """

    request: GenerateUntil
    prompt: Tokens
    spelt: Tokens
    token_ids: list[int]
    draws: Draws | None
    steers: Sequence[Steer]
    opened: str | None = None
    stop: Stop = "length"
    invalid: bool = False

    def steered(self, logits: Tensor) -> Tensor:
        """The scores of the next token, of shape (vocabulary,), as the checkpoint's settings would have them."""
        if not self.steers:
            return logits
        written = torch.tensor([[*self.spelt, *self.token_ids]], device=logits.device)
        scores = logits.unsqueeze(0)
        for steer in self.steers:
            scores = steer(written, scores)
        return scores[0]


def end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a text, by the tokenizer and by the checkpoint's generation config."""
    configured = model.generation_config.eos_token_id if model.generation_config else None
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(end) for end in (*listed, tokenizer.eos_token_id) if end is not None)


class Writer:
    """Writes after prompts with one model, greedily or by sampling.

    `stems` is given where rows of the model can be packed. `tolerance` is by how many nats one prompt in a batch
    may change what is predicted after another one: models in which it does more get prompts of one length, or one
    prompt, at a time. So do prompts that are, or may become, too long for `lengths` to read them as all others.
    """

    def __init__(
        self,
        model: Any,
        *,
        spelling: StopSpelling,
        ends: frozenset[int],
        steering: Steering,
        stems: StemCache | None,
        tolerance: float,
        lengths: Lengths,
    ) -> None:
        self._model = model
        self._spelling = spelling
        self._ends = ends
        self._steering = steering
        self._stems = stems
        self._tolerance = tolerance
        self._lengths = lengths

    def computed_token_count(self, requests: Sequence[GenerateUntil], prompts: Sequence[Tokens], budget: int) -> int:
        """How many tokens are read for the prompts of these requests together."""
        if not self._take_turns(requests, prompts):
            return sum(map(len, set(prompts)))
        packs = _packs(prompts, budget)
        stems = {pack.stem: len(pack.stem) - max(pack.chain[:-1], default=0) for pack in packs}
        return sum(len(row.tokens) for pack in packs for row in pack.rows) + sum(stems.values())

    def write(
        self,
        requests: Sequence[GenerateUntil],
        prompts: Sequence[Tokens],
        *,
        budget: int,
        room: int,
        meter: Meter,
    ) -> list[Continuation]:
        """Write after each prompt until its request is satisfied; all have one `batch_key`.

        Equal prompts are read once, and where the model can be packed, so is what prompts share, at most `budget`
        tokens at a time. Then so many texts are written at once as `room`, in tokens, holds, and where one ends the
        next begins. The `meter` is told of the tokens read, and of those that were asked for.
        """
        written = [self.begun(request, prompt) for request, prompt in zip(requests, prompts, strict=True)]
        if self._take_turns(requests, prompts):
            self._write_in_turn(written, budget, room, meter)
        else:
            self._write_together(written, meter)
        return written

    def begun(self, request: GenerateUntil, prompt: Tokens) -> Continuation:
        """A text of which nothing is written yet."""
        spelt = real_tokens(self._model, prompt)
        return Continuation(
            request,
            prompt,
            spelt,
            [],
            Draws(request, self._model.device) if request.temperature else None,
            self._steering.of(spelt, request.max_tokens),
            self._spelling.opened_by(spelt),
        )

    def _take_turns(self, requests: Sequence[GenerateUntil], prompts: Sequence[Tokens]) -> bool:
        """Whether one of these texts may begin where another has ended."""
        return self._stems is not None and not any(
            self._lengths.way(len(prompt) + request.max_tokens)
            for request, prompt in zip(requests, prompts, strict=True)
        )

    def batch_key(self, request: GenerateUntil, prompt: Tokens) -> tuple[int | str, ...]:
        """Requests with the same key may be one batch."""
        if self._take_turns([request], [prompt]):
            return ()
        if self._lengths.way(len(prompt) + request.max_tokens):
            alike: tuple[int | str, ...] = (request.max_tokens, len(prompt))
        else:
            # A row that has ended goes on, unread, while others are written: by as much as its own request at most.
            alike = () if math.isinf(self._lengths.switch) else (request.max_tokens,)
        if self._pads:
            return alike
        return (*alike, len(prompt)) if self._batches else (*alike, len(prompt), request.id)

    def width(self, request: GenerateUntil, prompt: Tokens) -> int:
        """Tokens of `room` that a request takes in a batch: a share of its text's where others take turns with it."""
        return math.ceil((len(prompt) + request.max_tokens) / (_TURNS if self._take_turns([request], [prompt]) else 1))

    def room(self, budget: int) -> int:
        """Tokens, prompts and padding included, that are there at once: the memory for them is small beside a model's.

        A step reads all of the weights, whether it is for one row or for many, so batches are as large as that allows.
        `budget` where nothing is known of the model's memory.
        """
        if self._stems is None:
            return budget
        return max(budget, writing_bytes(self._model.device) // self._stems.token_bytes)

    @cached_property
    def _pads(self) -> bool:
        """Whether prompts of several lengths may be one batch."""
        return self._stems is not None or self._is_exact((3, 7), "of one length at a time: padding")

    @cached_property
    def _batches(self) -> bool:
        """Whether several prompts of one length may be one batch."""
        return self._is_exact((5, 5), "one at a time: a second one in the batch")

    def _is_exact(self, lengths: tuple[int, int], otherwise: str) -> bool:
        error = batching_error(self._model, lengths)
        if not error <= self._tolerance:
            _log.info("writing after prompts %s changes a prediction by %.2g nats", otherwise, error)
        return error <= self._tolerance

    def _write_in_turn(self, texts: Sequence[Continuation], budget: int, room: int, meter: Meter) -> None:
        """Write many texts, a few at once: where one ends, another begins."""
        longest = max(len(one.prompt) + one.request.max_tokens for one in texts)
        slots = Slots(self._model, min(len(texts), max(1, room // longest)), longest)
        waiting = _Waiting(texts, budget, lambda pack: self._read(pack, meter))
        rows: list[Continuation] = []
        logits: Tensor | None = None
        while True:
            if begun := waiting.begin(slots):
                rows += [one for one, _ in begun]
                first = torch.stack([after for _, after in begun])
                logits = first if logits is None else torch.cat([logits, first])
            if logits is None:
                return
            chosen = choose_tokens(logits.float(), rows)
            for place in reversed(range(len(rows))):
                if self.finish(rows[place], chosen[place]):
                    slots.end(place, clean=rows[place].invalid)
                    rows[place] = rows[-1]
                    rows.pop()
            logits = slots.append([one.token_ids[-1] for one in rows]) if rows else None
            meter.count(tokens=len(rows), requests=0)

    def _read(self, pack: Pack, meter: Meter) -> ReadPack:
        assert self._stems is not None
        meter.stage("prefill")
        read, count = read_pack(self._model, self._stems, pack)
        meter.count(tokens=count, requests=0)
        meter.stage("decode")
        return read

    def _write_together(self, rows: list[Continuation], meter: Meter) -> None:
        """Write texts that all begin at once."""
        prompts = list(dict.fromkeys(one.prompt for one in rows))
        meter.stage("prefill")
        memory, read = prefill_padded(self._model, prompts, self._lengths.way)
        meter.count(tokens=sum(map(len, prompts)), requests=0)
        meter.stage("decode")
        places = {prompt: index for index, prompt in enumerate(prompts)}
        index = [places[one.prompt] for one in rows]
        memory.select(index)
        logits = read[index]
        active = [True] * len(rows)
        while True:
            chosen = choose_tokens(logits.float(), rows)
            for place, one in enumerate(rows):
                active[place] = active[place] and not self.finish(one, chosen[place])
            if not any(active):
                return
            if sum(active) <= _FEW * len(rows):
                keep = [place for place, goes_on in enumerate(active) if goes_on]
                memory.select(keep)
                rows, active = [rows[place] for place in keep], [True] * len(keep)
            logits = memory.append([one.token_ids[-1] if one.token_ids else 0 for one in rows])
            meter.count(tokens=sum(active), requests=0)

    def finish(self, one: Continuation, token: int | None) -> bool:
        """Append the token; whether that ends the continuation."""
        if token is None:
            one.invalid = True
            return True
        if token in self._ends:
            one.stop = "end"
            return True
        one.token_ids.append(token)
        until = (*one.request.until, *self._steering.stop_strings)
        if any(until) and self._spelling.just_stopped(one.token_ids, until, one.opened):
            one.stop = "stop string"
            return True
        return len(one.token_ids) >= one.request.max_tokens


class _Waiting:
    """Texts whose prompts are read when it is their turn, a pack at a time; those after one prompt begin together."""

    def __init__(self, texts: Sequence[Continuation], budget: int, read: Callable[[Pack], ReadPack]) -> None:
        self._texts: dict[Tokens, list[Continuation]] = {}
        for one in texts:
            self._texts.setdefault(one.prompt, []).append(one)
        self._packs = map(read, _packs(self._texts, budget))
        self._next: deque[Continuation] = deque()

    def begin(self, slots: Slots) -> list[tuple[Continuation, Tensor]]:
        """As many as the slots have room for, with the logits after their prompts."""
        begun: list[tuple[Continuation, Tensor]] = []
        while slots.free and (self._next or self._read_on()):
            texts = [self._next.popleft() for _ in range(min(slots.free, len(self._next)))]
            slots.begin(self._pack, [one.prompt for one in texts])
            begun += ((one, self._pack.logits[one.prompt]) for one in texts)
        return begun

    def _read_on(self) -> bool:
        """Read the next pack, if there is one."""
        pack = next(self._packs, None)
        if pack is not None:
            self._pack = pack
            self._next.extend(one for prompt in pack.logits for one in self._texts[prompt])
        return pack is not None


def _packs(prompts: Iterable[Tokens], budget: int) -> list[Pack]:
    return pack_shared({prompt: len(prompt) - 1 for prompt in prompts}, budget)


def choose_tokens(logits: Tensor, active: Sequence[Continuation]) -> list[int | None]:
    """The next token of each row; None where its logits are not finite."""
    best, greedy = (column.tolist() for column in logits.max(dim=-1))
    chosen: list[int | None] = [token if math.isfinite(best[row]) else None for row, token in enumerate(greedy)]
    drawing: list[tuple[int, Draws, Tensor]] = []
    for row, one in enumerate(active):
        if chosen[row] is None:
            continue
        scores = one.steered(logits[row])
        if one.steers:
            highest, token = scores.max(dim=-1)
            chosen[row] = int(token) if math.isfinite(float(highest)) else None
        if one.draws is not None and chosen[row] is not None:
            drawing.append((row, one.draws, scores))
    if drawing:
        tokens = draw_tokens([draws for _, draws, _ in drawing], [scores for _, _, scores in drawing])
        for (row, _, _), token in zip(drawing, tokens, strict=True):
            chosen[row] = token
    return chosen
