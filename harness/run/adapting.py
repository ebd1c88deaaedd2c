"""What a run asks of the model once it is trained, beside what it asks of the model itself."""

from collections.abc import Iterator
from dataclasses import replace

from harness.core import registry
from harness.core.tasks import Adapts, AdaptWay, Trains
from harness.run.references import suites_with, useless
from harness.suitefiles.selection import PlannedTask, Selection

__all__ = ["with_adapted"]


def with_adapted(selection: Selection, way: AdaptWay | None) -> Selection:
    """The selection with a task of a trained model behind each that has one, where that is asked for.

    The suites that tell what training costs are in it, too. Raises `InputError` where a `way`
    is given, and none of the tasks has a use for it.
    """
    planned = tuple(_planned(selection, way))
    if way is not None and not any(isinstance(one.task, Adapts) for one in planned):
        raise useless(f"--adapt {way}", "learns from a number of rows", suites_with(Adapts))
    suites = {one.name: one for one in selection.suites}
    for one in planned:
        if isinstance(one.task, Trains) and one.task.told_by not in suites:
            suites[one.task.told_by] = registry.suite(one.task.told_by)
    return replace(selection, planned=planned, suites=tuple(suites.values()))


def _planned(selection: Selection, way: AdaptWay | None) -> Iterator[PlannedTask]:
    known = {one.task.name for one in selection.planned}
    for one in selection.planned:
        yield one
        if way is not None and isinstance(one.task, Adapts):
            other = one.task.adapted(way)
            if other.name not in known:
                yield replace(one, task=other)
