"""Turns of a chat in parts, pictures among texts, as the templates of models that see take them."""

from collections.abc import Sequence

from harness.core.errors import ModelError
from harness.core.media import OBJECT
from harness.engine.rendering import Message, Renderer

__all__ = ["in_parts", "takes_parts"]

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


def takes_parts(render: Renderer) -> bool:
    """Whether a chat template writes out the parts of a turn, by trying; else it takes texts alone."""
    try:
        text, _ = render([{"role": "user", "content": [{"type": "text", "text": _PROBE}]}], goes_on=False)
    except ModelError:
        return False
    return _PROBE in text and "'type'" not in text and '"type"' not in text
