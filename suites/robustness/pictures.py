"""Questions about pictures, asked again with noise in the picture."""

from suites.robustness.corruption import MEAN_CORRUPTION_ERROR, RELATIVE_CORRUPTION_ERROR
from suites.robustness.metrics import CLEAN_SCORE, FLIP_RATE, NOISY_SCORE, RELATIVE_DROP, SEVERITY_AREA
from suites.robustness.variants import picture_perturbations
from suites.robustness.wrapper import RobustnessTask
from suites.vision.digits import PlainDigits
from suites.vision.scenes import DrawnScenes

__all__ = ["CorruptedDigits", "CorruptedScenes"]


class _PlainScenes(DrawnScenes):
    controlled = False


class _Corrupted(RobustnessTask):
    metrics = (
        *(CLEAN_SCORE, NOISY_SCORE, RELATIVE_DROP, FLIP_RATE, SEVERITY_AREA),
        *(MEAN_CORRUPTION_ERROR, RELATIVE_CORRUPTION_ERROR),
    )


class CorruptedDigits(_Corrupted):
    """How much of its score on handwritten digits a model keeps when the pictures have noise.

    What it measures. Each digit is asked about as it is and in ten corrupted pictures, two at each severity from 1 to
    5, by corruptions drawn for it: sensor noise, lost bits, blur, motion, fewer pixels, JPEG, pale, bright, rotated or
    partly covered pictures, after Hendrycks and Dietterich (2019). `noisy_score` by `perturbation` and `severity` says
    what harms it, `mean_corruption_error` sums up all kinds.

    Why it matters. Pictures come from cameras, scanners and messengers, not from test sets.

    Limits. Severities are those of photographs of 224 pixels; a digit of 8 by 8 pixels bears some of them better, and
    others worse. No corruption hides a digit from people, but the strongest blur comes near it. 16 digits by default:
    an error of about 0.1 of the clean score. The corruption error of the paper divides by another model's: here a model
    is held against its own clean score (`relative_corruption_error`, `relative_drop`).
    """

    def __init__(self) -> None:
        super().__init__(PlainDigits(), picture_perturbations())
        self.name = "corrupted_digits"
        self.default_limit = 16


class CorruptedScenes(_Corrupted):
    """How much of its score on drawn scenes a model keeps when the pictures have noise.

    What it measures. As `corrupted_digits`, with questions about how many shapes there are, where one is, and of what
    colour, in pictures that are drawn from the run's seed.

    Why it matters. Counting and places hang on edges and corners, which blur and compression take first.

    Limits. As of `corrupted_digits`. A rotation of 30 degrees leaves what was left of another thing left of it.
    12 scenes by default.
    """

    def __init__(self) -> None:
        super().__init__(_PlainScenes(), picture_perturbations())
        self.name = "corrupted_scenes"
        self.default_limit = 12
