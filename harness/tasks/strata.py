"""Chooses rows of several classes evenly."""

from collections.abc import Sequence
from dataclasses import replace

from harness.core.tasks import TaskSettings, choose

__all__ = ["choose_evenly"]


def choose_evenly(classes: Sequence[str], settings: TaskSettings, *, salt: str) -> list[int]:
    """Indices of rows to evaluate, in order: as many of each class as the limit allows, as `choose` ranks them.

    `classes` has the class of each row. What a small class lacks is not made up by others, and a larger limit contains
    a smaller one.
    """
    names = sorted(set(classes))
    chosen: list[int] = []
    for rank, name in enumerate(names):
        members = [index for index, one in enumerate(classes) if one == name]
        limit = settings.limit
        if limit is not None:
            limit = limit // len(names) + (rank < limit % len(names))
        _, kept = choose(len(members), replace(settings, limit=limit, num_fewshot=0), salt=f"{salt}:{name}")
        chosen += (members[index] for index in kept)
    return sorted(chosen)
