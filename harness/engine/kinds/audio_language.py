"""The model of causal transformers that hear."""

from harness.core.requests import AudioGenerateUntil, AudioLoglikelihood
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.sensing import SensingModel
from harness.engine.senses.sense import Audition

__all__ = ["AudioLanguageModel"]


class AudioLanguageModel(SensingModel):
    """A causal model that also reads sounds."""

    sense_type = Audition
    title = "an audio-language model"
    examples = "Qwen2-Audio or Audio Flamingo 3"
    answered = (*CausalModel.answered, AudioLoglikelihood, AudioGenerateUntil)
