"""How far confidence can be believed, on the tasks of the suite `accuracy`."""

from harness.tasks.choices import MultipleChoice
from harness.tasks.classification import Classification
from suites.accuracy.boolq import BoolQ
from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.imdb import IMDB
from suites.accuracy.imdb_classifier import IMDBClassifier
from suites.accuracy.mmlu import MMLU
from suites.accuracy.piqa import PIQA
from suites.accuracy.siqa import SIQA
from suites.calibration.wrapper import CalibrationTask

__all__ = [
    "BoolQCalibration",
    "CommonsenseQACalibration",
    "IMDBCalibration",
    "IMDBClassifierCalibration",
    "MMLUCalibration",
    "PIQACalibration",
    "SIQACalibration",
]


def _calibrated(inner: type[MultipleChoice | Classification], shown: str, confidence: str) -> type[CalibrationTask]:
    """The task that judges another one's confidence, under a name of its own."""

    def build(self: CalibrationTask) -> None:
        CalibrationTask.__init__(self, inner())
        self.name = f"calibration_{inner.name}"

    text = f"""Whether the model's confidence in its answers to {shown} can be believed.

    What it measures. How near the probability of its answers comes to the share of them that are right, whether it is
    higher where the answer is right, and the temperature that would mend it. The probability is {confidence}.
    Samples, prompts and default size are those of `{inner.name}`, so a run that asks both asks once.
    `--task calibration:TASK` does it with another task.

    Why it matters. Whoever acts on an answer, or hands the doubtful ones to people, needs to know how sure the model
    is.

    Limits. Those of `{inner.name}`. This is the confidence of a comparison between given answers, not what a model says
    of itself. With a few hundred samples the bins are coarse: read the debiased error, and the intervals.
    """
    return type(
        f"{inner.__name__}Calibration", (CalibrationTask,), {"__module__": __name__, "__init__": build, "__doc__": text}
    )


_CHOICES = "that of a softmax over the log-likelihoods of the choices"
_LABELS = "that which the classifier gives its label"

PIQACalibration = _calibrated(PIQA, "PIQA", _CHOICES)
SIQACalibration = _calibrated(SIQA, "Social IQa", _CHOICES)
CommonsenseQACalibration = _calibrated(CommonsenseQA, "CommonsenseQA", _CHOICES)
BoolQCalibration = _calibrated(BoolQ, "BoolQ", _CHOICES)
MMLUCalibration = _calibrated(MMLU, "MMLU", _CHOICES)
IMDBCalibration = _calibrated(IMDB, "IMDB (by verbalised labels)", _CHOICES)
IMDBClassifierCalibration = _calibrated(IMDBClassifier, "IMDB (by its own labels)", _LABELS)
