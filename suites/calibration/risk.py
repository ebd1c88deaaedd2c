"""How many errors are left where only the most confident answers are taken."""

import numpy as np
import pandas as pd

from harness.metrics.confidence import AreaUnderRiskCoverage, risks

__all__ = ["risk_curves"]


def risk_curves(scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The risk-coverage curve of each task with confidences, by the task's name.

    A curve has the columns task, coverage (in (0, 1]) and risk (in [0, 1]). `scores` are a record's; samples that could
    not be used are left out.
    """
    usable = (scores["metric"] == AreaUnderRiskCoverage.name) & scores["value"].notna() & scores["invalid"].isna()
    found = {}
    for task, rows in scores[usable].groupby("task", sort=False):
        right = np.array(rows["predicted"] == rows["gold"], dtype=np.float64)
        risk = risks(np.array(rows["value"], dtype=np.float64), right)
        coverage = np.arange(1, len(risk) + 1) / len(risk)
        found[str(task)] = pd.DataFrame({"task": str(task), "coverage": coverage, "risk": risk})
    return found
