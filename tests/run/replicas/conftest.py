"""One cluster, and two workers with a tiny model, for all tests of this folder: they take seconds to begin."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.core.process.progress import Quiet
from harness.run.replicas.cluster import connected
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.options import ReplicaOptions
from tests.run.replicas.mortals import Mortal


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    pytest.importorskip("ray")
    with connected(None, 8) as ray:
        yield ray


@pytest.fixture(scope="session")
def fleet(ray: Any) -> Iterator[Fleet]:
    """Two workers of one thread each."""
    with Fleet(ReplicaOptions(workers=2, threads=1), "cpu", Quiet()) as fleet:
        fleet.start()
        yield fleet


@pytest.fixture(scope="session")
def mortals(ray: Any) -> Iterator[Fleet]:
    """Two workers without a model, who die at what `tests.run.replicas.mortals` says."""
    with Fleet(ReplicaOptions(workers=2, threads=1), "cpu", Quiet(), replica=Mortal) as fleet:
        fleet.start()
        yield fleet
