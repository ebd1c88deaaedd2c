"""The causal engine against plain transformers and against lm-evaluation-harness's `hf`."""

import random
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from scipy.stats import chisquare
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, TokenLoglikelihoods
from harness.engine.kinds.causal import CausalModel
from tests.engine.reference import answers, plain_loglikelihood

SENTENCES = [
    "Question: Where does the fox jump?\nAnswer:",
    "The committee met on Tuesday to discuss 1,024 proposals.",
    "中文也要能分词。",
    "She said that he would never go home again; they both laughed and walked on " * 3,
    "x",
]
PAIRS = [
    Loglikelihood(context=context, continuation=continuation)
    for context in (*SENTENCES, "")
    for continuation in (" over the lazy dog", " rain", " positive", "。")
]
TEXTS = [LoglikelihoodRolling(text=text) for text in SENTENCES]
STRIDED = [LoglikelihoodRolling(text=text, max_length=32, stride=16) for text in SENTENCES]
PROMPTS = [GenerateUntil(context=text, max_tokens=12, until=("\n",)) for text in SENTENCES]
MIXED: list[Request] = [*PAIRS, *TEXTS, *STRIDED, *PROMPTS]


@pytest.fixture(scope="module")
def loaded(tiny_llama):
    return load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def hf(tiny_llama):
    return HFLM(pretrained=str(tiny_llama), dtype="float32", batch_size=4, device="cpu")


def test_loglikelihoods_equal_the_plain_way(loaded):
    model = CausalModel(loaded, batch_tokens=500)
    found = answers(model, [*PAIRS, *TEXTS, *STRIDED])
    for request in [*PAIRS, *TEXTS, *STRIDED]:
        total, greedy = plain_loglikelihood(loaded.model, model.encoder, request)
        assert found[request.id].loglikelihood == pytest.approx(total, abs=1e-4)
        assert found[request.id].is_greedy == (greedy if request.kind == "loglikelihood" else None)


def test_the_likelihood_of_each_token_equals_the_plain_way(loaded):
    model = CausalModel(loaded, batch_tokens=100)
    requests = [TokenLoglikelihoods(text=text, max_tokens=20) for text in SENTENCES]
    found = answers(model, requests)
    for request in requests:
        ids = loaded.tokenizer(request.text, add_special_tokens=False)["input_ids"][:20]
        with torch.inference_mode():
            logits = loaded.model(torch.tensor([[model.encoder.prefix_id, *ids[:-1]]])).logits[0].double()
        scores, targets = logits.log_softmax(-1), torch.tensor(ids)
        expected = scores.gather(1, targets[:, None])[:, 0]
        mean = (scores.exp() * scores).sum(-1)
        deviation = ((scores.exp() * scores**2).sum(-1) - mean**2).sqrt()
        response = found[request.id]
        assert response.token_loglikelihoods == pytest.approx(expected.tolist(), abs=1e-4)
        assert response.token_z_scores == pytest.approx(((expected - mean) / deviation).tolist(), abs=1e-3)
        assert list(response.token_is_greedy) == (logits.argmax(-1) == targets).tolist()


def test_beams_are_refused_with_the_reason(loaded):
    (response,) = answers(CausalModel(loaded, batch_tokens=100), [GenerateUntil(context="x", num_beams=4)]).values()
    assert "beams" in response.invalid


def test_answers_equal_those_of_lm_eval(loaded, hf):
    found = answers(CausalModel(loaded, batch_tokens=500), MIXED)
    pairs = [pair for pair in PAIRS if pair.context]
    theirs = hf.loglikelihood([Instance("loglikelihood", {}, (p.context, p.continuation), 0) for p in pairs], True)
    for pair, (loglikelihood, greedy) in zip(pairs, theirs, strict=True):
        assert found[pair.id].loglikelihood == pytest.approx(loglikelihood, abs=1e-3)
        assert found[pair.id].is_greedy == greedy
    theirs = hf.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (t.text,), 0) for t in TEXTS], True)
    for text, loglikelihood in zip(TEXTS, theirs, strict=True):
        assert found[text.id].loglikelihood == pytest.approx(loglikelihood, abs=1e-3)
    options = {"until": ["\n"], "max_gen_toks": 12}
    theirs = hf.generate_until([Instance("generate_until", {}, (p.context, options), 0) for p in PROMPTS], True)
    assert [found[prompt.id].text for prompt in PROMPTS] == theirs


def test_greedy_tokens_equal_those_of_transformers(loaded):
    found = answers(CausalModel(loaded, batch_tokens=10_000), [replace(prompt, until=()) for prompt in PROMPTS])
    for prompt in PROMPTS:
        ids = loaded.tokenizer(prompt.context, return_tensors="pt").input_ids
        written = loaded.model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :].tolist()
        ours = found[replace(prompt, until=()).id].token_ids
        assert list(ours) == [token for token in written if token != loaded.tokenizer.eos_token_id]


def test_budget_and_order_change_a_loglikelihood_by_rounding_alone(loaded):
    reference = answers(CausalModel(loaded, batch_tokens=1000), MIXED)
    for budget in (1, 64, 10_000):
        shuffled = random.Random(budget).sample(MIXED, len(MIXED))
        found = answers(CausalModel(loaded, batch_tokens=budget), shuffled)
        assert found.keys() == reference.keys()
        for key, response in found.items():
            expected = reference[key]
            if expected.loglikelihood is not None:
                assert response.loglikelihood == pytest.approx(expected.loglikelihood, abs=5e-4)
            assert replace(response, loglikelihood=None) == replace(expected, loglikelihood=None)


