"""The real default model on real data, against lm-evaluation-harness's `hf` and plain forward passes."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core import registry
from harness.core.models import respond
from harness.core.requests import GenerateUntil, LoglikelihoodRolling
from harness.core.tasks import TaskSettings
from harness.data import find
from harness.data import load_data as load_data
from harness.engine.kinds.causal import CausalModel
from harness.run import metering
from tests.cli.conftest import harness_here

pytestmark = pytest.mark.slow

__all__ = ["harness_here"]

PIQA_ROWS = 16
PAIRED_ROWS = 5


@pytest.fixture(scope="module")
def loaded():
    return load_model(resolve("smollm2-135m"), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def hf(loaded):
    return HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=4, max_length=loaded.max_length)


@pytest.fixture(scope="module")
def model(loaded):
    return CausalModel(loaded, batch_tokens=2048)


def samples_of(task_name, limit):
    task = registry.task(task_name)
    rows = load_data(find(task.data)).rows
    return task, task.samples(rows, TaskSettings(limit=limit, num_fewshot=0, seed=0))


def test_piqa_gives_the_log_likelihoods_and_the_score_of_lm_eval(model, hf):
    task, samples = samples_of("piqa", PIQA_ROWS)
    requests = [request for sample in samples for request in task.requests(sample)]
    assert len(requests) == 2 * PIQA_ROWS
    theirs = hf.loglikelihood([Instance("loglikelihood", {}, (r.context, r.continuation), 0) for r in requests], True)
    ours = {response.request_id: response for response in respond(model, requests)}
    for request, (loglikelihood, greedy) in zip(requests, theirs, strict=True):
        assert ours[request.id].loglikelihood == pytest.approx(loglikelihood, abs=1e-3)
        assert ours[request.id].is_greedy == greedy

    their_ll = {request.id: loglikelihood for request, (loglikelihood, _) in zip(requests, theirs, strict=True)}
    their_acc_norm = sum(
        max(range(2), key=lambda i: their_ll[task.requests(sample)[i].id] / len(sample.choices[i])) == sample.gold
        for sample in samples
    ) / len(samples)
    scores = [
        score
        for sample in samples
        for score in task.score(sample, [ours[request.id] for request in task.requests(sample)])
        if score.metric == "acc_norm"
    ]
    (acc_norm,) = (metric for metric in task.metrics if metric.name == "acc_norm")
    interval = acc_norm.reduce(scores, None)
    assert interval.low <= their_acc_norm <= interval.high
    assert interval.value == pytest.approx(their_acc_norm, abs=sum(score.tie for score in scores) / len(scores))
    assert interval.value > 0.5


def test_rolling_log_likelihoods_are_those_of_lm_eval(model, hf):
    _, samples = samples_of("wikitext_sentences", 4)
    _, documents = samples_of("xsum_documents", 1)
    requests = [LoglikelihoodRolling(text=one.prompt[:1200]) for one in (*samples, *documents)]
    assert len(requests) == 5
    theirs = hf.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (r.text,), 0) for r in requests], True)
    ours = {response.request_id: response for response in respond(model, requests)}
    for request, loglikelihood in zip(requests, theirs, strict=True):
        # lm-eval adds up in single precision, which costs it 1e-5 to 2e-5 nats a token; ours is the sum in double.
        rounding = 1e-3 + 2e-5 * ours[request.id].token_count
        assert ours[request.id].loglikelihood == pytest.approx(loglikelihood, abs=rounding)


def test_greedy_generations_are_those_of_lm_eval_token_by_token(model, hf, loaded):
    task, samples = samples_of("text_generation", 3)
    requests = [GenerateUntil(context=task.requests(sample)[0].context, max_tokens=16) for sample in samples]
    options = {"until": [], "max_gen_toks": 16}
    theirs = hf.generate_until([Instance("generate_until", {}, (r.context, options), 0) for r in requests], True)
    ours = {response.request_id: response for response in respond(model, requests)}
    assert [ours[request.id].text for request in requests] == theirs
    for request in requests:
        ids = loaded.tokenizer(request.context, return_tensors="pt").input_ids
        written = loaded.model.generate(ids, max_new_tokens=16, do_sample=False)[0, ids.shape[1] :].tolist()
        assert list(ours[request.id].token_ids) == [t for t in written if t != loaded.tokenizer.eos_token_id]


def test_budgets_agree_on_the_real_model(loaded):
    task, samples = samples_of("commonsense_qa", 6)
    requests = [request for sample in samples for request in task.requests(sample)]
    by_budget = [
        {one.request_id: one.loglikelihood for one in respond(CausalModel(loaded, batch_tokens=budget), requests)}
        for budget in (64, 1000, 10_000)
    ]
    for other in by_budget[1:]:
        assert other == {key: pytest.approx(value, abs=5e-4) for key, value in by_budget[0].items()}


def plain(loaded: Any, context: str, sentence: str) -> tuple[float, int]:
    """The log-likelihood of a sentence and its tokens, by one forward pass of transformers."""
    tokenizer, model = loaded.tokenizer, loaded.model
    before = tokenizer(context).input_ids or [tokenizer.bos_token_id]
    whole = (before if not context else []) + tokenizer(f"{context} {sentence}" if context else sentence).input_ids
    with torch.no_grad():
        logits = model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
    targets = whole[len(before) :]
    places = range(len(before) - 1, len(whole) - 1)
    return float(sum(logits[place, token] for place, token in zip(places, targets, strict=True))), len(targets)


def macro(values: Sequence[float], terms: Sequence[str | None]) -> float:
    """The mean over terms of their means, as in the authors' evaluation."""
    return float(
        np.mean([np.mean([v for v, t in zip(values, terms, strict=True) if t == term]) for term in sorted(set(terms))])  # type: ignore[type-var]
    )


