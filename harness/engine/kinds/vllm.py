"""Causal models in vLLM, whose scheduler batches what is asked and whose cache of prefixes keeps what texts share.

Source: Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention" (2023).
"""

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from typing_extensions import override

from harness.checkpoints.headers import stored_tensors
from harness.checkpoints.loading.held import held
from harness.checkpoints.loading.loader import Loader
from harness.checkpoints.loading.tokenizing import read_tokenizer
from harness.checkpoints.loading.weights import scan_tensors
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, InputError, ModelError
from harness.core.meters import Meter
from harness.core.models import Batch, Model, ModelOptions, refuse_others
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response, Stop
from harness.core.text.reasons import Reason
from harness.core.text.truncation import long_continuation
from harness.core.token_energy import SERVE
from harness.engine.encoding import Encoder, Reading, Tokens
from harness.engine.kinds.chat import in_chat
from harness.engine.kinds.remote import seed_of
from harness.engine.kinds.unembedded import Unembedded
from harness.engine.rounding import NOT_FINITE
from harness.engine.writing.refusals import no_beams, no_room
from harness.engine.writing.stops import StopSpelling

__all__ = ["VllmModel", "open_vllm"]

_log = logging.getLogger(__name__)

_PLACE = "--kind vllm"
_BLOCK = 16
"""Tokens of a block of vLLM's cache: a text whose beginning is in it is read again from the last whole block on."""
_BATCH_TOKENS = 2**16
"""Tokens to read and to write in one batch of ours; vLLM makes its own of them. Answers are kept batch by batch."""
_SETTINGS = frozenset({"eos_token_id", "repetition_penalty"})
"""Of a checkpoint's own settings for writing, those that vLLM follows likewise."""
_ENVIRONMENT = {
    # In this process, whose energy and memory are measured, and which ends with it.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    # One token more than the window, which is written behind a full one and never read.
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",
}


@dataclass(frozen=True, slots=True)
class _Probe:
    """Tokens to read, with `target` behind them; of the last `count` of them the log-probabilities are wanted, too."""

    inputs: Tokens
    target: int
    count: int = 0


def open_vllm(checkpoint: Checkpoint, options: ModelOptions, meter: Meter, loader: Loader) -> Model:
    """The checkpoint in vLLM, with its chat template where that is asked for.

    Raises `InputError` where vLLM isn't installed or can't do what is asked, `CheckpointError` with vLLM's words for a
    checkpoint that it can't load.
    """
    for asked, flag in ((options.device_map, "--device-map"), (options.reference, "--reference")):
        if asked is not None:
            raise InputError("isn't to be had in vLLM", place=flag, fix="Leave it, or --kind vllm, out")
    if checkpoint.adapter is not None:
        raise InputError("takes no adapters", place=_PLACE, fix="Merge the adapter into its base, or leave --kind out")
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        vllm: Any = import_module("vllm")
    except ImportError as error:
        raise InputError(
            f"vLLM can't be imported ({error})",
            place=_PLACE,
            fix="Install it beside the harness, pip install 'responsible-eval-harness[vllm]', or leave --kind out",
        ) from error
    with held(checkpoint.path, checkpoint.files, checkpoint.stamps) as place:
        scan_tensors(stored_tensors(place.folder, checkpoint.files).values())
        tokenizer = read_tokenizer(place.folder, trust_remote_code=options.trust_remote_code)
        engine = _engine(vllm, str(place.folder), checkpoint, options)
    loader.mapped, loader.tokenizer = place.mapped, tokenizer
    return _outfitted(VllmModel(engine, vllm.SamplingParams, tokenizer, checkpoint, meter), checkpoint, options)


def _engine(vllm: Any, folder: str, checkpoint: Checkpoint, options: ModelOptions) -> Any:
    assert checkpoint.max_length is not None
    try:
        return vllm.LLM(
            model=folder,
            dtype=options.dtype,
            max_model_len=checkpoint.max_length + 1,
            seed=0,
            enable_prefix_caching=True,
            # On a processor, compiling takes minutes and gains little.
            enforce_eager=options.device == "cpu",
            generation_config="vllm",
            trust_remote_code=options.trust_remote_code,
            disable_log_stats=True,
        )
    except Exception as error:  # of whatever kind: of its configuration, of a lack of memory, of torch's
        said = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"vLLM can't load it: {said}",
            place=checkpoint.path,
            fix="Leave --kind vllm out, or see vLLM's documentation for how it is set up",
        ) from error


