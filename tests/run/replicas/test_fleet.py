"""Batches go to whoever is free; one whose worker dies goes to another, and the rest is answered all the same."""

from pathlib import Path

import pytest

from benchmarks.scaling.workers import NOWHERE
from harness.core.errors import ModelError
from harness.core.meters import NullMeter
from harness.core.models import ModelOptions, respond
from harness.core.requests import Loglikelihood, Response
from harness.run.replicas import fleet
from harness.run.replicas.fleet import TRIES, Fleet
from harness.run.replicas.model import PART, RayModel


@pytest.fixture
def model(mortals: Fleet) -> RayModel:
    return RayModel(mortals, NOWHERE, ModelOptions(), NullMeter())


def asking(*contexts: str) -> list[Loglikelihood]:
    return [Loglikelihood(context=context, continuation="x") for context in contexts]


def told(model: RayModel, requests: list[Loglikelihood]) -> dict[str, Response]:
    answers = list(respond(model, requests))
    assert len(answers) == len(requests)
    return {one.request_id: one for one in answers}


def test_each_request_is_answered_once_whoever_dies_and_when(model: RayModel, tmp_path: Path) -> None:
    """More than are sent at once; a worker dies once at one of them, and whoever is given it at another."""
    requests = asking(*(f"{number}" for number in range(PART + 5)), "deadly", f"once {tmp_path / 'died'}")
    answers = told(model, requests)
    *plain, deadly, once = requests
    assert all(answers[one.id].loglikelihood == -len(one.context) for one in [*plain, once])
    assert answers[deadly.id].loglikelihood is None
    assert answers[deadly.id].invalid == f"the worker died at it, each of {TRIES} times that it was asked"
    later = asking("a later round", "of two")
    assert {one.loglikelihood for one in told(model, later).values()} == {-13.0, -6.0}


def test_where_every_batch_kills_the_run_ends_with_one_line(model: RayModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "HOPELESS", 1)
    requests = [Loglikelihood(context="deadly", continuation=str(number)) for number in range(2)]
    with pytest.raises(ModelError, match="no worker is left that answers"):
        list(respond(model, requests))


def test_an_error_of_a_worker_is_told_as_it_is(model: RayModel) -> None:
    with pytest.raises(ModelError, match=r"^a model: has no answer\. Ask another$"):
        list(respond(model, asking("faulty")))
