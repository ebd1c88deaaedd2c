"""A checkpoint in vLLM's engine against the same one in ours."""

import sys
from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import Loader, load_model
from harness.core.checkpoints import GenerationSettings
from harness.core.errors import CheckpointError, InputError, ModelError
from harness.core.meters import NullMeter
from harness.core.models import ModelOptions
from harness.core.requests import Classify, GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.vllm import VllmModel
from harness.engine.opening import open_model
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from tests.engine.reference import answers
from tests.engine.vllm import standin

LONG = "The committee met on Tuesday to discuss 1,024 proposals. " * 3
CHOICES = [Loglikelihood(context=LONG, continuation=f" {word}") for word in ("yes", "no", "中文")]
PAIRS = [
    *CHOICES,
    Loglikelihood(context=LONG, continuation=" no, they walked on through the rain and laughed again and again"),
    Loglikelihood(context="She said", continuation=" that he would never go home again, by the river bank"),
    Loglikelihood(context="", continuation="no context"),
    Loglikelihood(context="nothing follows", continuation=""),
    Loglikelihood(context=LONG * 5, continuation=" beyond the window"),
    Loglikelihood(context="x", continuation=LONG * 9),
]
TEXTS = [
    LoglikelihoodRolling(text="a whole text about energy and schools"),
    LoglikelihoodRolling(text=LONG * 9),
    LoglikelihoodRolling(text=LONG * 3, max_length=64, stride=16),
    LoglikelihoodRolling(text=""),
]
PROMPTS = [
    GenerateUntil(context="Once upon", max_tokens=6),
    GenerateUntil(context="Once upon", max_tokens=24, until=("e", "\n")),
    GenerateUntil(context="Think first. <think>", max_tokens=24, until=("e",)),
    GenerateUntil(context=LONG * 9, max_tokens=4),
    GenerateUntil(context="", max_tokens=2),
    GenerateUntil(context="no room", max_tokens=256),
    GenerateUntil(context="beams", max_tokens=2, num_beams=2),
]


@pytest.fixture
def engines(monkeypatch):
    """Those that were opened, in the place of vLLM's."""
    opened = []

    class Watched(standin.LLM):
        def __init__(self, **options):
            super().__init__(**options)
            opened.append(self)

    monkeypatch.setitem(sys.modules, "vllm", standin)
    monkeypatch.setattr(standin, "LLM", Watched)
    return opened


