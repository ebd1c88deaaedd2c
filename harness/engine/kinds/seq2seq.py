"""The model of encoder-decoder transformers: what is likely to be written of a source, and what is written."""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint, quiet
from harness.checkpoints.vocabulary import word_count
from harness.core.errors import ModelError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import EmbeddingNoise, GenerateUntil, Loglikelihood, Request, Response, Stop
from harness.core.text.reasons import Reason
from harness.core.text.truncation import long_continuation
from harness.engine.encoding import Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.noise import with_noise
from harness.engine.padding import padded, padding_id
from harness.engine.planner import cut
from harness.engine.rounding import NOT_FINITE
from harness.engine.scoring import ReadingScore
from harness.engine.writing.generation import end_ids
from harness.engine.writing.hooks import Stops, Watch, instead_of_its_own
from harness.engine.writing.languages import Languages
from harness.engine.writing.steering import stop_strings
from harness.engine.writing.stops import StopSpelling

__all__ = ["Seq2SeqModel"]

_BEAMS_AND_SAMPLES = "beams and sampling don't go together: set num_beams to 1 or temperature to 0"
_LOGITS = 2**26
"""Numbers that the logits of one forward pass of the decoder may hold, whatever the budget: vocabularies are large."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the encoder reads, and what the decoder is to predict after its prefix."""

    source: Tokens
    targets: Tokens


