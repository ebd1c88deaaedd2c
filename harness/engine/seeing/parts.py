"""Turns of a chat in parts, pictures among texts, as the templates of models that see and OpenAI's chats take them."""

import base64
from collections.abc import Iterator, Sequence

from harness.core.errors import ModelError
from harness.core.media import OBJECT, data_of, media_type_of
from harness.engine.rendering import Message, Renderer

__all__ = ["in_parts", "takes_parts", "with_data_urls"]

_PROBE = "probe"


def in_parts(message: Message, media: Sequence[str]) -> Message:
    """A turn whose content is a text as one of parts, a picture where a medium stands; see `harness.core.media`."""
    text: str = message["content"]
    pieces = text.split(OBJECT) if media else [text]
    parts: list[dict[str, str]] = []
    for index, piece in enumerate(pieces):
        if index:
            parts.append({"type": "image"})
        if piece:
            parts.append({"type": "text", "text": piece})
    return {**message, "content": parts or [{"type": "text", "text": ""}]}


def with_data_urls(messages: Sequence[Message], media: Sequence[str]) -> list[Message]:
    """Turns with the pictures themselves in them, as OpenAI's chats take them: each as a URL that is its bytes.

    The turns have as many places for pictures as there are `media`. Raises `ModelError` for one without bytes.
    """
    left = iter(media)
    return [{**one, "content": list(_with_urls(one, left))} if OBJECT in one["content"] else one for one in messages]


def _with_urls(message: Message, media: Iterator[str]) -> Iterator[dict[str, object]]:
    for part in in_parts(message, (OBJECT,))["content"]:
        if part["type"] == "text":
            yield part
        else:
            name = next(media)
            url = f"data:{media_type_of(name)};base64,{base64.b64encode(data_of(name)).decode()}"
            yield {"type": "image_url", "image_url": {"url": url}}


def takes_parts(render: Renderer) -> bool:
    """Whether a chat template writes out the parts of a turn, by trying; else it takes texts alone."""
    try:
        text, _ = render([{"role": "user", "content": [{"type": "text", "text": _PROBE}]}], goes_on=False)
    except ModelError:
        return False
    return _PROBE in text and "'type'" not in text and '"type"' not in text
