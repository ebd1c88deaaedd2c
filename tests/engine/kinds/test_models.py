"""What the models that wrap a Model add; what every Model promises is in `tests/contracts`."""

import json
from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError, ModelError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Response, Tools
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.resumed import ResumedModel
from harness.engine.kinds.scripted import ScriptedModel

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


def test_a_resumed_model_asks_only_what_is_missing_and_whole_batches():
    inner, journal = scripted(), MemoryJournal()
    first = {response.request_id: response for response in respond(ResumedModel(inner, journal), REQUESTS[:5])}
    inner.asked.clear()
    second = {response.request_id: response for response in respond(ResumedModel(inner, journal), REQUESTS)}
    assert {request.id for request in inner.asked} == {request.id for request in REQUESTS[5:]}
    assert second.items() >= first.items()


def test_a_batch_with_a_missing_answer_is_computed_again_whole(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    journal = MemoryJournal()

    def answers():
        model = ResumedModel(CausalModel(loaded, batch_tokens=60), journal)
        return {response.request_id: response for response in respond(model, REQUESTS)}

    undisturbed = answers()
    torn = max(journal.appended, key=len)
    assert len(torn) > 1
    del journal.responses[torn[0]]
    journal.appended.clear()
    assert answers() == undisturbed
    assert journal.appended == [torn]


def test_a_chat_template_wraps_the_context_and_joins_without_a_space(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    inner = scripted()
    list(respond(ChatModel(inner, loaded.tokenizer), REQUESTS[:1]))
    assert inner.asked == [
        Loglikelihood(context="<s>user\nQuestion 0</s>\n<s>assistant\n", continuation="yes"),
    ]


FUNCTIONS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]
CALLED = GenerateUntil(
    context="With add: 2 and 3?", tools=Tools(question="What is 2 and 3?", functions=json.dumps(FUNCTIONS))
)


@pytest.mark.parametrize("where", ["after the turns", "in a template of its own"])
def test_a_template_with_a_format_for_functions_is_given_them(tiny_llama, where):
    """As transformers renders them."""
    tokenizer = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu").tokenizer
    plain = tokenizer.chat_template
    template = "{% if tools %}{% for one in tools %}<tool>{{ one.function.name }}</tool>{% endfor %}{% endif %}" + plain
    tokenizer.chat_template = template if where == "after the turns" else {"default": plain, "tool_use": template}
    inner = scripted()
    list(respond(ChatModel(inner, tokenizer), [CALLED, GenerateUntil(context="What is 2 and 3?")]))
    turns = [{"role": "user", "content": "What is 2 and 3?"}]
    options = {"tokenize": False, "add_generation_prompt": True}
    assert {one.context for one in inner.asked} == {
        tokenizer.apply_chat_template(turns, tools=FUNCTIONS, **options),
        tokenizer.apply_chat_template(turns, **options),
    }
    assert any("<tool>add</tool>" in one.context for one in inner.asked)
    assert all(one.tools is None for one in inner.asked)


def test_a_template_without_a_format_for_functions_is_given_the_prompt_that_describes_them(tiny_llama):
    tokenizer = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu").tokenizer
    inner = scripted()
    list(respond(ChatModel(inner, tokenizer), [CALLED]))
    assert [one.context for one in inner.asked] == ["<s>user\nWith add: 2 and 3?</s>\n<s>assistant\n"]


def test_a_chat_template_that_is_not_there_is_refused(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    loaded.tokenizer.chat_template = None
    with pytest.raises(CheckpointError, match="no chat template"):
        ChatModel(scripted(), loaded.tokenizer)


def test_a_kind_that_the_model_does_not_know_is_refused(tiny_llama):
    class Unknown(Loglikelihood.__mro__[1]):
        kind = "classify"

    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    with pytest.raises(ModelError, match="classify"):
        list(respond(CausalModel(replace(loaded), batch_tokens=60), [Unknown()]))
