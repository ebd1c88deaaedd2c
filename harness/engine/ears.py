"""Sounds on their way into a model: decoded, brought to its rate, and made into its features."""

from collections.abc import Sequence

import numpy as np
import torch

from harness.checkpoints.loading.load import LoadedCheckpoint, quiet
from harness.core.requests import Transcribe
from harness.core.text.reasons import Reason
from harness.engine.planner import cut
from harness.media.sounds import Samples, extent_of, resampled, samples_of

__all__ = ["Ears", "why_unheard"]

_LEAST_S = 0.05
"""Below it, less than one step of a model's convolutions is left."""


def why_unheard(name: str, window_s: float) -> Reason | None:
    """Why a sound can't be read by a model that reads so many seconds at once; None where it can."""
    count, rate_hz = extent_of(name)
    if count > window_s * rate_hz:
        return Reason(
            "a sound of {seconds} seconds is longer than the {window} seconds that the model reads at once",
            seconds=f"{count / rate_hz:.1f}",
            window=f"{window_s:g}",
        )
    if count < _LEAST_S * rate_hz:
        return Reason("a sound of {seconds} seconds is too short to be read", seconds=f"{count / rate_hz:.3f}")
    return None


class Ears:
    """How one loaded checkpoint hears.

    Sounds of like shape make a batch: all of them where the model fills each up to its window, as Whisper does, else
    those of the very same length, so that no padding can change what is heard beside it.
    """

    def __init__(self, loaded: LoadedCheckpoint) -> None:
        assert loaded.hearing is not None
        self.hearing = loaded.hearing
        self._model = loaded.model
        with quiet():
            self._extractor = loaded.hearing.extractor()

    def refusal(self, request: Transcribe) -> str | None:
        """Why the sound of a request can't be read; None where it can."""
        return why_unheard(request.audio, self.hearing.window_s)

    def batches(self, requests: Sequence[Transcribe], budget: int, written: int) -> list[tuple[Transcribe, ...]]:
        """Requests cut into batches, where each may write so many tokens and all together `budget`."""
        groups: dict[tuple[int, int], list[Transcribe]] = {}
        for request in requests:
            shape = (0, 0) if self.hearing.fills_window else extent_of(request.audio)
            groups.setdefault(shape, []).append(request)
        return [
            tuple(group[part.start : part.stop])
            for _, group in sorted(groups.items(), reverse=True)
            for part in cut([written] * len(group), budget)
        ]

    def features(self, requests: Sequence[Transcribe]) -> torch.Tensor:
        """What a model reads for the sounds of a batch: of shape (sounds, bands, frames), or (sounds, samples)."""
        rate_hz = self.hearing.rate_hz
        sounds = [self._samples(request) for request in requests]
        found = self._extractor(sounds, sampling_rate=rate_hz, return_tensors="np")
        name = "input_features" if self.hearing.fills_window else "input_values"
        rows = np.stack([np.asarray(row, dtype=np.float32) for row in found[name]])
        return torch.from_numpy(rows).to(self._model.device, self._model.dtype)

    def _samples(self, request: Transcribe) -> Samples:
        return resampled(*samples_of(request.audio), self.hearing.rate_hz)
