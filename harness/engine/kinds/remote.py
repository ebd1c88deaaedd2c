"""The model of an endpoint that speaks OpenAI's protocol: several requests at once, each in a call of its own."""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from threading import Lock
from typing import Any

from typing_extensions import override

from harness.checkpoints.served.client import Patience, RefusedError, ServerClient, UnfitAnswerError
from harness.checkpoints.served.dialect import Dialect
from harness.checkpoints.served.echo import Echo, EchoedToken, read_echo
from harness.checkpoints.served.endpoint import ECHO_TOKENS, echo_body
from harness.checkpoints.served.said import plain_text
from harness.checkpoints.served.usage import read_usage, refusal_of_length
from harness.core import registry
from harness.core.checkpoints import Checkpoint, EndpointOptions
from harness.core.errors import InputError, ModelError
from harness.core.media import OBJECT
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, ModelOptions, ParallelModel
from harness.core.process.secrets import WITHHELD
from harness.core.requests import (
    AudioGenerateUntil,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MultimodalGenerateUntil,
    Request,
    Response,
)
from harness.core.text.reasons import Reason
from harness.core.token_energy import SERVE
from harness.engine.kinds.chat import Message, messages_of
from harness.engine.kinds.transcriber import Transcriber
from harness.engine.senses.encoding import why_unsound
from harness.engine.senses.parts import with_bytes_in_them
from harness.engine.writing.replies import read_reply, read_text
from harness.engine.writing.stops import cut_at_stop
from harness.media.sounds import trial_sound

__all__ = ["RemoteModel", "open_served", "seed_of"]

_AT_FAULT = frozenset({400, 413, 422})
"""HTTP errors that are about one request, such as a prompt too long; any other ends the run."""
_MOST_STOPS = 4
"""Stop strings that OpenAI's API takes; all of them are looked for again in what comes back."""
_NO_TEMPERATURE = "the server accepts no temperature, and the task asks for sampling at a given one"
_NO_FIRST = (
    "the server gives no probability for the first token of a text: it puts no beginning-of-text token in front of it"
)
_TRIED = 16
"""Tokens that may be written about a trial; some servers take no fewer."""
_WITHHELD = "the server's answer contains the API key"
_UNPLACED = "the server's tokens don't tell where the continuation begins"
_NO_PLACE = "the server completes texts alone, in which pictures and sounds have no place"
_WINDOWS = (
    "the text is longer than a window of {count} tokens, and can't be cut into windows without the model's tokenizer"
)


def open_served(checkpoint: Checkpoint, options: ModelOptions, meter: Meter, _loader: object) -> Model:
    """The model of a resolved endpoint.

    A chat is one anyway; for token probabilities the template would have to be known here, which raises `InputError`.
    """
    if options.apply_chat_template and not registry.kind(checkpoint.kind).is_chat:
        raise InputError(
            "a served model's own template can't be put around texts whose probabilities are asked for",
            place="--apply-chat-template",
            fix="Leave that option out",
        )
    model = RemoteModel(checkpoint, system_prompt=options.system_prompt, meter=meter)
    return Transcriber(model, predicts=False) if registry.kind(checkpoint.kind).is_chat else model


