"""What guessing would score."""

import pandas as pd

from harness.core.requests import AudioLoglikelihood, Loglikelihood, MultimodalLoglikelihood

__all__ = ["chance_level"]

_CHOICES = (Loglikelihood.kind, MultimodalLoglikelihood.kind, AudioLoglikelihood.kind)


def chance_level(samples: pd.DataFrame, suite: str, task: str) -> float | None:
    """The accuracy of guessing among the choices of a task, from 0 to 1: the mean of 1 / choices over its samples.

    `samples` are a record's. None for a task that doesn't choose among log-likelihoods.
    """
    of_task = samples[(samples["suite"] == suite) & (samples["task"] == task)]
    asked = of_task[of_task["kind"].isin(_CHOICES)]
    if "variant" in asked:
        asked = asked[asked["variant"].isna()]
    counts = asked.groupby("sample_id").size()
    if counts.empty or counts.min() < 2:
        return None
    return float((1 / counts).mean())