class Seq2SeqModel(Model):
    """Answers requests with a loaded encoder-decoder model (`Model` in core).

    As in lm-evaluation-harness, the encoder reads the context with the special tokens of its tokenizer, the decoder
    the continuation without any, and spaces at the end of the context count to the continuation. The encoder reads a
    context once for all continuations of a batch. A context that is too long loses its beginning and none of its
    special tokens. Generation follows the checkpoint's `GenerationSettings`, and the request in length, beams and
    sampling. A model of many languages reads and writes those that the user names.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model = loaded.model
        self.tokenizer = loaded.tokenizer
        self.max_length = loaded.max_length
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        languages = Languages(loaded)
        start = _start_id(loaded.model)
        self._likelihood_prefix: Tokens = languages.prefix(start)
        self._generation = languages.generation_settings(start)
        self._own_stops = stop_strings(loaded.checkpoint.generation.followed)
        self._spelling = StopSpelling(loaded.tokenizer)
        self._ends = end_ids(loaded.model, loaded.tokenizer)
        self.pad_id = padding_id(loaded.model, loaded.tokenizer)
        self._sources: dict[str, Tokens] = {}
        self._targets: dict[str, Tokens] = {}
        self._scoring: Halving[Loglikelihood, dict[_Reading, ReadingScore]] = Halving(batch_tokens)
        self._writing: Halving[GenerateUntil, list[Response]] = Halving(batch_tokens)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Choices by source, then generations."""
        requests = sorted(requests, key=lambda request: request.id)
        pairs = [request for request in requests if isinstance(request, Loglikelihood)]
        prompts = [request for request in requests if isinstance(request, GenerateUntil)]
        refuse_others(requests, (Loglikelihood, GenerateUntil), "a sequence-to-sequence model")
        self._encode_pairs([pair for pair in pairs if pair.id not in self._sources])
        self._encode_prompts([prompt for prompt in prompts if prompt.id not in self._sources])
        return [*self._plan_pairs(pairs), *self._plan_prompts(prompts)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        pairs = [request for request in batch.requests if isinstance(request, Loglikelihood)]
        prompts = [request for request in batch.requests if isinstance(request, GenerateUntil)]
        found = [*self._score(pairs), *self._write(prompts)]
        self.meter.count(tokens=0, requests=len(batch.requests))
        asked = {request.id: request for request in batch.requests}
        return [replace(one, unread_character_count=self._unread(asked[one.request_id])) for one in found]

    def spelled(self, pairs: Sequence[Loglikelihood]) -> tuple[Tokens, list[Tokens]]:
        """What the encoder reads for pairs that share their context, and what the decoder predicts for each."""
        self._encode_pairs(pairs)
        return self._sources[pairs[0].id], [self._targets[pair.id] for pair in pairs]

    def forget(self, request_ids: Collection[str]) -> None:
        """Let go of what was kept of requests that won't be asked again."""
        for name in request_ids:
            self._sources.pop(name, None)
            self._targets.pop(name, None)

    def _encode_pairs(self, pairs: Sequence[Loglikelihood]) -> None:
        contexts = {pair.id: pair.parted[0] for pair in pairs}
        sources = self._read_sources([(contexts[pair.id], pair.noise) for pair in pairs])
        continuations = {pair.id: pair.parted[1] for pair in pairs}
        texts = list(dict.fromkeys(continuations.values()))
        rows = self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []
        targets = dict(zip(texts, map(tuple, rows), strict=True))
        for pair in pairs:
            self._sources[pair.id] = sources[contexts[pair.id], pair.noise]
            self._targets[pair.id] = targets[continuations[pair.id]]

    def _encode_prompts(self, prompts: Sequence[GenerateUntil]) -> None:
        sources = self._read_sources([(prompt.context, prompt.noise) for prompt in prompts])
        self._sources.update((prompt.id, sources[prompt.context, prompt.noise]) for prompt in prompts)

    def _read_sources(
        self, asked: Sequence[tuple[str, EmbeddingNoise | None]]
    ) -> dict[tuple[str, EmbeddingNoise | None], Tokens]:
        """Token ids of each text with its noise.

        An empty text stands for the beginning-of-text token, else the end-of-text one.
        """
        plain = self._encoded(list(dict.fromkeys(text for text, _ in asked)), "input_ids")
        noisy = list(dict.fromkeys(text for text, noise in asked if noise and text))
        offsets = self._encoded(noisy, "offset_mapping", return_offsets_mapping=True)
        return {
            (text, noise): with_noise(self.model, plain[text], offsets[text], noise) if noise and text else plain[text]
            for text, noise in asked
        }

    def _encoded(self, texts: Sequence[str], column: str, **options: Any) -> dict[str, Any]:
        if not texts:
            return {}
        side, self.tokenizer.truncation_side = self.tokenizer.truncation_side, "left"
        try:
            rows = self.tokenizer(list(texts), truncation=True, max_length=self.max_length, verbose=False, **options)[
                column
            ]
        finally:
            self.tokenizer.truncation_side = side
        found = dict(zip(texts, map(tuple, rows), strict=True))
        if "" in found:
            ends = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, self.pad_id)
            words = word_count(self.model)
            found[""] = (next(int(end) for end in ends if end is not None and end < words),)
        return found

    def _unread(self, request: Request) -> int:
        """How many characters at the beginning of a context are lost, as the encoder has no room for them."""
        assert isinstance(request, Loglikelihood | GenerateUntil)
        if len(self._sources[request.id]) < self.max_length:
            return 0
        context = request.parted[0] if isinstance(request, Loglikelihood) else request.context
        if not self.tokenizer.is_fast:
            kept = self.tokenizer.decode(self._sources[request.id], skip_special_tokens=True)
            return max(len(context) - len(kept), 0)
        offsets = self._encoded([context], "offset_mapping", return_offsets_mapping=True)[context]
        start = next((start for start, end in offsets if end > start), 0)
        return start if context[:start].strip() else 0

    def _plan_pairs(self, pairs: Sequence[Loglikelihood]) -> Iterator[Batch]:
        askers: dict[Tokens, list[Loglikelihood]] = {}
        for pair in pairs:
            askers.setdefault(self._sources[pair.id], []).append(pair)
        ordered = sorted(askers, key=lambda source: (-len(source), source))
        for part in cut([len(source) for source in ordered], self.batch_tokens):
            chosen = ordered[part.start : part.stop]
            found = tuple(pair for source in chosen for pair in askers[source])
            written = sum(len(self._targets[pair.id]) for pair in found)
            asked = sum(len(self._sources[pair.id]) for pair in found) + written
            yield Batch(found, None, asked, sum(map(len, chosen)) + written)

    def _plan_prompts(self, prompts: Sequence[GenerateUntil]) -> Iterator[Batch]:
        groups: dict[tuple[Any, ...], list[GenerateUntil]] = {}
        for prompt in prompts:
            groups.setdefault(self._settings(prompt), []).append(prompt)
        for _, group in sorted(groups.items()):
            group.sort(key=lambda prompt: (-len(self._sources[prompt.id]), self._sources[prompt.id], prompt.id))
            for part in cut([self._width(prompt) for prompt in group], self.batch_tokens):
                found = tuple(group[part.start : part.stop])
                read = sum(len(self._sources[prompt.id]) for prompt in found)
                yield Batch(found, None, read, read)

    def _settings(self, prompt: GenerateUntil) -> tuple[Any, ...]:
        """Prompts with the same settings may be one batch; one that is sampled is one by itself.

        So is one whose own tokens have a penalty: padding would have it, too.
        """
        own = (prompt.temperature, prompt.top_p, prompt.id) if prompt.temperature > 0 else (0.0, 1.0, "")
        alone = prompt.id if self._generation.encoder_repetition_penalty else ""
        return (prompt.num_beams, prompt.max_tokens, prompt.until, *own, alone)

    def _width(self, prompt: GenerateUntil) -> int:
        """Tokens of a prompt in a batch, those to be written by each beam included."""
        return (len(self._sources[prompt.id]) + prompt.max_tokens) * prompt.num_beams

    def _score(self, pairs: Sequence[Loglikelihood]) -> Iterator[Response]:
        fitting = [pair for pair in pairs if 0 < len(self._targets[pair.id]) <= self._room]
        verdicts: dict[_Reading, ReadingScore] = {}
        for _, found in self._passes(fitting):
            verdicts |= found or {}
        for pair in pairs:
            yield self._scored(pair, verdicts)

    @property
    def _room(self) -> int:
        """Tokens that the decoder can predict after its prefix."""
        return self.max_length - len(self._likelihood_prefix) + 1

    def _passes(
        self, pairs: Sequence[Loglikelihood]
    ) -> Iterator[tuple[Sequence[Loglikelihood], dict[_Reading, ReadingScore] | None]]:
        if self._scoring.batch_tokens < self.batch_tokens:
            return self._scoring.run(pairs, lambda pair: len(self._sources[pair.id]), self._read)
        # The whole of a planned batch: each source counts once, however many continuations it has.
        return self._scoring.run(pairs, lambda _pair: 0, self._read)

    def _scored(self, pair: Loglikelihood, verdicts: Mapping[_Reading, ReadingScore]) -> Response:
        source, targets = self._sources[pair.id], self._targets[pair.id]
        verdict = verdicts.get(_Reading(source, targets)) if targets else ReadingScore(0.0, True)
        invalid: str | None = None
        if len(targets) > self._room:
            invalid = long_continuation(len(targets))
        elif verdict is None:
            invalid = NO_MEMORY
        elif not math.isfinite(verdict.loglikelihood):
            invalid = NOT_FINITE
        usable = verdict if invalid is None else None
        return Response(
            request_id=pair.id,
            loglikelihood=usable.loglikelihood if usable else None,
            is_greedy=usable.is_greedy if usable else None,
            token_count=len(targets),
            context_token_count=len(source),
            invalid=invalid,
        )

    def _read(self, pairs: Sequence[Loglikelihood]) -> dict[_Reading, ReadingScore]:
        """The verdicts on some pairs, each of their sources read once."""
        readings = sorted(
            {_Reading(self._sources[pair.id], self._targets[pair.id]) for pair in pairs},
            key=lambda reading: (-len(reading.targets), reading.targets, reading.source),
        )
        sources = sorted({reading.source for reading in readings}, key=lambda source: (-len(source), source))
        arguments = padded(sources, self.pad_id, self.model.device)
        with torch.inference_mode():
            states = self.model.get_encoder()(**arguments).last_hidden_state
            self.meter.count(tokens=sum(map(len, sources)), requests=0)
            place = {source: index for index, source in enumerate(sources)}
            verdicts: dict[_Reading, ReadingScore] = {}
            for part in self._parts(readings, len(sources[0])):
                rows = torch.tensor([place[reading.source] for reading in part], device=self.model.device)
                verdicts |= self._predict(part, states[rows], arguments["attention_mask"][rows])
        return verdicts

    def _parts(self, readings: Sequence[_Reading], source_width: int) -> Iterator[Sequence[_Reading]]:
        """Readings cut so that neither the padded tokens nor the logits of one pass of the decoder are too many."""
        prefix = len(self._likelihood_prefix)
        logits = max(_LOGITS // self.model.config.get_text_config().vocab_size, 1)
        start = 0
        while start < len(readings):
            width = len(readings[start].targets) + prefix - 1
            count = max(min(self._scoring.batch_tokens // max(width, source_width), logits // width), 1)
            yield readings[start : start + count]
            start += count

    def decoded(self, targets: Sequence[Tokens], states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits of shape (rows, longest of `targets`, vocabulary) in front of each target.

        `states` are the encoder's, of shape (rows, source tokens, width), and `mask` says which of them are read. There
        may be several times as many rows as targets: these are then gone through again and again.
        """
        prefix = self._likelihood_prefix
        inputs = padded([(*prefix, *one[:-1]) for one in targets], self.pad_id, self.model.device)["input_ids"]
        output = self.model(
            encoder_outputs=(states,),
            attention_mask=mask,
            decoder_input_ids=inputs.repeat(len(states) // len(inputs), 1),
            use_cache=False,
        )
        logits: torch.Tensor = output.logits[:, len(prefix) - 1 :]
        return logits

    def _predict(
        self, readings: Sequence[_Reading], states: torch.Tensor, mask: torch.Tensor
    ) -> dict[_Reading, ReadingScore]:
        logits = self.decoded([reading.targets for reading in readings], states, mask)
        self.meter.count(tokens=sum(len(reading.targets) for reading in readings), requests=0)
        wanted = padded([reading.targets for reading in readings], 0, self.model.device)
        targets, seen = wanted["input_ids"], wanted["attention_mask"].bool()
        logits = logits.float()
        chances = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1).double() - logits.logsumexp(dim=-1).double()
        greedy = ((logits.argmax(dim=-1) == targets) | ~seen).all(dim=-1).tolist()
        totals = chances.masked_fill(~seen, 0).sum(dim=-1).tolist()
        return {
            reading: ReadingScore(total, same) for reading, total, same in zip(readings, totals, greedy, strict=True)
        }

    def _write(self, prompts: Sequence[GenerateUntil]) -> Iterator[Response]:
        fitting = []
        for prompt in prompts:
            if prompt.max_tokens >= self.max_length:
                reason = Reason(
                    "{count} tokens to write don't fit into the model's window of {window}",
                    count=prompt.max_tokens,
                    window=self.max_length,
                )
                yield Response(request_id=prompt.id, invalid=reason)
            elif prompt.num_beams > 1 and prompt.temperature > 0:
                yield Response(request_id=prompt.id, invalid=_BEAMS_AND_SAMPLES)
            else:
                fitting.append(prompt)
        for group, found in self._writing.run(fitting, self._width, self._decode):
            yield from found or [Response(request_id=prompt.id, invalid=NO_MEMORY) for prompt in group]

    def _decode(self, prompts: Sequence[GenerateUntil]) -> list[Response]:
        first = prompts[0]
        sources = [self._sources[prompt.id] for prompt in prompts]
        settings = deepcopy(self._generation)
        settings.update(
            num_return_sequences=1,
            do_sample=first.temperature > 0,
            temperature=first.temperature or None,
            top_p=first.top_p if first.temperature > 0 else None,
            top_k=(first.top_k or 0) if first.temperature > 0 else None,
            num_beams=first.num_beams,
            max_new_tokens=first.max_tokens,
            max_length=None,
        )
        watch = Watch(len(prompts))
        until = (*first.until, *self._own_stops)
        stops = [Stops(lambda row: self._spelling.stopped(self._own(row), until))] if first.num_beams == 1 else []
        with (
            torch.inference_mode(),
            torch.random.fork_rng(enabled=settings.do_sample),
            quiet(),
            instead_of_its_own(self.model, settings),
        ):
            if settings.do_sample:
                torch.manual_seed(_seed(first))
            written = self.model.generate(
                **padded(sources, self.pad_id, self.model.device),
                generation_config=settings,
                logits_processor=LogitsProcessorList([watch]),
                stopping_criteria=StoppingCriteriaList(stops),
            )
        rows = [self._own(row) for row in written.tolist()]
        self.meter.stage("decode")
        self.meter.count(tokens=sum(map(len, [*sources, *rows])), requests=0)
        return [self._written(*one) for one in zip(prompts, sources, rows, watch.usable, strict=True)]

    def _own(self, row: Sequence[int]) -> Tokens:
        """What the model wrote: without the token that the decoder begins with, up to the end-of-text token."""
        own = row[1:]
        end = next((place for place, token in enumerate(own) if token in self._ends), len(own))
        return tuple(own[:end])

    def _written(self, prompt: GenerateUntil, source: Tokens, row: Tokens, usable: bool) -> Response:
        if not usable:
            return Response(request_id=prompt.id, context_token_count=len(source), invalid=NOT_FINITE)
        until = (*prompt.until, *self._own_stops)
        ends = (end for end in range(1, len(row) + 1) if self._spelling.stopped(row[:end], until))
        stopped = next(ends, None)
        kept = row[:stopped]
        # A row as long as it may be was cut: one that ended by itself lacks the end-of-text token.
        usual: Stop = "length" if len(row) >= prompt.max_tokens else "end"
        return Response(
            request_id=prompt.id,
            **self._spelling.reply(kept, prompt.until, usual if stopped is None else "stop string"),
            token_ids=kept,
            token_count=len(kept),
            context_token_count=len(source),
        )


def _seed(prompt: GenerateUntil) -> int:
    return int.from_bytes(hashlib.sha256(f"{prompt.seed}:{prompt.id}".encode()).digest()[:8], "big") >> 1


def _start_id(model: Any) -> int:
    """The token that the decoder begins with. Raises `ModelError` where neither config names one."""
    configs = (model.generation_config, model.config)
    for field in ("decoder_start_token_id", "bos_token_id"):
        for config in configs:
            found = getattr(config, field, None)
            if isinstance(found, int):
                return found
    raise ModelError(
        "names no token for the decoder to begin with", place="config.json", fix="Set decoder_start_token_id in it"
    )
