"""Turns of a chat in parts, media among texts, as the templates of models with senses and OpenAI's chats take them."""

import base64
from collections.abc import Iterator, Sequence

from harness.core.errors import ModelError
from harness.core.media import AUDIO, OBJECT, data_of, media_type_of
from harness.engine.rendering import Message, Renderer
from harness.media.sounds import wav_of

__all__ = ["in_parts", "takes_parts", "with_bytes_in_them"]

_PROBE = "probe"


def in_parts(messages: Sequence[Message], media: Sequence[str]) -> list[Message]:
    """Turns whose content is a text as turns of parts, a picture or sound where a medium stands.

    See `harness.core.media`; without `media` a text is one part.
    """
    left = iter(media)
    return [{**one, "content": [part for part, _ in _parts(one["content"], media, left)]} for one in messages]


def with_bytes_in_them(messages: Sequence[Message], media: Sequence[str]) -> list[Message]:
    """Turns with the media themselves in them, as OpenAI's chats take them: pictures as URLs, sounds as WAV files.

    The turns have as many places as there are `media`. Raises `ModelError` for one without bytes.
    """
    left = iter(media)
    return [
        {**one, "content": [_filled(*part) for part in _parts(one["content"], media, left)]}
        if OBJECT in one["content"]
        else one
        for one in messages
    ]


def _parts(text: str, media: Sequence[str], left: Iterator[str]) -> Iterator[tuple[dict[str, str], str]]:
    """The parts of a text, each with the medium that it is; media beyond those that are `left` are of the last type."""
    pieces = text.split(OBJECT) if media else [text]
    for index, piece in enumerate(pieces):
        if index:
            name = next(left, media[-1])
            yield {"type": "audio" if media_type_of(name) == AUDIO else "image"}, name
        if piece or len(pieces) == 1:
            yield {"type": "text", "text": piece}, ""


def _filled(part: dict[str, str], name: str) -> dict[str, object]:
    match part["type"]:
        case "text":
            return {**part}
        case "audio":
            sound = base64.b64encode(wav_of(name)).decode()
            return {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}
    url = f"data:{media_type_of(name)};base64,{base64.b64encode(data_of(name)).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def takes_parts(render: Renderer) -> bool:
    """Whether a chat template writes out the parts of a turn, by trying; else it takes texts alone."""
    try:
        text, _ = render([{"role": "user", "content": [{"type": "text", "text": _PROBE}]}], goes_on=False)
    except ModelError:
        return False
    return _PROBE in text and "'type'" not in text and '"type"' not in text
