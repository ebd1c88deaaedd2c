"""A model whose prompts go through the checkpoint's chat template."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from typing_extensions import override

from harness.checkpoints.chat_templates import takes_tools, thinking_switch
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, ModelError
from harness.core.media import OBJECT
from harness.core.models import Batch, Model, ModelOptions
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    Conversation,
    EmbeddingNoise,
    GenerateUntil,
    Loglikelihood,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
    Response,
)
from harness.engine.rendering import NONE, UNDATED, Message, Renderer
from harness.engine.senses.parts import in_parts, takes_parts

__all__ = ["ChatModel", "Message", "in_chat", "messages_of", "rendered"]

_Chat = Loglikelihood | GenerateUntil | Attribute
_log = logging.getLogger(__name__)


def messages_of(context: str, chat: Conversation | None, system_prompt: str | None) -> list[Message]:
    """The turns that a context is asked in; the last is the assistant's where its beginning is given.

    The system prompt comes first, unless the conversation begins with such a turn of its own.
    """
    chat = chat or Conversation()
    has_own = chat.before[:1] and chat.before[0][0] == "system"
    system = [("system", system_prompt)] if system_prompt and not has_own else []
    opening = [("assistant", chat.opening)] if chat.opening else []
    return [_message(role, content) for role, content in [*system, *chat.before, ("user", context), *opening]]


def rendered(
    render: Renderer, conversations: Sequence[Sequence[Message]], tools: Sequence[str | None] | None = None
) -> list[str]:
    """Conversations as the texts that the model reads: up to where its turn begins, or to the end of its own last turn.

    `tools` are the functions that can be called in each of them, as JSON. Raises `ModelError` where the template fails.
    """
    asked = [
        (messages, messages[-1]["role"] == "assistant", functions)
        for messages, functions in zip(conversations, tools or [None] * len(conversations), strict=True)
    ]
    answers = render.render_all(asked)
    if not all(is_whole for _, is_whole in answers):
        _tell_of_no_system(str(render.tokenizer.chat_template))
    return [text for text, _ in answers]


@cache
def _tell_of_no_system(_template: str) -> None:
    """Say so once for each template."""
    _log.warning("the chat template takes no system turn: it is left out, with what the task describes in it")


def in_chat(
    model: Model, tokenizer: Any, checkpoint: Checkpoint, options: ModelOptions, mark: str | None = None
) -> "ChatModel":
    """The model behind its chat template, which is told what the options say of the day and of thinking."""
    switch = options.thinking and thinking_switch(checkpoint)
    return ChatModel(
        model,
        tokenizer,
        options.system_prompt,
        today=options.chat_date or UNDATED,
        variables={switch: options.thinking == "on"} if switch else {},
        mark=mark,
    )


class ChatModel(Model):
    """Gives each context as the user's turn, and scores or writes the assistant's.

    Exemplars stand in the same turn and a continuation loses the space that would join it to running text, unless a
    request brings its conversation (`Conversation`). Whole texts (`loglikelihood_rolling`) are no turns and stay as
    they are. `today` (YYYY-MM-DD) is what a template is told that asks for the day, `variables` what else it is told.
    `mark` is how the texts of a model that sees or hears have a medium.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        system_prompt: str | None = None,
        *,
        today: str = UNDATED,
        variables: Mapping[str, Any] = NONE,
        mark: str | None = None,
    ) -> None:
        if not tokenizer.chat_template:
            raise CheckpointError(
                "the checkpoint has no chat template", place="--apply-chat-template", fix="Leave that option out"
            )
        self.model = model
        self.tokenizer = tokenizer
        self.system_prompt = system_prompt
        self._render = Renderer(tokenizer, today, variables)
        self._rendered: dict[str, Request] = {}
        self._takes_tools = takes_tools(tokenizer.chat_template)
        self._mark = mark
        self._in_parts = mark is not None and takes_parts(self._render)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Requests that the template makes equal are asked once."""
        self._prepare(requests)
        originals: dict[str, list[Request]] = {}
        distinct: dict[str, Request] = {}
        for request in requests:
            templated = self.templated(request)
            distinct[templated.id] = templated
            originals.setdefault(templated.id, []).append(request)
        return [
            replace(batch, requests=tuple(one for asked in batch.requests for one in originals[asked.id]), work=batch)
            for batch in self.model.plan(list(distinct.values()))
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        answers = {response.request_id: response for response in self.model.answer(batch.work)}
        return [self._answered(request, answers) for request in batch.requests]

    def _answered(self, request: Request, answers: Mapping[str, Response]) -> Response:
        templated = self.templated(request)
        answer = answers[templated.id]
        return replace(answer, request_id=request.id, unread_character_count=_unread(request, templated, answer))

    def templated(self, request: Request) -> Request:
        """The request as the model is asked; made once, so that what is answered is what was planned."""
        self._prepare([request])
        return self._rendered[request.id]

    def _prepare(self, requests: Sequence[Request]) -> None:
        chats: list[tuple[_Chat, list[Message], str | None]] = []
        for request in requests:
            if request.id in self._rendered:
                continue
            if not isinstance(request, _Chat):
                self._rendered[request.id] = request
            elif request.chat is not None and request.chat.as_is:
                self._rendered[request.id] = replace(request, chat=None)
            else:
                context, functions = self._asked(request)
                messages = messages_of(context, request.chat, self.system_prompt)
                chats.append((request, self._shown(messages, request), functions))
        turns = rendered(self._render, [messages for _, messages, _ in chats], [functions for *_, functions in chats])
        self._rendered |= {
            request.id: _with_turn(request, self._unmarked(turn, request))
            for (request, *_), turn in zip(chats, turns, strict=True)
        }

    def _shown(self, messages: list[Message], request: _Chat) -> list[Message]:
        """The turns as the template of a model that sees or hears takes them."""
        if self._mark is None:
            return messages
        media = _media(request)
        if self._in_parts:
            return in_parts(messages, media)
        return (
            [{**one, "content": one["content"].replace(OBJECT, self._mark)} for one in messages] if media else messages
        )

    def _unmarked(self, turn: str, request: _Chat) -> str:
        """The rendered turn with a place for each medium."""
        return turn.replace(self._mark, OBJECT) if self._mark and _media(request) else turn

    def _asked(self, request: _Chat) -> tuple[str, str | None]:
        """The user's turn, and the functions that go with it as the template has them."""
        if self._takes_tools and isinstance(request, GenerateUntil) and request.tools is not None:
            return request.tools.question, request.tools.functions
        return request.context, None


