"""Every causal architecture: what the engine answers equals transformers' own answer to one request at a time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request
from harness.engine.kinds.causal import CausalModel
from tests.engine.reference import CountingMeter, answers, plain_generation, plain_loglikelihood
from tests.tiny import TEXT, build_tiny_checkpoint

EXEMPLARS = "".join(f"Question: {line}\nAnswer: positive\n\n" for line in TEXT[:3])
PASSAGE = EXEMPLARS + "Passage: " + " ".join(TEXT[1:4]) + "\n"
WORDS = [
    "the fox",
    "a dog and the rain",
    "energy",
    "water and schools",
    "he laughed",
    "中文",
    "music",
    "walked on through",
    "the committee",
]
QUESTIONS = [
    f"Question {number}: {word} {number * 377}, {word[::-1]} {number * 7919} {word}?\nAnswer:"
    for number, word in enumerate(WORDS)
]
CHOICES = (" over the lazy dog", " rain")


def pairs(questions: Sequence[str]) -> list[Loglikelihood]:
    """Questions behind two beginnings, those behind the shorter one with two answers each; some more beside them."""
    return [
        *(Loglikelihood(context=f"Where does {word} go?", continuation=c) for word in WORDS[:2] for c in CHOICES),
        *(
            Loglikelihood(context=start + question, continuation=choice)
            for start in (EXEMPLARS, PASSAGE)
            for question in questions
            for choice in CHOICES[: 1 + (start is EXEMPLARS)]
        ),
        Loglikelihood(context="", continuation="The committee"),
    ]


PAIRS = pairs(QUESTIONS)
TEXTS = [TEXT[0], "".join(QUESTIONS[:4]), "x"]
READ: list[Request] = [
    *pairs(QUESTIONS[:5]),
    *(LoglikelihoodRolling(text=text) for text in TEXTS),
    *(LoglikelihoodRolling(text=text, max_length=48, stride=24) for text in TEXTS),
]
LONGEST = 10
PROMPTS = [*(EXEMPLARS + question for question in QUESTIONS[:3]), *QUESTIONS[:2], TEXT[0][:20], "x"]
WRITTEN = [GenerateUntil(context=prompt, max_tokens=LONGEST) for prompt in PROMPTS]


@dataclass(frozen=True)
class Kind:
    """One architecture, how small it is made, and what has to be said of it: why nothing is packed, None if all is.

    Some go on from a beginning that was read once all the same (`continues`).
    """

    model_type: str
    settings: dict[str, Any]
    plain_because: str | None = None
    continues: bool = False
    batches: bool = True


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 640}
TINY = {**SMALL, "intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 8}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 640}
FEW_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
SLIDING = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}
KINDS = {
    "llama": Kind("llama", TINY),
    "gpt2": Kind("gpt2", GPT),
    "gpt_neox": Kind("gpt_neox", TINY),
    "gpt_neo": Kind(
        "gpt_neo",
        {**TINY, "num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 8},
        "attention_types",
        continues=True,
    ),
    "opt": Kind("opt", {**TINY, "ffn_dim": 64, "word_embed_proj_dim": 32}),
    "qwen3": Kind("qwen3", TINY),
    "gemma2 with soft caps": Kind("gemma2", {**TINY, "sliding_window": 8, "attn_logit_softcapping": 5.0}),
    "gemma3": Kind("gemma3_text", {**TINY, **SLIDING}),
    "mistral": Kind("mistral", {**TINY, "sliding_window": None}),
    "mistral with a window": Kind("mistral", {**TINY, "sliding_window": 8}),
    "mixtral": Kind("mixtral", {**TINY, **FEW_EXPERTS}),
    "gpt_oss": Kind("gpt_oss", {**TINY, **SLIDING, **FEW_EXPERTS}),
    "phi3": Kind("phi3", {**TINY, "pad_token_id": 2}),
    "bloom": Kind("bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4}, "takes no position_ids", continues=True),
    "mpt": Kind(
        "mpt", {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 640}, "takes no position_ids", continues=True
    ),
    "falcon": Kind("falcon", {**SMALL, "alibi": False}),
    "falcon with ALiBi": Kind("falcon", {**SMALL, "alibi": True}, "alibi", continues=True),
    "mamba": Kind("mamba", {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}, "recurrent"),
    "mamba2": Kind(
        "mamba2",
        {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "num_heads": 4, "head_dim": 16, "n_groups": 1},
        "recurrent",
        continues=True,
    ),
    "rwkv": Kind(
        "rwkv",
        {"hidden_size": 32, "num_hidden_layers": 2, "context_length": 640},
        "recurrent",
        continues=True,
        batches=False,
    ),
    "jamba": Kind(
        "jamba",
        {
            **TINY,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "num_experts": 2,
            "mamba_d_state": 4,
            "mamba_dt_rank": 4,
            "use_mamba_kernels": False,
        },
        "recurrent",
    ),
    "lfm2": Kind("lfm2", {**TINY, "layer_types": ["conv", "full_attention"]}, "conv", continues=True),
}


def build_kind(kind: Kind, folder: Path) -> Path:
    """A checkpoint of the architecture with random weights."""
    config = CONFIG_MAPPING[kind.model_type](
        **{"vocab_size": 400, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, **kind.settings}
    )
    return build_tiny_checkpoint(folder, config=config, scale=4)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Tensors this small are computed many times faster by one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def loaded(kind, tmp_path_factory):
    folder = build_kind(kind, tmp_path_factory.mktemp(kind.model_type))
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def written(loaded):
    """What each of `WRITTEN` is answered by the plain loop, as tokens."""
    return {request.id: plain_generation(loaded, request) for request in WRITTEN}


def test_what_is_shared_is_read_once_wherever_the_attention_allows_it(kind, loaded):
    meter = CountingMeter()
    model = CausalModel(loaded, batch_tokens=10_000, meter=meter)
    batches = model.plan(PAIRS)
    for batch in batches:
        model.answer(batch)
    assert meter.tokens["prefill"] == sum(batch.computed_token_count for batch in batches)
    if kind.plain_because is None:
        assert model.plain_reason is None
        assert {len(batch.work.chain) for batch in batches} == {0, 1, 2}
        assert not all(row.is_path for batch in batches for row in batch.work.rows)
        assert sum(b.computed_token_count for b in batches) < sum(b.asked_token_count for b in batches) / 3
    else:
        assert kind.plain_because in model.plain_reason
        assert model.continues == kind.continues
        assert all(row.is_path for batch in batches for row in batch.work.rows)
        asked, computed = (sum(getattr(b, f"{name}_token_count") for b in batches) for name in ("asked", "computed"))
        assert (computed < asked / 2) == kind.continues


def test_loglikelihoods_equal_those_of_one_request_at_a_time(loaded):
    model = CausalModel(loaded, batch_tokens=10_000)
    expected = {request.id: plain_loglikelihood(loaded.model, model.encoder, request) for request in READ}
    for budget in (1, 64, 10_000):
        shuffled = random.Random(budget).sample(READ, len(READ))
        found = answers(CausalModel(loaded, batch_tokens=budget), shuffled)
        assert found.keys() == expected.keys()
        for request in READ:
            total, greedy = expected[request.id]
            assert found[request.id].loglikelihood == pytest.approx(total, abs=1e-4)
            assert found[request.id].is_greedy == (greedy if request.kind == "loglikelihood" else None)


def test_greedy_tokens_equal_those_of_one_prompt_at_a_time(kind, loaded, written, monkeypatch):
    # In 500 tokens of memory some are there at once, and the others wait for their turn.
    monkeypatch.setattr("harness.engine.writing.generation.writing_bytes", lambda _device: 0)
    for budget in (1, 500, 10_000):
        model = CausalModel(loaded, batch_tokens=budget)
        found = answers(model, WRITTEN)
        assert {key: list(response.token_ids) for key, response in found.items()} == written
    assert len(model.plan(WRITTEN)) < len(WRITTEN) or not kind.batches


def test_writing_ends_at_the_first_stop_string(loaded, written):
    stops = tuple(
        sorted(
            {loaded.tokenizer.decode(tokens[5:6]) for tokens in written.values()}
            - {"", "\ufffd", *loaded.tokenizer.all_special_tokens}
        )
    )
    found = answers(CausalModel(loaded, batch_tokens=10_000), [replace(request, until=stops) for request in WRITTEN])
    for request in WRITTEN:
        tokens = written[request.id]
        texts = [
            loaded.tokenizer.decode(tokens[:length], skip_special_tokens=True) for length in range(len(tokens) + 1)
        ]
        end = next((text for text in texts if any(stop in text for stop in stops)), texts[-1])
        cut = min((end.split(stop)[0] for stop in stops), key=len)
        assert found[replace(request, until=stops).id].text == cut
    assert any(response.token_count < LONGEST for response in found.values())


def test_samples_depend_on_nothing_but_their_request(loaded):
    requests = [
        GenerateUntil(context=prompt, max_tokens=6, temperature=1.0, top_p=0.9, seed=seed)
        for prompt in PROMPTS[2:5]
        for seed in range(3)
    ]
    together = answers(CausalModel(loaded, batch_tokens=10_000), requests)
    alone = answers(CausalModel(loaded, batch_tokens=1), random.Random(0).sample(requests, len(requests)))
    assert together == alone
    assert len({response.token_ids for response in together.values()}) > 3
