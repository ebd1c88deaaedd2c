"""What can be asked of a model that was trained on rows first; the answers are those of `harness.core.requests`."""

from dataclasses import dataclass
from typing import ClassVar

from harness.core.requests import Loglikelihood
from harness.core.training.lessons import Lessons

__all__ = ["TunedLoglikelihood"]


@dataclass(frozen=True, kw_only=True)
class TunedLoglikelihood(Loglikelihood):
    """As `Loglikelihood`, asked of the model with an adapter that was fitted to `lessons`, which is dropped then."""

    kind: ClassVar[str] = "tuned_loglikelihood"
    lack: ClassVar[str] = "isn't trained here"
    needs_training: ClassVar[bool] = True
    lessons: Lessons