class RemoteModel(ParallelModel):
    """Answers requests by asking a server (`Model` in core).

    Texts are cut into tokens there. A continuation's tokens are those with a character behind the end of the context,
    so a token across both counts as a whole, as in `CausalModel`. A prompt that the server refuses gets an invalid
    response with the server's words, and so does one whose answer never began or can't be true (more text than the
    tokens allowed, a probability above 1, another prompt's tokens), with the reason. Chats get no stop strings, which
    would end a model's thoughts: they are looked for here. Pictures go to a chat as data URLs, sounds as WAV
    files; a server that refuses a trial sound is asked about none. Each request is a batch, and `concurrency` of them
    are under way at once, or as many as the server keeps up with. Raises what `ServerClient` does, once the answers
    that were under way then are given.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        patience: Patience | None = None,
        *,
        system_prompt: str | None = None,
        meter: Meter | None = None,
    ) -> None:
        options: EndpointOptions = checkpoint.config["options"]
        self.kind = registry.kind(checkpoint.kind)
        self.concurrency = options.concurrency
        self.meter: Meter = meter or NullMeter()
        self._system_prompt = system_prompt
        self._name: str = checkpoint.config["model"]
        self._route: str = checkpoint.config["route"]
        self._dialect: Dialect = checkpoint.config["dialect"]
        self._client = ServerClient(checkpoint.config["url"], options, patience)
        self._hearing = Lock()
        self._deafness: Reason | None = None
        self._was_tried = False

    @property
    def concurrency_now(self) -> int:
        """How many requests the server has been found to keep up with, at most `concurrency`."""
        return self._client.window.limit

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """A batch for each request, by what they begin with: a server may remember what it has just read."""
        for request in requests:
            if refusal := self.kind.refusal(type(request)):
                raise ModelError(refusal, place=self._client.url)
            if getattr(request, "noise", None):
                raise ModelError("a served model's embeddings are out of reach for noise", place=self._client.url)
        return [Batch((request,)) for request in sorted(requests, key=_beginning)]

    @override
    def answer_each(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        if batches:
            self.meter.stage(SERVE if isinstance(batches[0].requests[0], GenerateUntil) else "prefill")
        waiting = iter(batches)
        under_way: dict[Future[Response], Batch] = {}
        failure: BaseException | None = None
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
            while True:
                if failure is None:
                    new = islice(waiting, self.concurrency - len(under_way))
                    under_way |= {pool.submit(self._answer, batch.requests[0]): batch for batch in new}
                if not under_way:
                    break
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    batch, error = under_way.pop(future), future.exception()
                    if error is None:
                        self._count(batch.requests[0], future.result())
                        yield batch, [future.result()]
                    failure = failure or error
        if failure is not None:
            raise failure

    def _count(self, request: Request, response: Response) -> None:
        """Tell the meter of an answer: what was read where nothing is written, else what was written."""
        read = 1 + response.context_token_count if response.token_count else 0
        self.meter.count(tokens=response.token_count if isinstance(request, GenerateUntil) else read, requests=1)

    def _answer(self, request: Request) -> Response:
        try:
            if isinstance(request, Loglikelihood):
                return self._loglikelihood(request)
            if isinstance(request, LoglikelihoodRolling):
                return self._rolling(request)
            assert isinstance(request, GenerateUntil)
            return self._generate(request)
        except RefusedError as refused:
            if refused.status not in _AT_FAULT:
                raise
            return Response(request_id=request.id, invalid=Reason("the server {problem}", problem=refused.problem))
        except UnfitAnswerError as unfit:
            return Response(request_id=request.id, invalid=Reason("the server {problem}", problem=unfit.problem))

    def _loglikelihood(self, request: Loglikelihood) -> Response:
        context, _ = request.parted
        whole = request.context + request.continuation
        if whole == context:
            return Response(request_id=request.id, loglikelihood=0.0, is_greedy=True)
        echo = self._echo(whole)
        if isinstance(echo, str):
            return Response(request_id=request.id, invalid=echo)
        targets = echo.after(len(context))
        if targets is None:
            return Response(request_id=request.id, invalid=_UNPLACED)
        return _summed(request, echo, targets, is_greedy=all(token.is_greedy for token in targets))

    def _rolling(self, request: LoglikelihoodRolling) -> Response:
        if not request.text:
            return Response(request_id=request.id, loglikelihood=0.0)
        echo = self._echo(request.text)
        if isinstance(echo, str):
            return Response(request_id=request.id, invalid=echo)
        if request.max_length is not None and len(echo.tokens) > request.max_length:
            return Response(request_id=request.id, invalid=Reason(_WINDOWS, count=request.max_length))
        return _summed(request, echo, echo.tokens)

    def _echo(self, prompt: str) -> Echo | str:
        answer = self._client.post("/completions", echo_body(self._name, prompt))
        echo = read_echo(answer, prompt)
        if isinstance(echo, str):
            return echo
        counts = read_usage(answer, prompt_bytes=len(prompt.encode()), max_tokens=ECHO_TOKENS)
        return counts if isinstance(counts, str) else echo

    def _generate(self, request: GenerateUntil) -> Response:
        if request.num_beams > 1:
            return Response(request_id=request.id, invalid="OpenAI's protocol has no beams")
        if request.temperature > 0 and not self._dialect.takes_temperature:
            return Response(request_id=request.id, invalid=_NO_TEMPERATURE)
        if isinstance(request, MultimodalGenerateUntil):
            whole = "".join(turn["content"] for turn in self._messages(request))
            unsound = _NO_PLACE if self._completes else why_unsound(replace(request, context=whole))
            if isinstance(request, AudioGenerateUntil):
                unsound = unsound or self._why_deaf()
            if unsound:
                return Response(request_id=request.id, invalid=unsound)
        body = self._body(request)
        answer = self._client.post(self._route, body)
        try:
            return self._read(request, answer, len(json.dumps(body)))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                "answers with JSON that is not a completion",
                place=f"{self._client.url}{self._route}",
                fix="Check that the address is that of an OpenAI-compatible API",
            ) from error

    def _why_deaf(self) -> Reason | None:
        """Why the server takes no sound at all, by trying one before the first is asked about; None where it does."""
        trial = AudioGenerateUntil(context=f"{OBJECT}What is this?", media=(trial_sound(),), max_tokens=_TRIED)
        with self._hearing:
            if not self._was_tried:
                self._was_tried = True
                try:
                    self._client.post(self._route, self._body(trial), patient=False)
                except RefusedError as refused:
                    self._deafness = Reason("the server takes no sounds: it {problem}", problem=refused.problem)
            return self._deafness

    def _read(self, request: GenerateUntil, answer: Any, prompt_bytes: int) -> Response:
        choice = answer["choices"][0]
        reply = read_text(choice) if self._completes else read_reply(choice)
        counts = read_usage(
            answer,
            prompt_bytes=prompt_bytes,
            max_tokens=request.max_tokens,
            thought_bytes=0 if self._completes else len(json.dumps(choice["message"])),
        )
        if isinstance(counts, str):
            return Response(request_id=request.id, invalid=counts)
        text, stop, invalid = reply.text, reply.stop, reply.invalid
        if text is not None:
            stop = "stop string" if len(cut_at_stop(text, request.until)) < len(text) else stop
            # Once more as a whole, for a text may come in parts.
            text = plain_text(cut_at_stop(text, request.until))
            invalid = _WITHHELD if text == WITHHELD else refusal_of_length(text, request.max_tokens)
        return Response(
            request_id=request.id,
            text=None if invalid else text,
            raw_text=None if reply.raw_text is None or invalid != reply.invalid else plain_text(reply.raw_text),
            stop=stop,
            token_count=counts.written,
            thinking_token_count=counts.thought,
            context_token_count=counts.read,
            invalid=invalid,
        )

    @property
    def _completes(self) -> bool:
        return self._route == "/completions"

    def _messages(self, request: GenerateUntil) -> list[Message]:
        return messages_of(request.context, request.chat, self._system_prompt)

    def _body(self, request: GenerateUntil) -> dict[str, Any]:
        if self._completes:
            body = {
                "model": self._name,
                "prompt": request.context,
                "max_tokens": request.max_tokens,
                "temperature": 0,
                **({"stop": list(request.until[:_MOST_STOPS])} if request.until else {}),
            }
        else:
            messages = self._messages(request)
            if isinstance(request, MultimodalGenerateUntil):
                messages = with_bytes_in_them(messages, request.media)
            body = self._dialect.body(self._name, messages, request.max_tokens)
        if request.temperature > 0:
            body |= {"temperature": request.temperature, "top_p": request.top_p, "seed": seed_of(request)}
        if request.top_k is not None:
            body["top_k"] = request.top_k
        return body


def _summed(request: Request, echo: Echo, targets: Sequence[EchoedToken], *, is_greedy: bool | None = None) -> Response:
    values = [token.loglikelihood for token in targets]
    known = [value for value in values if value is not None]
    total = math.fsum(known)
    invalid = _NO_FIRST if len(known) < len(values) else None
    return Response(
        request_id=request.id,
        loglikelihood=None if invalid else total,
        is_greedy=None if invalid else is_greedy,
        token_count=len(targets),
        context_token_count=len(echo.tokens) - 1,
        invalid=invalid,
    )


def _beginning(request: Request) -> tuple[str, str]:
    text = request.text if isinstance(request, LoglikelihoodRolling) else getattr(request, "context", "")
    return text, request.id


def seed_of(request: GenerateUntil) -> int:
    """Of the run's seed and this request alone, so that neither batch nor order changes the draw."""
    return int.from_bytes(hashlib.sha256(f"{request.seed}:{request.id}".encode()).digest()[:4], "big") >> 1
