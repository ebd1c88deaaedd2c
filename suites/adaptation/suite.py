"""Does the model learn from examples that it is shown?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Adaptation"]


class Adaptation(Suite):
    """How much the model learns from exemplars in its context, by how many there are.

    What it measures. Accuracy after 0, 1, 2, 4, 8, 16 and 32 exemplars, as many as the window holds: the area under
    that curve, the gain a doubling, and what both hang on, the answers of the exemplars, their choice and their order.
    Two tasks are made up from the run's seed, so that nothing but the exemplars can tell the answer; PIQA beside them
    is one that models know. `--task fewshot_curve:TASK` does the same with any task of choices.

    Why it matters. Few people have more than some examples of what they want. A model that learns from them can be put
    to uses that nobody trained it for; one that only recognises tasks can't.

    Limits. Nothing is trained: this is learning within the context, and not what an adapter would learn from the same
    rows. Default sizes are small: read the intervals, and the area before single points of a curve.
    """

    name = "adaptation"
    title = "Adaptation"
    report = "suites.adaptation.report:AdaptationReport"
    tasks = ("made_up_names", "made_up_rules", "fewshot_piqa")
    headline = (
        ("made_up_names", "adaptation_area"),
        ("made_up_rules", "adaptation_area"),
        ("fewshot_piqa", "adaptation_area"),
    )

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.adaptation.curve import ALL_SHOTS
        from suites.adaptation.metrics import curve_metrics

        return [("`fewshot_curve:TASK`", curve_metrics(ALL_SHOTS[-1], several_draws=True))]
