"""What each run is called where several are shown. Pure."""

from collections import Counter

import pandas as pd

from harness.core.text.display import apart, elided

__all__ = ["labels"]


def labels(checkpoints: pd.DataFrame) -> dict[str, str]:
    """A short name a run, made unique by what tells it apart: its training, dtype, the beginning of its id."""
    run_ids = [str(run_id) for run_id in checkpoints["run_id"]]
    names = apart([str(name) for name in checkpoints["name"]], 40)
    trainings = [elided(str(one), 40) if isinstance(one, str) else "" for one in checkpoints["lineage"]]
    for more in (trainings, checkpoints["dtype"].fillna(""), checkpoints["run_id"].str[:6]):
        counts = Counter(names)
        names = [
            f"{name} · {added}" if counts[name] > 1 and added else name for name, added in zip(names, more, strict=True)
        ]
    return dict(zip(run_ids, names, strict=True))