@pytest.fixture(scope="module")
def ours(tiny_llama):
    return CausalModel(load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu"), batch_tokens=512)


def opened(folder, **options):
    return open_model(resolve(str(folder), kind="vllm"), ModelOptions(dtype="float32", **options), loader=Loader())


def test_log_likelihoods_and_texts_are_those_of_our_own_engine(tiny_llama, ours, engines):
    requests = [*PAIRS, *TEXTS, *PROMPTS]
    found, expected = answers(opened(tiny_llama), requests), answers(ours, requests)
    for request in requests:
        mine, theirs = found[request.id], expected[request.id]
        assert mine.loglikelihood == pytest.approx(theirs.loglikelihood, abs=5e-4), request
        assert replace(mine, loglikelihood=None) == replace(theirs, loglikelihood=None), request


def test_choices_behind_a_long_context_are_asked_for_token_by_token_so_that_the_context_is_read_once(
    tiny_llama, engines
):
    model = opened(tiny_llama)
    answers(model, CHOICES)
    context = model.tokenizer(LONG.rstrip())["input_ids"]
    wholes = [model.tokenizer(LONG + pair.continuation)["input_ids"] for pair in CHOICES]
    # Each prompt but the first is in the cache up to its last block; those that two choices share are asked once.
    asked = {tuple(one[:end]) for one in wholes for end in range(len(context) + 1, len(one) + 1)}
    assert sorted(engines[0].lengths) == sorted(len(one) - 1 for one in asked)
    assert max(engines[0].lengths) < len(context) + 16


def test_a_draw_is_of_the_request_and_its_seed_alone(tiny_llama, engines):
    drawn = [GenerateUntil(context="Once", max_tokens=8, temperature=1.0, seed=seed) for seed in (1, 2)]
    model = opened(tiny_llama)
    together, alone = answers(model, [*drawn, *PROMPTS]), answers(model, drawn[:1])
    assert together[drawn[0].id] == alone[drawn[0].id]
    assert together[drawn[0].id].text != together[drawn[1].id].text


def test_settings_that_vllm_does_not_follow_leave_no_text_but_the_reason(tiny_llama, engines):
    checkpoint = replace(
        resolve(str(tiny_llama), kind="vllm"),
        generation=GenerationSettings(followed={"no_repeat_ngram_size": 2, "eos_token_id": 2}),
    )
    model = open_model(checkpoint, ModelOptions(dtype="float32"))
    assert "no_repeat_ngram_size" in answers(model, PROMPTS[:1])[PROMPTS[0].id].invalid
    assert answers(model, PAIRS[:1])[PAIRS[0].id].loglikelihood < 0


def test_prompts_go_through_the_chat_template_where_that_is_asked_for(tiny_llama, ours, engines):
    model = opened(tiny_llama, apply_chat_template=True)
    assert isinstance(model, ChatModel)
    expected = answers(ChatModel(ours, model.tokenizer), PROMPTS[:2])
    assert answers(model, PROMPTS[:2]) == expected


def test_a_run_names_the_kind_and_seals(tiny_llama, tmp_path, engines):
    rows = "".join(f'{{"text": "Where does fox {n} jump?", "gold": "home"}}\n' for n in range(4))
    (tmp_path / "rows.jsonl").write_text(rows)
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: x\ntasks:\n  - {name: foxes, type: multiple_choice, data: rows.jsonl, "
        'prompt: "{text}", choices: [home, away], gold: gold, metrics: [acc]}\n'
    )
    options = EvalOptions(output=tmp_path / "runs", store="none", meter="none", offline=True, kind="vllm")
    record = evaluate(str(tiny_llama), suite=[str(tmp_path / "mine.yaml")], task=(), options=options)
    assert (record.state, record.spec.kind, record.verify()) == ("sealed", "vllm", [])
    assert next(one for one in record.estimate_list if one.metric == "acc").n == 4


def test_what_vllm_cannot_do_is_refused_in_one_line(tiny_llama, engines, monkeypatch):
    checkpoint = resolve(str(tiny_llama), kind="vllm")
    with pytest.raises(InputError, match="--device-map"):
        open_model(checkpoint, ModelOptions(device_map="auto"))
    with pytest.raises(InputError, match="no adapters"):
        open_model(replace(checkpoint, adapter=tiny_llama), ModelOptions())
    with pytest.raises(ModelError, match="classify"):
        opened(tiny_llama).plan([Classify(text="x")])

    def fails(**_options):
        raise ValueError("no room for the\nKV cache")

    monkeypatch.setattr(standin, "LLM", fails)
    with pytest.raises(CheckpointError, match="vLLM can't load it: no room for the KV cache"):
        opened(tiny_llama)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(InputError, match=r"vLLM can't be imported .*--kind vllm.*\[vllm\]|--kind vllm") as raised:
        opened(tiny_llama)
    assert "\n" not in str(raised.value)


def test_an_engine_that_fails_ends_the_run_with_its_words(tiny_llama):
    class Broken:
        def generate(self, *_args, **_options):
            raise RuntimeError("EngineCore\ndied")

    checkpoint = resolve(str(tiny_llama), kind="vllm")
    tokenizer = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu").tokenizer
    model = VllmModel(Broken(), standin.SamplingParams, tokenizer, checkpoint, NullMeter())
    with pytest.raises(ModelError, match="vLLM failed: RuntimeError: EngineCore died"):
        answers(model, PAIRS[:1])
