"""What every Model promises, whatever it computes with; the models are in `cases.py`."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from harness.core.models import Model, respond
from harness.core.requests import Request, Response
from harness.engine.kinds.resumed import ResumedModel
from tests.contracts.cases import CASES, Case

TOLERANCE = 1e-4


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


@pytest.fixture(scope="module")
def answers(case: Case, opened: Callable[[int], Model]) -> dict[str, Response]:
    """Each request's answer, at the small budget."""
    return {response.request_id: response for response in respond(opened(case.budgets[0]), case.requests)}


def ids(requests: Sequence[Request]) -> list[str]:
    return sorted(request.id for request in requests)


def shuffled(requests: Sequence[Request]) -> list[Request]:
    return random.Random(3).sample(list(requests), len(requests))


def same(one: Response, other: Response) -> bool:
    """Equal but for rounding."""
    numbers = [
        (getattr(one, name), getattr(other, name))
        for name in ("is_greedy", "text", "token_ids", "tags", "token_count", "context_token_count", "invalid")
    ]
    return (
        one.request_id == other.request_id
        and all(first == second for first, second in numbers)
        and list(_numbers(one)) == pytest.approx(list(_numbers(other)), abs=TOLERANCE)
    )


def _numbers(response: Response) -> Iterator[float]:
    yield from () if response.loglikelihood is None else (response.loglikelihood,)
    yield from (response.label_scores or {}).values()
    yield from response.vector or ()
    yield from response.token_loglikelihoods or ()
    if response.attribution:
        yield from (response.attribution.probability, response.attribution.empty_probability)
        for method in response.attribution.methods:
            # The scale of values is that of the log-odds, which differ by some tens in a model of random weights.
            yield from (value / 10 for value in (*method.values, *(method.randomised or ())))
            yield from (*method.deletion, *method.insertion, method.infidelity / 1000)


def test_each_request_is_answered_exactly_once(case, opened):
    assert sorted(one.request_id for one in respond(opened(case.budgets[0]), case.requests)) == ids(case.requests)


def test_an_answer_is_an_answer_or_says_why_not(answers):
    for response in answers.values():
        fields = [getattr(response, name) for name in ("loglikelihood", "text", "label_scores", "tags", "vector")]
        fields.append(response.attribution)
        assert any(field is not None for field in fields) != (response.invalid is not None)
        assert response.loglikelihood is None or response.loglikelihood <= 0


def test_nothing_asked_nothing_answered(case, opened):
    model = opened(case.budgets[0])
    assert list(model.plan([])) == []
    assert list(respond(model, [])) == []


def test_a_plan_is_the_same_whatever_the_order_of_the_requests(case, opened):
    batches = opened(case.budgets[0]).plan(case.requests)
    again = opened(case.budgets[0]).plan(shuffled(case.requests))
    assert [batch.requests for batch in again] == [batch.requests for batch in batches]
    assert sorted(request.id for batch in batches for request in batch.requests) == ids(case.requests)


def test_a_batch_can_be_answered_alone_and_again_to_the_same_bytes(case, opened, answers):
    model = opened(case.budgets[0])
    for batch in reversed(model.plan(case.requests)):
        found = {response.request_id: response for response in model.answer(batch)}
        assert found == {request.id: answers[request.id] for request in batch.requests}


def test_a_larger_budget_changes_no_answer(case, opened, answers):
    for response in respond(opened(case.budgets[1]), case.requests):
        assert same(response, answers[response.request_id]), (response, answers[response.request_id])


def test_a_request_asked_alone_gets_the_same_answer(case, opened, answers):
    for request in shuffled(case.requests)[:8]:
        (response,) = respond(opened(case.budgets[0]), [request])
        assert same(response, answers[request.id]), (request, response, answers[request.id])


def test_a_request_in_another_object_is_the_same_request(case, opened, answers):
    model = opened(case.budgets[0])
    list(respond(model, case.requests))
    copies = [replace(request) for request in case.requests]
    assert {response.request_id: response for response in respond(model, copies)} == answers


def test_an_interrupted_run_goes_on_to_the_same_bytes(case, opened, answers):
    journal = MemoryJournal()
    whole = opened(case.budgets[0])
    batches = whole.plan(case.requests)
    first = ResumedModel(whole, journal)
    for batch in batches[: len(batches) // 2]:
        first.answer(batch)
    # What the process that died had written of its last batch.
    torn = whole.answer(batches[len(batches) // 2])[:-1]
    journal.append(torn)
    resumed = ResumedModel(opened(case.budgets[0]), journal)
    assert {response.request_id: response for response in respond(resumed, case.requests)} == answers
