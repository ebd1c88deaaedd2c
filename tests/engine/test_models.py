"""What every Model promises, and what the wrappers add."""

from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.load import load
from harness.core.errors import CheckpointError, ModelError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Response
from harness.engine.causal import CausalModel
from harness.engine.chat import ChatModel
from harness.engine.resumed import ResumedModel
from harness.engine.scripted import ScriptedModel

REQUESTS = [
    *(Loglikelihood(context=f"Question {n}", continuation=" yes") for n in range(6)),
    LoglikelihoodRolling(text="a whole text, 中文"),
    GenerateUntil(context="Once", max_tokens=4),
]


def scripted():
    return ScriptedModel(lambda request: Response(request_id=request.id, loglikelihood=-1.0, text=request.id[:4]))


class MemoryJournal:
    """Keeps responses in memory, and counts how often it was asked to."""

    def __init__(self):
        self.responses, self.appended = {}, []

    def append(self, responses):
        self.appended.append([response.request_id for response in responses])
        self.responses.update((response.request_id, response) for response in responses)


@pytest.fixture(params=["scripted", "causal", "chat", "resumed"])
def model(request, tiny_llama):
    if request.param == "scripted":
        return scripted()
    loaded = load(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    causal = CausalModel(loaded, batch_tokens=60)
    if request.param == "chat":
        return ChatModel(causal, loaded.tokenizer)
    return ResumedModel(causal, MemoryJournal()) if request.param == "resumed" else causal


def test_each_request_is_answered_exactly_once(model):
    assert sorted(response.request_id for response in respond(model, REQUESTS)) == sorted(r.id for r in REQUESTS)


def test_a_plan_holds_each_request_once_whatever_their_order(model):
    batches = model.plan(REQUESTS)
    assert sorted(request.id for batch in batches for request in batch.requests) == sorted(r.id for r in REQUESTS)
    again = model.plan(list(reversed(REQUESTS)))
    assert [batch.requests for batch in again] == [batch.requests for batch in batches]


def test_a_batch_can_be_answered_alone_and_again_to_the_same_bytes(model):
    expected = {response.request_id: response for response in respond(model, REQUESTS)}
    for batch in reversed(model.plan(REQUESTS)):
        answers = model.answer(batch)
        assert {response.request_id: response for response in answers} == {
            request.id: expected[request.id] for request in batch.requests
        }


def test_nothing_asked_nothing_answered(model):
    assert list(respond(model, [])) == []


def test_a_resumed_model_asks_only_what_is_missing_and_whole_batches():
    inner, journal = scripted(), MemoryJournal()
    first = {response.request_id: response for response in respond(ResumedModel(inner, journal), REQUESTS[:5])}
    inner.asked.clear()
    second = {response.request_id: response for response in respond(ResumedModel(inner, journal), REQUESTS)}
    assert {request.id for request in inner.asked} == {request.id for request in REQUESTS[5:]}
    assert second.items() >= first.items()


def test_a_batch_with_a_missing_answer_is_computed_again_whole(tiny_llama):
    loaded = load(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    journal = MemoryJournal()
    undisturbed = list(respond(ResumedModel(CausalModel(loaded, batch_tokens=60), journal), REQUESTS))
    torn = max(journal.appended, key=len)
    assert len(torn) > 1
    del journal.responses[torn[0]]
    journal.appended.clear()
    assert list(respond(ResumedModel(CausalModel(loaded, batch_tokens=60), journal), REQUESTS)) == undisturbed
    assert journal.appended == [torn]


def test_a_chat_template_wraps_the_context_and_joins_without_a_space(tiny_llama):
    loaded = load(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    inner = scripted()
    list(respond(ChatModel(inner, loaded.tokenizer), REQUESTS[:1]))
    assert inner.asked == [
        Loglikelihood(context="<s>user\nQuestion 0</s>\n<s>assistant\n", continuation="yes"),
    ]


def test_a_chat_template_that_is_not_there_is_refused(tiny_llama):
    loaded = load(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    loaded.tokenizer.chat_template = None
    with pytest.raises(CheckpointError, match="no chat template"):
        ChatModel(scripted(), loaded.tokenizer)


def test_a_kind_that_the_model_does_not_know_is_refused(tiny_llama):
    class Unknown(Loglikelihood.__mro__[1]):
        kind = "classify"

    loaded = load(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    with pytest.raises(ModelError, match="classify"):
        list(respond(CausalModel(replace(loaded), batch_tokens=60), [Unknown()]))
