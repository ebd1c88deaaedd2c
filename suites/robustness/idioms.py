"""Chinese idioms by their meaning, with noise in what they mean."""

from suites.chinese.idioms import IdiomMeanings
from suites.robustness.variants import sample_perturbations
from suites.robustness.wrapper import RobustnessTask

__all__ = ["RobustnessIdiomMeanings"]


class _Uncontrolled(IdiomMeanings):
    """The question alone."""

    controlled = False
    metrics = IdiomMeanings.metrics[:1]


class RobustnessIdiomMeanings(RobustnessTask):
    """How much of its score in `idiom_meanings` a model keeps when the explanations have errors as Chinese is typed.

    What it measures. Each explanation is read as it is and at severities 1, 3 and 5 by one of four perturbations drawn
    for it: characters of the same sound, as an input method offers them; characters that differ in one component;
    traditional for simplified ones; marks of the other width. Right answers that still stand are then attacked by up to
    six more, chosen by what came nearest to turning them. `--task robustness:TASK` does the same with other tasks.

    Why it matters. Chinese is typed by sound, and its errors are whole characters: noise made for letters says nothing
    about them.

    Limits. A model at chance (0.25) has nothing to lose: read the clean score first. Homophones at severity 5 can take
    the meaning of a short explanation. 16 idioms by default: an error of about 0.1 of the clean score.
    """

    def __init__(self) -> None:
        noise = sample_perturbations(["homophones_zh", "similar_shapes_zh", "traditional_zh", "punctuation_width_zh"])
        super().__init__(_Uncontrolled(), noise, severities=(1, 3, 5), per_severity=1)
        self.name = "robustness_idiom_meanings"
        self.default_limit = 16
