"""The model of causal transformers that see."""

from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.sensing import SensingModel
from harness.engine.senses.sense import Sight

__all__ = ["VisionLanguageModel"]


class VisionLanguageModel(SensingModel):
    """A causal model that also reads pictures."""

    sense_type = Sight
    title = "a vision-language model"
    examples = "LLaVA or Qwen2-VL"
    answered = (*CausalModel.answered, MultimodalLoglikelihood, MultimodalGenerateUntil)
