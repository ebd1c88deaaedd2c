"""Our models keep the contract of `Model`, whatever they compute with; they are in `cases.py`."""

from collections.abc import Callable, Sequence

import pytest

from harness.core.models import Model, respond
from harness.core.requests import Response
from harness.engine.kinds.resumed import ResumedModel
from harness.testing import check_model
from tests.contracts.cases import CASES, Case


class MemoryJournal:
    """Keeps responses in memory."""

    def __init__(self) -> None:
        self.responses: dict[str, Response] = {}

    def append(self, responses: Sequence[Response]) -> None:
        self.responses.update((response.request_id, response) for response in responses)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def opened(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Model]:
    return case.open(tmp_path_factory.mktemp(case.name))


def test_it_keeps_its_contract(case, opened):
    check_model(opened, case.requests, budgets=case.budgets, tolerance=1e-4)


def test_an_interrupted_run_goes_on_to_the_same_bytes(case, opened):
    journal = MemoryJournal()
    whole = opened(case.budgets[0])
    answers = {response.request_id: response for response in respond(whole, case.requests)}
    batches = whole.plan(case.requests)
    first = ResumedModel(whole, journal)
    for batch in batches[: len(batches) // 2]:
        first.answer(batch)
    # What the process that died had written of its last batch.
    torn = whole.answer(batches[len(batches) // 2])[:-1]
    journal.append(torn)
    resumed = ResumedModel(opened(case.budgets[0]), journal)
    assert {response.request_id: response for response in respond(resumed, case.requests)} == answers
