"""What a checkpoint's files say about how a sound becomes the numbers that its model reads.

The files are read here and nowhere else: transformers is handed checked numbers, so that no field can name a class of
the checkpoint's own or ask for a table that fills the memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.checkpoints.files import read_object, safe_file
from harness.core.errors import CheckpointError

__all__ = ["HEARING_PATTERNS", "RATES_HZ", "Hearing", "read_hearing"]

PROCESSOR, PREPROCESSOR = "processor_config.json", "preprocessor_config.json"
HEARING_PATTERNS = (PROCESSOR, PREPROCESSOR)
"""Every file that can change what a model hears."""

RATES_HZ = (1_000, 192_000)
"""Lowest and highest number of samples a second that a model may read."""

MAX_WINDOW_S = 60.0
"""Longest sound that is read by a model without a window of its own: attention takes memory by the square of it."""
_FIX = "Take the file from the checkpoint's publisher, as transformers' save_pretrained writes it"


class _Common(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    sampling_rate: Annotated[int, Field(ge=RATES_HZ[0], le=RATES_HZ[1])] = 16_000
    padding_value: float = 0.0


class _Spectrogram(_Common):
    """Whisper's: the logarithms of mel bands, of a sound that is filled up to `chunk_length` seconds."""

    feature_extractor_type: Literal["WhisperFeatureExtractor"]
    feature_size: Annotated[int, Field(ge=1, le=512)] = 80
    hop_length: Annotated[int, Field(ge=16, le=8192)] = 160
    n_fft: Annotated[int, Field(ge=16, le=8192)] = 400
    chunk_length: Annotated[int, Field(ge=1, le=int(MAX_WINDOW_S))] = 30


class _Wave(_Common):
    """The samples themselves, as wav2vec2 and Moonshine read them."""

    feature_extractor_type: Literal["Wav2Vec2FeatureExtractor"]
    feature_size: Literal[1] = 1
    do_normalize: bool = True


_FORMS: Mapping[str, type[_Spectrogram | _Wave]] = {
    "WhisperFeatureExtractor": _Spectrogram,
    "Wav2Vec2FeatureExtractor": _Wave,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How a sound is read: at `rate_hz`, for at most `window_s` seconds.

    `extractor_class` is transformers' name of what makes features of it, `settings` what that is made with. Where
    `fills_window`, all sounds become features of one shape; else the samples are read as they are.
    """

    extractor_class: str
    rate_hz: int
    window_s: float
    settings: Mapping[str, Any]
    fills_window: bool

    def extractor(self) -> Any:
        """transformers' feature extractor, which adds no random noise whatever the files say."""
        import transformers

        return getattr(transformers, self.extractor_class)(**self.settings)


def read_hearing(folder: Path) -> Hearing:
    """What the files of the folder say.

    Raises `CheckpointError` naming the file and the field for what is missing, malformed or out of bounds, and for a
    way to hear that this harness doesn't have.
    """
    said, place = _said(folder)
    named = said.get("feature_extractor_type")
    form = _FORMS.get(named) if isinstance(named, str) else None
    if form is None:
        raise CheckpointError(
            f"feature_extractor_type is {str(named)[:80]!r}, which the harness can't read sounds with",
            place=place,
            fix=f"Known are {' and '.join(_FORMS)}",
        )
    try:
        found = form.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise CheckpointError(
            f"{field} is {str(said.get(field))[:60]!r}, which it can't be ({first['msg'].lower()})",
            place=place,
            fix=_FIX,
        ) from error
    return Hearing(
        extractor_class=found.feature_extractor_type,
        rate_hz=found.sampling_rate,
        window_s=float(found.chunk_length) if isinstance(found, _Spectrogram) else MAX_WINDOW_S,
        settings=found.model_dump(exclude={"feature_extractor_type"}),
        fills_window=isinstance(found, _Spectrogram),
    )


def _said(folder: Path) -> tuple[Mapping[str, Any], Path]:
    """The settings, and the file that they stand in: transformers 5 nests them in the processor's, older ones don't."""
    for name, part in ((PROCESSOR, "feature_extractor"), (PREPROCESSOR, None)):
        path = folder / name
        if path.exists() or path.is_symlink():
            content = read_object(safe_file(folder, name))
            nested = content if part is None else content.get(part)
            if isinstance(nested, dict):
                return nested, path
    raise CheckpointError(
        f"holds no {PREPROCESSOR}, which says how sounds are read",
        place=folder,
        fix="Copy it from the checkpoint's publisher; processor.save_pretrained writes it",
    )