def _media(request: Request) -> tuple[str, ...]:
    sensing = MultimodalLoglikelihood | MultimodalGenerateUntil | AttributePicture | AttributeSound
    return request.media if isinstance(request, sensing) else ()


def _with_turn(request: _Chat, turn: str) -> Request:
    match request:
        case Loglikelihood():
            continuation = _joined(request.continuation, request.chat)
            return replace(request, context=turn, continuation=continuation, noise=_moved(request, turn), chat=None)
        case GenerateUntil():
            return replace(request, context=turn, noise=_moved(request, turn), chat=None, tools=None)
        case Attribute():
            return _explained(request, turn)


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _joined(continuation: str, chat: Conversation | None) -> str:
    return continuation.removeprefix(" ") if chat is None else continuation


def _explained(request: Attribute, turn: str) -> Attribute:
    """The text to explain where it stands in the turn; nothing where the template changes it."""
    stop = len(request.context) if request.stop is None else request.stop
    # The last place: turns before may hold the same words.
    start = turn.rfind(request.context)
    start, stop = (start + request.start, start + stop) if start >= 0 else (0, 0)
    continuations = tuple(_joined(one, request.chat) for one in request.continuations)
    return replace(request, context=turn, continuations=continuations, start=start, stop=stop, chat=None)


def _unread(request: Request, templated: Request, answer: Response) -> int:
    """How many characters of the request's own context are lost of what the template made of it, counted from its end.

    Where the template changes the context, what it adds behind it is taken for a part of it.
    """
    if not answer.unread_character_count or not isinstance(templated, Loglikelihood | GenerateUntil):
        return answer.unread_character_count
    assert isinstance(request, Loglikelihood | GenerateUntil)
    bare = request.context.strip()
    if bare in templated.context:
        start = templated.context.rindex(bare) - request.context.index(bare)
    else:
        start = len(templated.context) - len(request.context)
    return min(max(answer.unread_character_count - start, 0), len(request.context))


def _moved(request: Loglikelihood | GenerateUntil, turn: str) -> EmbeddingNoise | None:
    """The request's noise where its context stands in the turn. Raises `ModelError` where the template changed it."""
    if request.noise is None:
        return None
    bare = request.context.strip()
    if bare not in turn:
        raise ModelError("the chat template changes the text that noise is to be put on")
    by = turn.rindex(bare) - request.context.index(bare)
    return replace(request.noise, spans=tuple((start + by, end + by) for start, end in request.noise.spans))