@pytest.mark.parametrize("name", ["stereoset", "crows_pairs_complete"])
def test_stereotypes_are_measured_as_by_plain_forward_passes(model, loaded, name):
    task, samples = samples_of(name, PAIRED_ROWS)
    asked = {request.id: request for sample in samples for request in task.requests(sample)}
    answers = {one.request_id: one for one in respond(model, list(asked.values()))}
    truth = {}
    for key, request in asked.items():
        value, tokens = plain(loaded, request.context, request.continuation.strip())
        assert answers[key].loglikelihood == pytest.approx(value, abs=2e-3)
        assert answers[key].token_count == tokens
        truth[key] = value / tokens if name == "stereoset" else value
    scores = [
        score
        for sample in samples
        for score in task.score(sample, [answers[request.id] for request in task.requests(sample)])
    ]
    assert not any(score.tie for score in scores)
    likes = [[truth[request.id] for request in task.requests(sample)] for sample in samples]
    terms = [sample.cluster for sample in samples]
    ours = {
        metric.name: metric.reduce([one for one in scores if one.metric == metric.name], Random("a")).value
        for metric in task.metrics
    }
    if name == "crows_pairs_complete":
        assert ours["stereotype_preference"] == pytest.approx(
            100 * np.mean([first > second for first, second in likes])
        )
        gaps = [abs(first - second) for first, second in likes]
        assert ours["loglikelihood_gap"] == pytest.approx(np.mean(gaps), abs=1e-3)
        return
    ss = 100 * macro([s > a for s, a, _ in likes], terms)
    lms = 100 * macro([((s > u) + (a > u)) / 2 for s, a, u in likes], terms)
    assert ours == pytest.approx({"ss": ss, "lms": lms, "icat": lms * min(ss, 100 - ss) / 50})


def test_the_command_evaluates_the_default_model_with_energy(harness_here, monkeypatch):
    monkeypatch.setattr(metering, "REPEATS_S", 1.5)  # enough for figures, if not for the precision that is aimed at
    command = ["eval", "--model", "smollm2-135m", "--json", "--limit", 4, "--task", "piqa", "--suite", "energy"]
    finished = harness_here(*command, "--region", "DEU")
    assert finished.returncode == 0, finished.stderr
    rows = {(row["task"], row["metric"]): row for row in json.loads(finished.stdout)["estimates"]}
    assert rows["piqa", "acc_norm"]["n"] == 4
    for stage in ("prefill", "decode"):
        assert rows["run", f"joules_per_token_{stage}"]["value"] > 0
    gpu = rows["run", "gpu_energy_joules"]
    assert gpu["value"] is None or gpu["value"] > 0
    assert gpu["reason"] if gpu["value"] is None else True
    assert "DEU" in rows["run", "carbon_grams"]["signature"]