def test_the_same_plan_gives_the_same_bytes(loaded):
    first = answers(CausalModel(loaded, batch_tokens=300), MIXED)
    second = answers(CausalModel(loaded, batch_tokens=300), list(reversed(MIXED)))
    assert first == second


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4))
def test_any_text_gets_a_finite_answer(loaded, texts):
    requests = {
        request.id: request
        for text in texts
        for request in (Loglikelihood(context=text, continuation=text), LoglikelihoodRolling(text=text))
    }
    found = answers(CausalModel(loaded, batch_tokens=400), list(requests.values()))
    assert found.keys() == requests.keys()
    assert all(response.loglikelihood <= 0 and response.invalid is None for response in found.values())


def test_no_requests_no_answers(loaded):
    model = CausalModel(loaded, batch_tokens=100)
    assert list(respond(model, [])) == []


def test_an_empty_continuation_is_certain(loaded):
    request = Loglikelihood(context="the dog", continuation="")
    (response,) = respond(CausalModel(loaded, batch_tokens=100), [request])
    assert (response.loglikelihood, response.token_count) == (0.0, 0)


def test_what_does_not_fit_the_window_is_invalid_with_its_reason(loaded):
    requests = [
        Loglikelihood(context="a", continuation=" dog" * 400),
        GenerateUntil(context="a", max_tokens=256),
    ]
    reasons = [response.invalid for response in respond(CausalModel(loaded, batch_tokens=100), requests)]
    assert "longer than the model's window" in reasons[0]
    assert "leave no room" in reasons[1]


def test_samples_depend_on_their_seed_alone(loaded):
    def draw(seeds, budget):
        requests = [GenerateUntil(context="Once", max_tokens=8, temperature=1.0, top_p=0.9, seed=s) for s in seeds]
        found = answers(CausalModel(loaded, batch_tokens=budget), requests)
        return {seed: found[request.id].token_ids for seed, request in zip(seeds, requests, strict=True)}

    together, alone = draw(range(6), 10_000), draw(range(6), 1)
    assert together == alone
    assert len(set(together.values())) > 1


@pytest.mark.parametrize(("temperature", "top_p"), [(0.7, 0.5), (1.5, 1.0)])
def test_samples_are_drawn_as_transformers_draws_them(loaded, temperature, top_p):
    model = CausalModel(loaded, batch_tokens=4000)
    asked = [
        GenerateUntil(context="Once", max_tokens=1, temperature=temperature, top_p=top_p, seed=seed)
        for seed in range(2000)
    ]
    tokens = [response.token_ids[0] for response in answers(model, asked).values() if response.token_ids]
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([loaded.tokenizer("Once")["input_ids"]])).logits[:, -1]
    ids = torch.empty(0)
    warped = TopPLogitsWarper(top_p)(ids, TemperatureLogitsWarper(temperature)(ids, logits))
    probabilities = warped.softmax(-1)[0]
    counts = torch.bincount(torch.tensor(tokens), minlength=len(probabilities))
    assert bool((counts[probabilities == 0] == 0).all())
    likely = probabilities * len(asked) >= 5
    rest = [counts[~likely].sum().item() + len(asked) - len(tokens), (1 - probabilities[likely].sum()).item()]
    observed = [*counts[likely].tolist(), rest[0]]
    expected = [*(probabilities[likely].double() * len(asked)).tolist(), rest[1] * len(asked)]
    kept = [(o, e) for o, e in zip(observed, expected, strict=True) if e > 1e-6]
    observed, expected = map(list, zip(*kept, strict=True))
    scale = sum(observed) / sum(expected)
    assert chisquare(observed, [one * scale for one in expected]).pvalue > 1e-4


def test_nan_logits_make_answers_invalid_never_numbers(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    with torch.no_grad():
        loaded.model.get_output_embeddings().weight[7] = float("nan")
    for response in respond(CausalModel(loaded, batch_tokens=500), [*PAIRS[:3], *TEXTS[:1], *PROMPTS[:1]]):
        assert response.invalid == "the model's logits are NaN or infinite"
        assert response.loglikelihood is None
        assert response.text is None


class _Cramped(torch.nn.Module):
    """A real model on a machine that can't take more than `limit` tokens at once."""

    def __init__(self, model, limit):
        super().__init__()
        self.model, self.limit, self.refused = model, limit, 0

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.model, name)

    def forward(self, input_ids, position_ids=None, past_key_values=None, **arguments):
        if input_ids.numel() > self.limit:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate more than there is.")
        return self.model(input_ids, position_ids=position_ids, past_key_values=past_key_values, **arguments)


def test_out_of_memory_halves_the_budget_and_goes_on(loaded):
    expected = answers(CausalModel(loaded, batch_tokens=2000), MIXED)
    cramped = _Cramped(loaded.model, 160)
    model = CausalModel(replace(loaded, model=cramped), batch_tokens=2000)
    assert model.plain_reason is None
    found = answers(model, MIXED)
    assert cramped.refused > 0
    assert found.keys() == expected.keys()
    for key, response in found.items():
        assert response.invalid is None
        if response.loglikelihood is not None:
            assert response.loglikelihood == pytest.approx(expected[key].loglikelihood, abs=5e-4)
        assert response.text == expected[key].text


def test_a_request_too_large_by_itself_is_invalid_and_the_others_survive(loaded):
    found = answers(CausalModel(replace(loaded, model=_Cramped(loaded.model, 40)), batch_tokens=500), MIXED)
    assert found.keys() == {request.id for request in MIXED}
    reasons = {response.invalid for response in found.values()}
    assert reasons == {None, "out of memory even with this request alone"}
