"""Sight and hearing: what reads a medium for a model, and which words stand for it."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import override

from harness.core.errors import ModelError
from harness.core.media import AUDIO, IMAGE, OBJECT, MediaType, Medium
from harness.core.requests import (
    AudioGenerateUntil,
    AudioLoglikelihood,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
)
from harness.core.text.reasons import Reason
from harness.engine.ears import why_unheard
from harness.media.pictures import image_of, trial_picture
from harness.media.sounds import resampled, samples_of, trial_sound

__all__ = ["Audition", "Sense", "Sight", "mark_in_chats", "on"]

_LONGEST_S = 60.0
"""Longest sound for a processor that tells of no window."""


class Sense(ABC):
    """How media of one type are read for a model by its `processor`.

    `mark` is what stands for a medium in the model's own texts: its token, with those that begin and end it, where the
    processor has some. Raises `ModelError` where neither processor nor config names the token.
    """

    media_type: ClassVar[MediaType]
    asked: ClassVar[tuple[type[MultimodalLoglikelihood], type[MultimodalGenerateUntil]]]
    one: ClassVar[str]
    many: ClassVar[str]
    first: ClassVar[int]
    """The smallest id of the tokens of its media."""
    _word: ClassVar[str]
    """As transformers calls it in names."""
    _argument: ClassVar[str]
    _examples: ClassVar[str]

    def __init__(self, processor: Any, config: Any) -> None:
        token = getattr(processor, f"{self._word}_token", None)
        token_id = getattr(config, f"{self._word}_token_id", getattr(config, f"{self._word}_token_index", None))
        if not isinstance(token, str) or not isinstance(token_id, int):
            raise ModelError(
                f"neither its processor nor its config says which token stands for a {self.one}",
                fix=f"Give a model whose prompts have such a token, such as {self._examples}",
            )
        self.token, self.token_id = token, token_id
        self.mark = _framed(processor, self._word, token)
        self.processor = processor

    @property
    def marks(self) -> frozenset[str]:
        """Words that stand for media, which no text may hold by itself."""
        return frozenset({self.token, self.processor.tokenizer.convert_ids_to_tokens(self.token_id)})

    @property
    def encoder_name(self) -> str:
        """The name of the method by which most models encode such media."""
        return f"get_{self._word}_features"

    @abstractmethod
    def why_unread(self, name: str) -> Reason | None:
        """Why a medium can't be read; None where it can."""

    def prepared(self, text: str, names: Sequence[str], **options: Any) -> dict[str, Any]:
        """What the processor makes of a text and the media that are marked in it, as tensors of one row."""
        media = {self._argument: self._given([self._read(name) for name in names])}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries among each other
            made = dict(self.processor(text=[text], return_tensors="pt", **media, **self._options(), **options))
        made.pop("labels", None)
        return made

    @abstractmethod
    def trial(self) -> MultimodalLoglikelihood:
        """Something to try a model with."""

    @abstractmethod
    def _read(self, name: str) -> Any:
        """A medium as processors take it."""

    def _given(self, media: list[Any]) -> list[Any]:
        return media

    def _options(self) -> dict[str, Any]:
        return {}


class Sight(Sense):
    """Pictures."""

    media_type = IMAGE
    asked = (MultimodalLoglikelihood, MultimodalGenerateUntil)
    one, many = "picture", "pictures"
    first = 1 << 61
    _word, _argument = "image", "images"
    _examples = "LLaVA, Idefics3 or Qwen2-VL"

    @override
    def why_unread(self, name: str) -> Reason | None:
        return None

    @override
    def trial(self) -> MultimodalLoglikelihood:
        return _trial(self.asked[0], f"We see {OBJECT} here:", trial_picture())

    @override
    def _read(self, name: str) -> Any:
        return image_of(name)

    @override
    def _given(self, media: list[Any]) -> list[Any]:
        return [media]


class Audition(Sense):
    """Sounds, brought to the rate of the processor. One that it would cut off isn't read at all."""

    media_type = AUDIO
    asked = (AudioLoglikelihood, AudioGenerateUntil)
    one, many = "sound", "sounds"
    first = (1 << 61) + (1 << 60)
    _word = _argument = "audio"
    _examples = "Qwen2-Audio or Audio Flamingo 3"

    def __init__(self, processor: Any, config: Any) -> None:
        super().__init__(processor, config)
        extractor = getattr(processor, "feature_extractor", None) or getattr(processor, "audio_processor", None)
        rate_hz = getattr(extractor, "sampling_rate", None)
        if not isinstance(rate_hz, int):
            raise ModelError("its processor doesn't say how many samples a second it reads")
        self.rate_hz = rate_hz
        told = (getattr(processor, "max_audio_len", None), getattr(extractor, "chunk_length", None))
        self.window_s = float(next((one for one in told if isinstance(one, int | float) and one > 0), _LONGEST_S))

    @override
    def why_unread(self, name: str) -> Reason | None:
        return why_unheard(name, self.window_s)

    @override
    def trial(self) -> MultimodalLoglikelihood:
        return _trial(self.asked[0], f"We hear {OBJECT} here:", trial_sound())

    @override
    def _read(self, name: str) -> Any:
        return resampled(*samples_of(name), self.rate_hz)

    @override
    def _options(self) -> dict[str, Any]:
        return {"sampling_rate": self.rate_hz}


def mark_in_chats(processor: Any, config: Any, answers: Collection[type[Request]]) -> str | None:
    """What a chat template puts in place of a medium; None for a model without such."""
    for sense in (Sight, Audition):
        if sense.asked[0] in answers:
            return sense(processor, config).mark
    return None


def on(inputs: dict[str, Any], device: Any, dtype: Any) -> dict[str, Any]:
    """The tensors on a device, those of media in the model's type."""
    return {
        name: value.to(device, dtype) if value.is_floating_point() else value.to(device)
        for name, value in inputs.items()
        if isinstance(value, Tensor)
    }


def _trial(asked: type[MultimodalLoglikelihood], context: str, medium: Medium) -> MultimodalLoglikelihood:
    return asked(context=context, continuation=" it is on", media=(medium,))


def _framed(processor: Any, word: str, token: str) -> str:
    """The token with its beginning and end, where the processor has both as words of its tokenizer."""
    ends = [getattr(processor, f"{word}_{end}_token", None) for end in ("bos", "eos")]
    known = processor.tokenizer.get_vocab()
    if not all(isinstance(end, str) and end in known for end in ends):
        return token
    return f"{ends[0]}{token}{ends[1]}"
