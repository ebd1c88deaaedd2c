"""What of a text didn't fit a model's window, against the tokenizer's own decoding of what did."""

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import ModelOptions, respond
from harness.core.requests import Classify, Embed, GenerateUntil, Loglikelihood
from harness.engine.opening import loaded_model, open_model
from tests import tiny

TEXT = " ".join(tiny.TEXT[:4]) * 3
KINDS = {
    "causal": tiny.build_tiny_checkpoint,
    "seq2seq": tiny.build_tiny_seq2seq,
    "masked": tiny.build_tiny_masked,
    "classifier": tiny.build_tiny_classifier,
    "encoder": tiny.build_tiny_encoder,
}


@pytest.fixture(scope="module", params=KINDS)
def loaded(request, tmp_path_factory):
    folder = KINDS[request.param](tmp_path_factory.mktemp(request.param))
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


def asked(loaded, context):
    match loaded.checkpoint.kind:
        case "classifier":
            return Classify(text=context)
        case "encoder":
            return Embed(text=context)
        case "causal" | "seq2seq" if len(context) % 2:
            return GenerateUntil(context=context, max_tokens=5)
        case _:
            return Loglikelihood(context=context, continuation=" the dog")


def squeezed(text):
    return "".join(text.lower().split())


@pytest.mark.parametrize("length", [20, 141, 380, 601, 900, 1001])
def test_unread_is_what_the_window_has_no_room_for(loaded, length):
    context = TEXT[:length].strip() + "?"
    request = asked(loaded, context)
    model = loaded_model(loaded, batch_tokens=1000)
    (response,) = respond(model, [request])
    tokens = loaded.tokenizer(context, add_special_tokens=False).input_ids
    if loaded.checkpoint.kind == "causal":
        rest = 5 if isinstance(request, GenerateUntil) else len(loaded.tokenizer(" the dog").input_ids) - 1
    else:
        rest = loaded.tokenizer.num_special_tokens_to_add()
        if loaded.checkpoint.kind == "masked":
            rest += len(loaded.tokenizer(" the dog", add_special_tokens=False).input_ids)
    room = loaded.max_length - rest
    right = loaded.checkpoint.kind in ("classifier", "encoder")
    lost = tokens[room:] if right else tokens[: max(len(tokens) - room, 0)]
    count = response.unread_character_count
    found = context[len(context) - count :] if right else context[:count]
    assert squeezed(found) == squeezed(loaded.tokenizer.decode(lost))
    assert (count > 0) == (len(tokens) > room)


def test_in_a_chat_only_the_own_context_counts(tiny_llama):
    def answer(chat, context):
        model = open_model(
            resolve(str(tiny_llama)),
            ModelOptions(dtype="float32", device="cpu", batch_tokens=1000, apply_chat_template=chat),
        )
        (response,) = respond(model, [GenerateUntil(context=context, max_tokens=5)])
        return response.unread_character_count

    turn = "<s>user\n{}</s>\n<s>assistant\n"
    for length in (20, 380, 900):
        context = TEXT[:length].strip()
        whole = answer(False, turn.format(context))
        assert answer(True, context) == max(whole - turn.index("{}"), 0)
