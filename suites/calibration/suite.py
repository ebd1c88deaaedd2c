"""Can the model's confidence be believed?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Calibration"]


class Calibration(Suite):
    """Whether a model is as often right as it is sure, and whether it is surer where it is right.

    What it measures. Over the answers of the suite `accuracy`, which are asked once for both: expected calibration
    error with bins of equal size, plain and debiased, and with bins of equal width; the Brier score and its parts;
    negative log-likelihood; AUROC of confidence; the risk-coverage curve by its area and two points; the temperature
    that would mend it. The reliability diagram is in the scores by group (`harness show RUN --groups`): accuracy, and
    confidence less accuracy, by tenths of confidence. The leaderboard draws both for a run.

    Limits. Confidence is the model's probability of an answer among those given. What a model says of its own
    confidence, in percent, is asked by `--task verbalised:TASK`, which is in no suite: small models hardly state any. A
    model at chance can be well calibrated: read accuracy and AUROC beside it. Errors of a
    few hundredths can't be seen in samples of this size.
    """

    name = "calibration"
    title = "Calibration"
    report = "suites.calibration.report:CalibrationReport"
    tasks = (
        "calibration_piqa",
        "calibration_siqa",
        "calibration_commonsense_qa",
        "calibration_boolq",
        "calibration_mmlu",
        "calibration_imdb",
        "calibration_imdb_classifier",
    )
    headline = tuple((task, "brier") for task in tasks)
    earlier_headlines = (tuple((task, "ece_debiased") for task in tasks),)

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.calibration.verbalised import VerbalisedTask

        return [("`verbalised:TASK`", VerbalisedTask.metrics)]