def _outfitted(model: "VllmModel", checkpoint: Checkpoint, options: ModelOptions) -> Model:
    whole: Model = model
    rows = checkpoint.config.get("vocab_size")
    missing = {number: token for token, number in model.tokenizer.get_vocab().items() if number >= (rows or math.inf)}
    if missing:
        whole = Unembedded(model, model.tokenizer, missing)
    return in_chat(whole, model.tokenizer, checkpoint, options) if options.apply_chat_template else whole


class VllmModel(Model):
    """Answers requests with an engine of vLLM's, `vllm.LLM` (`Model` in core); `params` is its `SamplingParams`.

    Texts are cut into tokens as by `CausalModel`, so that log-likelihoods are the same up to rounding. vLLM reads what
    texts share once, unless log-probabilities of the prompt itself are asked for. So a short continuation is asked for
    token by token, each behind a prompt of its own of which all but the last block is in the cache; a long one, and a
    whole text, are read through once. Which of the two doesn't hang on what else is asked.
    """

    answered = (Loglikelihood, LoglikelihoodRolling, GenerateUntil)

    def __init__(self, engine: Any, params: Any, tokenizer: Any, checkpoint: Checkpoint, meter: Meter) -> None:
        assert checkpoint.max_length is not None
        self.tokenizer = tokenizer
        self.meter = meter
        self.encoder = Encoder(tokenizer, checkpoint.max_length)
        self._engine, self._params = engine, params
        self._spelling = StopSpelling(tokenizer)
        self._settings = checkpoint.generation.followed
        listed = self._settings.get("eos_token_id") or ()
        self._ends = {*(listed if isinstance(listed, list | tuple) else (listed,)), tokenizer.eos_token_id} - {None}
        self._readings: dict[str, tuple[Reading, ...]] = {}
        self._prompts: dict[str, Tokens] = {}

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Choices, then whole texts, then generations, each in the order of their tokens, so that neighbours share."""
        refuse_others(requests, self.answered, "a model in vLLM")
        requests = sorted(requests, key=lambda request: request.id)
        pairs = [request for request in requests if isinstance(request, Loglikelihood)]
        texts = [request for request in requests if isinstance(request, LoglikelihoodRolling)]
        prompts = [request for request in requests if isinstance(request, GenerateUntil)]
        if any(getattr(request, "noise", None) for request in requests):
            raise ModelError("embeddings are out of reach for noise in vLLM")
        self._readings |= {
            pair.id: (reading,) for pair, reading in zip(pairs, self.encoder.loglikelihoods(pairs), strict=True)
        }
        self._readings |= {text.id: windows for text, windows in zip(texts, self.encoder.rolling(texts), strict=True)}
        self._prompts |= {
            prompt.id: tokens for prompt, tokens in zip(prompts, self.encoder.prompts(prompts), strict=True)
        }
        pairs.sort(key=lambda pair: self._readings[pair.id][0].inputs)
        prompts.sort(key=lambda prompt: self._prompts[prompt.id])
        return [batch for group in (pairs, texts, prompts) for batch in self._batches(group)]

    def _batches(self, requests: Sequence[Request]) -> Iterator[Batch]:
        group: list[Request] = []
        room = _BATCH_TOKENS
        for request in requests:
            width = self._width(request)
            if group and width > room:
                yield Batch(tuple(group))
                group, room = [], _BATCH_TOKENS
            group.append(request)
            room -= width
        if group:
            yield Batch(tuple(group))

    def _width(self, request: Request) -> int:
        if isinstance(request, GenerateUntil):
            return len(self._prompts[request.id]) + request.max_tokens
        return sum(len(reading.inputs) for reading in self._readings[request.id])

    @override
    def answer(self, batch: Batch) -> list[Response]:
        writing = [request for request in batch.requests if isinstance(request, GenerateUntil)]
        self.meter.stage(SERVE if writing else "prefill")
        asked = {request.id: request for request in batch.requests}
        answers = self._write(writing) if writing else self._score(batch.requests)
        return [replace(one, unread_character_count=self._unread(asked[one.request_id])) for one in answers]

    def _unread(self, request: Request) -> int:
        if isinstance(request, GenerateUntil):
            return self.encoder.unread_character_count(request, self._prompts[request.id])
        if isinstance(request, Loglikelihood):
            return self.encoder.unread_character_count(request, self._readings[request.id][0].inputs)
        return 0

    def _run(self, prompts: Sequence[Tokens], params: Sequence[Any]) -> list[Any]:
        """What vLLM gives for each prompt, in their order. Raises `ModelError` with its words where it fails."""
        if not prompts:
            return []
        try:
            return list(
                self._engine.generate(
                    [{"prompt_token_ids": list(prompt)} for prompt in prompts], list(params), use_tqdm=False
                )
            )
        except Exception as error:  # its engine raises anything, a lack of memory among it
            raise ModelError(f"vLLM failed: {type(error).__name__}: {' '.join(str(error).split())}") from error

    def _score(self, requests: Sequence[Request]) -> list[Response]:
        wanted = {
            reading: _probes(reading)
            for request in requests
            for reading in self._readings[request.id]
            if 0 < len(reading.targets) <= len(reading.inputs)
        }
        probes = sorted(
            {probe for found in wanted.values() for probe in found}, key=lambda one: (one.inputs, one.target, one.count)
        )
        outputs = self._run([probe.inputs for probe in probes], [self._asked(probe) for probe in probes])
        verdicts = {probe: _judged(probe, output) for probe, output in zip(probes, outputs, strict=True)}
        answers = [self._summed(request, wanted, verdicts) for request in requests]
        self.meter.count(tokens=sum(len(probe.inputs) for probe in probes), requests=len(requests))
        return answers

    def _asked(self, probe: _Probe) -> Any:
        """The one token behind the prompt, whatever its probability, which is that among all tokens."""
        return self._params(
            max_tokens=1,
            temperature=0.0,
            allowed_token_ids=[probe.target],
            logprobs=1,
            prompt_logprobs=1 if probe.count else None,
            detokenize=False,
            ignore_eos=True,
        )

    def _summed(
        self,
        request: Request,
        wanted: Mapping[Reading, Sequence[_Probe]],
        verdicts: Mapping[_Probe, Sequence[tuple[float, bool]]],
    ) -> Response:
        readings = self._readings[request.id]
        predicted = sum(len(reading.targets) for reading in readings)
        read = sum(len(reading.inputs) for reading in readings)
        found = [one for reading in readings for probe in wanted.get(reading, ()) for one in verdicts[probe]]
        total = math.fsum(value for value, _ in found)
        invalid: str | None = None
        if any(len(reading.targets) > len(reading.inputs) for reading in readings):
            invalid = long_continuation(predicted)
        elif not math.isfinite(total):
            invalid = NOT_FINITE
        is_pair = isinstance(request, Loglikelihood)
        return Response(
            request_id=request.id,
            loglikelihood=None if invalid else total,
            is_greedy=all(best for _, best in found) if is_pair and not invalid else None,
            token_count=predicted,
            context_token_count=read,
            invalid=invalid,
        )

    def _write(self, requests: Sequence[GenerateUntil]) -> list[Response]:
        refused = {request.id: reason for request in requests if (reason := self._why_unwritten(request))}
        asked = [request for request in requests if request.id not in refused]
        prompts = {request.id: self._prompts[request.id] for request in asked}
        opened = {request.id: self._spelling.opened_by(prompts[request.id]) for request in asked}
        outputs = self._run(list(prompts.values()), [self._writing(request, request.until) for request in asked])
        written = {request.id: self._text(output) for request, output in zip(asked, outputs, strict=True)}
        # A stop string in a model's thoughts is none, and vLLM doesn't tell them from the answer.
        halted = [
            request
            for request in asked
            if written[request.id][1] == "stop string"
            and not self._spelling.stopped(written[request.id][0], request.until, opened[request.id])
        ]
        begun = {request.id: written[request.id][0] for request in halted}
        outputs = self._run(
            [(*prompts[request.id], *begun[request.id]) for request in halted],
            [self._writing(request, (), len(begun[request.id])) for request in halted],
        )
        for request, output in zip(halted, outputs, strict=True):
            tokens, stop = self._text(output)
            written[request.id] = self._cut([*begun[request.id], *tokens], stop, request, opened[request.id])
        self.meter.count(tokens=sum(len(tokens) for tokens, _ in written.values()), requests=len(requests))
        return [
            Response(request_id=request.id, invalid=refused[request.id])
            if request.id in refused
            else self._reply(request, *written[request.id], opened[request.id])
            for request in requests
        ]

    def _why_unwritten(self, request: GenerateUntil) -> str | None:
        if reason := no_room(request, self.encoder.max_length):
            return reason
        if unfollowed := sorted(set(self._settings) - _SETTINGS):
            return Reason("vLLM doesn't follow the checkpoint's own settings {names}", names=", ".join(unfollowed))
        return no_beams(request)

    def _writing(self, request: GenerateUntil, until: Sequence[str], done: int = 0) -> Any:
        drawn: dict[str, Any] = {"temperature": 0.0}
        if request.temperature > 0:
            drawn = {
                "temperature": request.temperature,
                "top_p": request.top_p,
                "top_k": request.top_k or 0,
                # What is left of a text is drawn anew, by another seed.
                "seed": seed_of(request) + done,
            }
        return self._params(
            max_tokens=request.max_tokens - done,
            stop=[one for one in until if one] or None,
            stop_token_ids=sorted(self._ends),
            repetition_penalty=float(self._settings.get("repetition_penalty", 1.0)),
            skip_special_tokens=False,
            **drawn,
        )

    def _text(self, output: Any) -> tuple[list[int], Stop]:
        """The tokens written, without the one that ends a text, and how they ended."""
        found = output.outputs[0]
        tokens = [int(token) for token in found.token_ids]
        if tokens and tokens[-1] in self._ends:
            return tokens[:-1], "end"
        return tokens, "stop string" if found.finish_reason == "stop" else "length"

    def _cut(self, tokens: list[int], stop: Stop, request: GenerateUntil, opened: str | None) -> tuple[list[int], Stop]:
        """The tokens up to the one that completes a stop string."""
        with suppress(StopIteration):
            count = next(
                count
                for count in range(1, len(tokens) + 1)
                if self._spelling.just_stopped(tokens[:count], request.until, opened)
            )
            return tokens[:count], "stop string"
        return tokens, stop

    def _reply(self, request: GenerateUntil, tokens: list[int], stop: Stop, opened: str | None) -> Response:
        prompt = self._prompts[request.id]
        return Response(
            request_id=request.id,
            token_ids=tuple(tokens),
            token_count=len(tokens),
            context_token_count=len(prompt),
            **self._spelling.reply(tokens, request.until, stop, opened),
        )


def _probes(reading: Reading) -> list[_Probe]:
    """What is asked of a reading: each target behind what stands before it, or all in one go where these are many.

    The first costs a block for each target where the beginning is in the cache, and as much again as the second where
    it isn't.
    """
    inputs, targets = reading.inputs, reading.targets
    before = len(inputs) - len(targets) + 1
    if len(targets) * _BLOCK <= len(inputs) or len(targets) == 1:
        return [_Probe(inputs[: before + place], target) for place, target in enumerate(targets)]
    return [_Probe(inputs, targets[-1], len(targets) - 1)]


def _judged(probe: _Probe, output: Any) -> list[tuple[float, bool]]:
    """The log-probability of each token that a probe asks for, and whether no other one is likelier."""
    rows: list[tuple[int, Any]] = []
    if probe.count:
        places = range(len(probe.inputs) - probe.count, len(probe.inputs))
        rows = [(probe.inputs[place], output.prompt_logprobs[place]) for place in places]
    rows.append((probe.target, output.outputs[0].logprobs[0]))
    return [
        (float(row[token].logprob), row[token].logprob >= max(one.logprob for one in row.values()))
        for token, row in rows
    ]
