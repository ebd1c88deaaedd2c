"""Many texts, a few at once: where one has ended another begins, and none is changed by the others."""

import random
from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.core.text.hashing import canonical_json
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.resumed import ResumedModel
from harness.record.codec import RESPONSES
from tests.engine.reference import CountingMeter, plain_generation
from tests.tiny import TEXT

SHARED = " ".join(TEXT[:2])
CONTEXTS = (
    *(f"{SHARED} {number}, said the fox" for number in range(4)),
    TEXT[0],
    "The committee",
    "xylophones of wood",
)
GREEDY = [
    GenerateUntil(context=context, max_tokens=count)
    for index, context in enumerate(CONTEXTS)
    for count in (2 + index, 24 - 3 * index)
]
DRAWS = [replace(one, temperature=1.0, top_p=0.95, seed=draw) for one in GREEDY[::2] for draw in range(3)]
ASKED = [*GREEDY, *DRAWS]
ROOMS = (1, 150, 400)


@pytest.fixture(scope="module")
def loaded(tiny_llama):
    return load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")


@pytest.fixture
def opened(loaded, monkeypatch):
    """Makes a model that has memory for so many tokens of texts, as a large one has."""
    monkeypatch.setattr("harness.engine.writing.generation.writing_bytes", lambda _device: 0)

    def make(room, **options):
        return CausalModel(loaded, batch_tokens=room, **options)

    return make


@pytest.fixture
def steps(loaded):
    """The number of rows of each pass in which every row reads one token."""
    seen = []

    def watch(_module, arguments, _output):
        if arguments[0].shape[1] == 1:
            seen.append(len(arguments[0]))

    handle = loaded.model.get_input_embeddings().register_forward_hook(watch)
    yield seen
    handle.remove()


def tokens(model, requests):
    return {one.request_id: list(one.token_ids) for one in respond(model, requests)}


@pytest.mark.parametrize("room", ROOMS)
def test_greedy_texts_are_those_of_transformers(opened, loaded, room):
    expected = {one.id: plain_generation(loaded, one) for one in GREEDY}
    found = tokens(opened(room), random.Random(room).sample(ASKED, len(ASKED)))
    assert {one.id: found[one.id] for one in GREEDY} == expected


def test_draws_are_those_of_each_request_alone(opened):
    model = opened(4000)
    alone = {name: written for one in DRAWS for name, written in tokens(model, [one]).items()}
    assert len({tuple(one) for one in alone.values()}) > len(DRAWS) / 2
    for room in (150, 400):
        assert tokens(opened(room), DRAWS[::-1]) == alone


@pytest.mark.parametrize("room", ROOMS)
def test_no_step_is_for_a_text_that_has_ended_and_none_is_for_more_texts_than_fit(opened, steps, room):
    model = opened(room)
    batches = model.plan(ASKED)
    for batch in batches:
        steps.clear()
        written = [len(one.token_ids) + (one.stop == "end") for one in model.answer(batch)]
        assert sum(steps) == sum(count - 1 for count in written)
        longest = max(len(model._prompts[one.id]) + one.max_tokens for one in batch.requests)
        at_once = max(1, room // longest)
        assert max(steps, default=0) <= at_once
        # Whoever is the next begins as soon as there is room, so no list of texts can take longer than this.
        assert len(steps) <= sum(written) / at_once + max(written)


def test_short_texts_come_and_go_while_long_ones_are_written(opened, steps):
    """Of four at once, two are long: 14 short ones, which take turns in the other two, take no longer."""
    asked = [
        GenerateUntil(context=SHARED, max_tokens=count, temperature=1.0, seed=index)
        for index, count in enumerate([24, 24, *[3] * 14])
    ]
    (prompt,) = opened(1).encoder.prompts(asked[:1])
    model = opened(4 * (len(prompt) + 24) + 16)
    (batch,) = model.plan(asked)
    steps.clear()
    assert {one.stop for one in model.answer(batch)} == {"length"}
    assert len(steps) <= 24


def test_what_prompts_share_and_each_prompt_are_read_once_for_all_texts(opened):
    meter = CountingMeter()
    model = opened(400, meter=meter)
    batches = model.plan(ASKED)
    for batch in batches:
        model.answer(batch)
    assert meter.tokens["prefill"] == sum(batch.computed_token_count for batch in batches)
    distinct = sum(len(prompt) for prompt in {model._prompts[one.id] for one in ASKED})
    assert meter.tokens["prefill"] < distinct
    assert sum(batch.computed_token_count for batch in opened(4000).plan(ASKED)) < distinct / 2


def test_a_number_that_is_none_stays_with_its_own_text(opened, loaded):
    """A slot in which a text ended that way is as good as new for the next."""
    expected = tokens(opened(4000), ASKED)
    (word,) = loaded.tokenizer("中", add_special_tokens=False)["input_ids"][:1]
    assert not any(word in one for one in expected.values())

    def spoil(_module, arguments, output):
        output[arguments[0] == word] = float("nan")

    broken = [replace(one, context=f"中 {one.context}") for one in GREEDY[::2]]
    handle = loaded.model.get_input_embeddings().register_forward_hook(spoil)
    try:
        for room in (150, 400):
            found = {one.request_id: one for one in respond(opened(room), [*broken, *ASKED])}
            assert {one.id: list(found[one.id].token_ids or ()) for one in ASKED} == expected
            assert {found[one.id].invalid for one in broken} == {"the model's logits are NaN or infinite"}
    finally:
        handle.remove()


class Stopping(CountingMeter):
    """Ends everything after so many steps, as a signal does."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def count(self, *, tokens, requests):
        super().count(tokens=tokens, requests=requests)
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


class Kept:
    """What a record's journal does, in memory."""

    def __init__(self):
        self.responses = {}

    def append(self, responses):
        self.responses |= {one.request_id: one for one in responses}


def write_all(model, kept):
    resumed = ResumedModel(model, kept)
    for batch in resumed.plan(ASKED):
        resumed.answer(batch)
    return canonical_json([RESPONSES.encode(kept.responses[one.id]) for one in ASKED])


@pytest.mark.parametrize("steps", [0, 3, 11, 90])
def test_texts_of_a_batch_that_was_interrupted_come_out_the_same_to_the_byte(opened, steps):
    whole = write_all(opened(150), Kept())
    torn = Kept()
    with pytest.raises(KeyboardInterrupt):
        write_all(opened(150, meter=Stopping(steps)), torn)
    batches = [{one.id for one in batch.requests} for batch in opened(150).plan(ASKED)]
    assert len(batches) > 1
    assert bool(torn.responses) == (steps == 90)
    # Of a batch all texts are kept or none: the last bits of one hang on who else was being written.
    assert all(batch <= torn.responses.keys() or not batch & torn.responses.keys() for batch in batches)
    assert write_all(opened(150), torn) == whole
