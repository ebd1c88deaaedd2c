"""A run asks in rounds, and one that was interrupted between them asks the same again."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.core.attributions import Attribution
from harness.core.meters import NullMeter
from harness.core.process.progress import Quiet
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.engine.kinds.resumed import ResumedModel
from harness.engine.kinds.scripted import ScriptedModel
from harness.run.asking import answer_all, known_rounds
from harness.run.judgement import score_task
from harness.run.work import TaskWork, prepare
from harness.suitefiles.selection import PlannedTask


class Countdown(Task):
    """Goes on asking about a sample until it has as many answers as its id says."""

    name = "countdown"
    asks = (Loglikelihood,)

    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        return [Sample(id=name, prompt=name) for name in ("1", "2", "3")]

    def requests(self, sample: Sample) -> Sequence[Request]:
        return [Loglikelihood(context=sample.id, continuation="0")]

    def follow_up(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Request]:
        last = responses[-1].loglikelihood
        wanted = len(responses) < int(sample.id)
        return [Loglikelihood(context=sample.id, continuation=f"{len(responses)} after {last}")] if wanted else []

    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        return [Score(sample_id=sample.id, metric="count", value=float(len(responses)))]


class Journal:
    """Keeps responses as a record does, up to `room` of them."""

    def __init__(self, room: int = 99) -> None:
        self.responses: dict[str, Response] = {}
        self.files: dict[str, Any] = {}
        self.room = room

    def append(self, responses: Sequence[Response]) -> None:
        if len(self.responses) + len(responses) > self.room:
            raise KeyboardInterrupt
        self.responses |= {response.request_id: response for response in responses}

    def write_json(self, name: str, value: Any) -> None:
        self.files[name] = value


def script(request: Request) -> Response:
    return Response(request_id=request.id, loglikelihood=-float(len(str(request))))


def work() -> list[TaskWork]:
    settings = TaskSettings(limit=None, num_fewshot=0, seed=0)
    return prepare([PlannedTask(suite="mine", task=Countdown(), settings=settings)], offline=True)


def asked_in(journal: Journal) -> tuple[ScriptedModel, Sequence[TaskWork]]:
    model = ScriptedModel(script)
    return model, answer_all(work(), ResumedModel(model, journal), journal, NullMeter(), Quiet())  # type: ignore[arg-type]


def test_a_task_asks_again_until_it_knows_enough() -> None:
    journal = Journal()
    model, done = asked_in(journal)
    assert len(model.asked) == 1 + 2 + 3
    assert [score.value for score in score_task(done[0], journal.responses)] == [1, 2, 3]
    assert done[0].spec == work()[0].spec
    assert known_rounds(work(), journal.responses)[1:] == (6, 0)
    assert "mine/loglikelihood" in journal.files["engine.json"]


def test_what_explanations_read_is_known_by_their_answers() -> None:
    one = Attribution(
        decision=0,
        target="yes",
        tie=False,
        probability=1.0,
        empty_probability=0.5,
        units=("a", " b"),
        methods=(),
        asked_token_count=70,
        computed_token_count=30,
    )
    journal = Journal()
    model = ScriptedModel(lambda request: Response(request_id=request.id, attribution=one))
    answer_all(work(), ResumedModel(model, journal), journal, NullMeter(), Quiet())  # type: ignore[arg-type]
    counted = {"asked_token_count": 70 * len(model.asked), "computed_token_count": 30 * len(model.asked)}
    assert journal.files["engine.json"] == {"mine/loglikelihood": counted}


@pytest.mark.parametrize("room", range(6))
def test_a_run_that_was_interrupted_in_any_round_asks_what_is_left_and_no_more(room: int) -> None:
    whole = Journal()
    asked_in(whole)
    torn = Journal(room)
    with pytest.raises(KeyboardInterrupt):
        asked_in(torn)
    assert known_rounds(work(), torn.responses)[2] > 0
    torn.room = 99
    model, done = asked_in(torn)
    assert len(model.asked) == 6 - room
    assert torn.responses == whole.responses
    assert [one.asked for one in known_rounds(work(), torn.responses)[0]] == [one.asked for one in done]
