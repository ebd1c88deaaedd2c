"""May the model have been trained on what it is asked?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Contamination"]


class Contamination(Suite):
    """Whether a model may have read published questions in training: p values, never a verdict.

    What it measures. Whether rows are likelier in their published order than in others (exchangeability; after Oren et
    al., 2023); whether published stories are more familiar than twins with other numbers (Min-K%++, Zhang et al., 2025;
    Min-K%, Shi et al., 2024); and, with `--corpus FOLDER`, which questions stand in a corpus of the user's by 13 words
    in a row (Brown et al., 2020), and the score on those that don't. Without a corpus the last are absent, with that
    reason.

    Limits. A small p value is evidence that the model knows the file, a large one no proof that it doesn't: training on
    shuffled rows leaves no trace of their order, and paraphrases share no 13 words. With many tasks and models, small p
    values come by chance; and several models on one file are no independent witnesses, since what one prefers by chance
    in the published order, such as a short row first, the next may, too. There is no score of the whole.
    """

    name = "contamination"
    title = "Contamination"
    report = "suites.contamination.report:ContaminationReport"
    tasks = (
        "exchangeability_piqa",
        "exchangeability_commonsense_qa",
        "freshness_gsm8k",
        "overlap_piqa",
        "overlap_commonsense_qa",
    )

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.contamination.orders import ORDER_RANK
        from suites.contamination.overlap import OVERLAP_METRICS
        from suites.contamination.twins import TWIN_RANKS

        return [
            ("`exchangeability:TASK`", [ORDER_RANK]),
            ("`freshness:TASK`", TWIN_RANKS),
            ("`overlap:TASK`", OVERLAP_METRICS),
        ]
