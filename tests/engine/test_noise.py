"""Noise on embeddings against plain transformers, which gets the same noise as `inputs_embeds`."""

import hashlib
from dataclasses import replace

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import Classify, EmbeddingNoise, GenerateUntil, Loglikelihood
from harness.engine.kinds.scripted import ScriptedModel
from harness.engine.noise import NO_OFFSETS, Noiseless
from harness.engine.opening import loaded_model
from tests import tiny

CONTEXT = "Question: Where does the fox jump?\nAnswer:"
START, END = CONTEXT.index("Where"), CONTEXT.index("\n")
NOISE = EmbeddingNoise(scale=0.7, seed="3:sample", spans=((START, END),))
PAIR = Loglikelihood(context=CONTEXT, continuation=" over the lazy dog", noise=NOISE)
BUILDERS = {
    "causal": tiny.build_tiny_checkpoint,
    "masked": tiny.build_tiny_masked,
    "seq2seq": tiny.build_tiny_seq2seq,
    "classifier": tiny.build_tiny_classifier,
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Each kind's checkpoint, loaded, and its model."""
    found = {}
    for kind, build in BUILDERS.items():
        loaded = load_model(resolve(str(build(tmp_path_factory.mktemp(kind)))), dtype="float32", device="cpu")
        found[kind] = loaded, loaded_model(loaded, batch_tokens=256)
    return found


def noised(embeddings, where, noise=NOISE):
    """Embeddings of shape (tokens, width) with the noise at the indices `where`, as the docstring has it."""
    found = embeddings.clone()
    for place, index in enumerate(where):
        seed = int.from_bytes(hashlib.sha256(f"{noise.seed}:{place}".encode()).digest()[:8], "big") >> 1
        drawn = torch.randn(found.shape[1], generator=torch.Generator().manual_seed(seed))
        found[index] += noise.scale * found[index].square().mean().sqrt() * drawn
    return found


def inside(offsets):
    return [index for index, (start, end) in enumerate(offsets) if START <= start < end <= END]


def answer(model, request):
    (response,) = respond(model, [request])
    return response


def test_a_causal_model_reads_the_question_with_noise_and_the_rest_without(opened):
    loaded, model = opened["causal"]
    encoded = loaded.tokenizer(CONTEXT + PAIR.continuation, return_offsets_mapping=True)
    ids = torch.tensor(encoded["input_ids"])
    count = len(loaded.tokenizer(CONTEXT)["input_ids"])
    where = inside(encoded["offset_mapping"])
    assert 4 < len(where) < count
    with torch.inference_mode():
        table = loaded.model.get_input_embeddings().weight
        logits = loaded.model(inputs_embeds=noised(table[ids], where)[None]).logits[0].double().log_softmax(-1)
        written = loaded.model.generate(
            inputs_embeds=noised(table[ids[:count]], where)[None],
            attention_mask=torch.ones(1, count),
            max_new_tokens=6,
            do_sample=False,
        )
    expected = logits[count - 1 : -1].gather(1, ids[count:, None]).sum().item()
    assert answer(model, PAIR).loglikelihood == pytest.approx(expected, abs=1e-4)
    assert answer(model, PAIR).loglikelihood != pytest.approx(
        answer(model, replace(PAIR, noise=None)).loglikelihood, abs=1e-2
    )
    prompt = GenerateUntil(context=CONTEXT, max_tokens=6, noise=NOISE)
    assert answer(model, prompt).token_ids == tuple(token for token in written[0].tolist() if token != 2)


def test_an_encoder_and_decoder_reads_the_source_with_noise(opened):
    loaded, model = opened["seq2seq"]
    encoded = loaded.tokenizer(CONTEXT, return_offsets_mapping=True)
    targets = torch.tensor(loaded.tokenizer(PAIR.continuation, add_special_tokens=False)["input_ids"])
    with torch.inference_mode():
        embeddings = loaded.model.get_encoder().embed_tokens(torch.tensor(encoded["input_ids"]))
        read = noised(embeddings, inside(encoded["offset_mapping"]))[None]
        start = torch.tensor([loaded.model.config.decoder_start_token_id])
        logits = loaded.model(inputs_embeds=read, decoder_input_ids=torch.cat([start, targets[:-1]])[None]).logits
    expected = logits[0].double().log_softmax(-1).gather(1, targets[:, None]).sum().item()
    assert answer(model, PAIR).loglikelihood == pytest.approx(expected, abs=1e-4)


def test_a_masked_model_reads_the_context_with_noise(opened):
    loaded, model = opened["masked"]
    pair = replace(PAIR, continuation=" dog")
    encoded = loaded.tokenizer(CONTEXT + pair.continuation, return_offsets_mapping=True)
    ids = torch.tensor(encoded["input_ids"])
    continuation = [index for index, (start, end) in enumerate(encoded["offset_mapping"]) if end > len(CONTEXT)]
    total = 0.0
    for place in continuation:
        masked = ids.clone()
        # All of it is one word, whose later tokens are masked with each.
        masked[place : continuation[-1] + 1] = loaded.tokenizer.mask_token_id
        with torch.inference_mode():
            table = loaded.model.get_input_embeddings().weight
            read = noised(table[masked], inside(encoded["offset_mapping"]))[None]
            logits = loaded.model(inputs_embeds=read).logits[0, place].double()
        total += logits.log_softmax(-1)[ids[place]].item()
    assert answer(model, pair).loglikelihood == pytest.approx(total, abs=1e-4)


def test_a_classifier_reads_the_first_text_of_a_pair_with_noise(opened):
    loaded, model = opened["classifier"]
    request = Classify(text=CONTEXT, text_pair=CONTEXT, noise=NOISE)
    encoded = loaded.tokenizer(CONTEXT, CONTEXT, return_offsets_mapping=True)
    first = [index for index, text in enumerate(encoded.sequence_ids(0)) if text == 0]
    where = [index for index in inside(encoded["offset_mapping"]) if index in first]
    with torch.inference_mode():
        table = loaded.model.get_input_embeddings().weight
        read = noised(table[torch.tensor(encoded["input_ids"])], where)[None]
        logits = loaded.model(inputs_embeds=read).logits[0]
    expected = logits.double().softmax(-1).tolist()
    assert list((answer(model, request).label_scores or {}).values()) == pytest.approx(expected, abs=1e-5)


def test_no_noise_and_noise_of_no_size_are_the_same_answer_and_only_the_first_the_same_request(opened):
    _, model = opened["causal"]
    silent, plain = replace(PAIR, noise=replace(NOISE, scale=0.0)), replace(PAIR, noise=None)
    assert answer(model, silent).loglikelihood == answer(model, plain).loglikelihood
    assert len({request.id for request in (PAIR, silent, plain)}) == 3


def test_what_is_read_without_noise_is_shared(opened):
    _, model = opened["causal"]
    stem = "She said that he would never go home again; they both laughed. " * 4
    spans = ((len(stem) + START, len(stem) + END),)
    pairs = [
        Loglikelihood(context=stem + CONTEXT, continuation=f" {word}", noise=replace(NOISE, scale=scale, spans=spans))
        for scale in (0.0, 0.2, 0.4, 0.6)
        for word in ("dog", "river")
    ]
    batches = model.plan(pairs)
    shared, alone = (sum(getattr(batch, name) for batch in batches) for name in
                     ("computed_token_count", "asked_token_count"))  # fmt: skip
    assert shared < alone / 3


def test_a_model_whose_tokenizer_knows_no_places_says_so():
    model = Noiseless(ScriptedModel(lambda _: pytest.fail("asked all the same")))
    assert answer(model, PAIR).invalid == NO_OFFSETS
