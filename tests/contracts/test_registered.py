"""Everything that is registered keeps its contract: what is asked of a plug-in is asked of ours."""

from importlib.metadata import entry_points

import pytest

from harness.core import registry
from harness.core.errors import UnavailableError
from harness.core.tasks import Task
from harness.data import find
from harness.data.sets.recordings import RecordingSource, SpokenSources
from harness.testing import check_perturbation, check_suite, check_task
from tests.media.long import ALL_RECORDINGS

DERIVED = "energy"
"""The suite whose estimates need more than its scores."""


WHOLE = ("weat_", "seat_", "counterfactual_en", "counterfactual_zh")
"""Tasks that take the same samples for every seed, and most of them whatever the limit."""


FEWER = {"corrupted_scenes": 1, "corrupted_digits": 2}
"""Samples of tasks that ask each of them in 22 ways, with a picture drawn and packed for each: 7 s of the processor."""


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names("harness.tasks"))
def test_tasks(name: str) -> None:
    whole, task = name.startswith(WHOLE), registry.task(name)
    _skip_without_debian(task)
    check_task(task, limit=100 if whole else FEWER.get(name, 8), draws=not whole)


def _skip_without_debian(task: Task) -> None:
    """Packages of Python are had wherever this project is installed; those of Debian aren't."""
    data = find(task.data) if isinstance(task.data, str) else task.data
    if data is not None and isinstance(data.source, RecordingSource | SpokenSources):
        if len(data.languages) > 1 and not ALL_RECORDINGS:
            pytest.skip("several packages of recordings: make recordings")
        try:
            data.source.fetch(offline=False)
        except UnavailableError as error:
            pytest.skip(str(error))


@pytest.mark.parametrize("name", registry.names("harness.suites"))
def test_suites(name: str) -> None:
    check_suite(registry.suite(name), limit=2 if name == DERIVED else 0)


@pytest.mark.parametrize(
    "group", ["harness.perturbations", "harness.sample_perturbations", "harness.picture_perturbations"]
)
def test_perturbations(group: str) -> None:
    for entry in entry_points(group=group):
        check_perturbation(entry.load()())
