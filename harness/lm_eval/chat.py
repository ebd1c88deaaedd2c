"""lm-eval's chats as ours: it builds the turns, and the checkpoint's template goes around them when they are asked."""

import json
from collections.abc import Sequence
from typing import Any

from harness.core.errors import TaskError
from harness.core.requests import Conversation

__all__ = ["as_text", "conversation_of"]

_KEY = "harness conversation"
_START = f'{{"{_KEY}":'


def as_text(chat_history: Sequence[dict[str, Any]], add_generation_prompt: bool = True) -> str:  # noqa: ARG001
    """What lm-eval gets for the text of a chat, in place of the text that a template would make of it.

    Whether the answer goes on from the last turn is seen from its role.
    """
    return json.dumps({_KEY: list(chat_history)}, ensure_ascii=False)


def conversation_of(text: str, task: str | None) -> tuple[Conversation, str]:
    """The chat that lm-eval built, and the user's last turn; a text that is no chat stands as it is.

    Raises `TaskError` where the task's own code changes a chat after it was built, or ends it with no question.
    """
    if not text.startswith(_START):
        return Conversation(as_is=True), text
    try:
        turns = [(str(turn["role"]), str(turn["content"])) for turn in json.loads(text)[_KEY]]
    except ValueError as error:
        raise TaskError(
            "its own code adds to the prompt after the chat template, which can't be followed here",
            place=task or "chat",
            fix="Leave --apply-chat-template out",
        ) from error
    opening = turns.pop()[1] if turns and turns[-1][0] == "assistant" else ""
    if not turns or turns[-1][0] != "user":
        raise TaskError("its chat has no turn of the user before the answer", place=task or "chat")
    *before, (_, question) = turns
    return Conversation(before=tuple(before), opening=opening), question
