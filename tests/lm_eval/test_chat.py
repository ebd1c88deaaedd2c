"""Chats of lm-eval's tasks, through `harness eval` and through the bridge, against lm-eval's own `hf` model."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import lm_eval
import pytest
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from harness.core.errors import InputError
from harness.core.models import Model, respond
from harness.core.requests import GenerateUntil, Loglikelihood, Request
from harness.core.tasks import TaskSettings
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.scripted import ScriptedModel
from harness.lm_eval.tasks import load_tasks
from harness.lm_eval_bridge import HarnessLM
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.tasks.options import ChatOptions, TaskOptions
from tests import tiny
from tests.lm_eval.lm_eval_tasks import TASKS, metric, over, write_task, write_tasks
from tests.lm_eval.test_bridge import echo

WRITES = {**TASKS["tiny_writing"], "metric_list": [metric("exact_match", "mean", ignore_case=True)]}
CHOOSES = {**TASKS["tiny_choice"], "metric_list": [metric("acc", "mean"), metric("acc_norm", "mean")]}
CHATS: dict[str, dict[str, Any]] = {
    "described": {**CHOOSES, "description": "Answer about the {{options[0]}}.\n\n"},
    "prefixed": {**CHOOSES, "gen_prefix": "The fox jumps", "description": "Be brief."},
    "spaced": {**CHOOSES, "gen_prefix": "The fox jumps "},
    "delimited": {**CHOOSES, "target_delimiter": "\n=> "},
    "informed": {**CHOOSES, "metric_list": [metric("acc", "mean"), metric("acc_mutual_info", "mean")]},
    "two_inputs": {
        **CHOOSES,
        "doc_to_text": "answer",
        "doc_to_choice": "{{[question, text[:20], reply]}}",
        "doc_to_target": "reply",
    },
    "writing": {**WRITES, "num_fewshot": 2, "gen_prefix": "{{reply[0]}}"},
    "target": {**TASKS["tiny_target"], "num_fewshot": 1},
}
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = write_tasks(tmp_path_factory.mktemp("chats"))
    for name, config in CHATS.items():
        write_task(place, {"task": name, **over(place / "rows.jsonl"), **config})
    return place


@pytest.fixture(scope="module")
def gemma_like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose chat template refuses a system turn."""
    place = tiny.build_tiny_checkpoint(tmp_path_factory.mktemp("gemma_like"))
    (place / "chat_template.jinja").write_text(NO_SYSTEM + tiny.CHAT_TEMPLATE, encoding="utf-8")
    return place


def theirs(model: Any, folder: Path, names: Sequence[str] = tuple(CHATS), **settings: Any) -> dict[str, Any]:
    results = lm_eval.simple_evaluate(
        model=model,
        tasks=list(names),
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        bootstrap_iters=0,
        batch_size=4,
        device="cpu",
        limit=2,
        fewshot_random_seed=7,
        apply_chat_template=True,
        **settings,
    )
    assert results is not None
    return dict(results)


def hf(checkpoint: Path) -> HFLM:
    return HFLM(pretrained=str(checkpoint), device="cpu", dtype="float32", batch_size=4)


def asked_of(model: Model, folder: Path, task: str, chat: ChatOptions) -> Iterator[list[Request]]:
    """The requests of each of the first two documents of a task."""
    (one,) = load_tasks(task, TaskOptions(include_path=folder, offline=True, chat=chat))
    for sample in one.samples((), TaskSettings(limit=2, num_fewshot=one.default_num_fewshot, seed=7)):
        requests = list(one.requests(sample))
        list(respond(model, requests))
        yield requests


def seen(request: Request) -> tuple[Any, ...]:
    assert isinstance(request, Loglikelihood | GenerateUntil)
    return (request.context, request.continuation) if isinstance(request, Loglikelihood) else (request.context,)


@pytest.mark.parametrize(
    ("checkpoint", "multiturn", "system"),
    [("tiny_llama", True, "You are terse."), ("gemma_like", False, None)],
)
def test_what_the_model_reads_is_what_lm_evals_hf_reads_to_the_byte(
    folder: Path, checkpoint: str, multiturn: bool, system: str | None, request: pytest.FixtureRequest
) -> None:
    place: Path = request.getfixturevalue(checkpoint)
    results = theirs(hf(place), folder, fewshot_as_multiturn=multiturn, system_instruction=system)
    chat = ChatOptions(fewshot_as_multiturn=multiturn, system_prompt=system)
    for task in CHATS:
        distinct = {one["doc_id"]: one for one in results["samples"][task]}.values()
        for document, asked in zip(distinct, _documents(place, folder, task, chat), strict=True):
            given = [tuple(text for text in arguments if isinstance(text, str)) for arguments in document["arguments"]]
            assert sorted(asked) == sorted(set(given)), task


def _documents(place: Path, folder: Path, task: str, chat: ChatOptions) -> Iterator[set[tuple[Any, ...]]]:
    """What is behind the chat template, a document at a time."""
    inner = ScriptedModel(echo)
    for _ in asked_of(ChatModel(inner, AutoTokenizer.from_pretrained(place)), folder, task, chat):
        yield {seen(one) for one in inner.asked}
        inner.asked.clear()


def test_scores_of_a_run_are_those_of_lm_evals_hf(folder: Path, gemma_like: Path, tmp_path: Path) -> None:
    names = ("described", "prefixed", "informed", "writing")
    results = theirs(hf(gemma_like), folder, names, system_instruction="You are terse.")["results"]
    record = evaluate(
        str(gemma_like),
        task=[f"lm-eval:{name}" for name in names],
        limit=2,
        options=EvalOptions(
            apply_chat_template=True,
            system_prompt="You are terse.",
            include_path=folder,
            output=tmp_path,
            store="none",
            meter="none",
            seed=7,
            offline=True,
        ),
    )
    compared = 0
    for one in record.estimate_list:
        name, _, pipeline = one.metric.partition(":")
        value = results[one.task.removeprefix("lm-eval:")].get(f"{name},{pipeline or 'none'}")
        if value is not None:
            assert one.value == pytest.approx(value, rel=5e-4), one
            compared += 1
    assert compared == 8
    assert record.spec.fewshot_as_multiturn
    assert "|chat:yes|system:" in record.estimate_list[0].signature
    assert "|fewshot:2|exemplars:turns|" in record.estimate_list[0].signature


def test_the_bridge_leaves_a_system_turn_out_where_the_template_refuses_it(folder: Path, gemma_like: Path) -> None:
    names = ("described", "writing")
    ours = theirs(HarnessLM(gemma_like, dtype="float32", device="cpu"), folder, names)
    expected = theirs(hf(gemma_like), folder, names)
    for task in names:
        for our, their in zip(ours["samples"][task], expected["samples"][task], strict=True):
            assert our["arguments"] == their["arguments"]
            assert json.dumps(our["resps"]) == json.dumps(their["resps"]) or _near(our["resps"], their["resps"])


def _near(ours: list[Any], theirs: list[Any]) -> bool:
    return all(
        our[0][0] == pytest.approx(their[0][0], abs=1e-4) and our[0][1] == their[0][1]
        for our, their in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("asked", [{"system_prompt": "x"}, {"fewshot_as_multiturn": True}])
def test_what_is_of_a_chat_is_refused_without_one(tiny_llama: Path, tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="has no effect without a chat"):
        evaluate(str(tiny_llama), task="piqa", options=EvalOptions(output=tmp_path, store="none", **asked))
