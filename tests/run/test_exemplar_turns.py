"""Exemplars of our own tasks as turns of a chat: what is read, against lm-eval's own chats and by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import lm_eval
import pytest
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from harness.core import registry
from harness.core.models import respond
from harness.core.requests import Attribute, GenerateUntil, Loglikelihood, Request, Response
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.scripted import ScriptedModel
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rerun import rerun
from harness.run.rescore import rescore
from harness.tasks.choices import MultipleChoice
from harness.tasks.exemplars import in_turns
from harness.tasks.generation import Generation
from harness.testing import check_task
from suites.calibration.verbalised import VerbalisedTask
from suites.explainability.wrapper import AttributionTask
from suites.fairness.counterfactual import CounterfactualTask
from suites.robustness.wrapper import RobustnessTask
from tests.lm_eval.lm_eval_tasks import PROMPT, metric, over, write_task
from tests.lm_eval.lm_eval_tasks import ROWS as OTHERS
from tests.lm_eval.test_bridge import echo

SYSTEM = "You are terse."
ROWS = [{**row, "question": f"{row['question'][:-1]} on day {day}?"} for day, row in enumerate(OTHERS)]
NAMED = [{**row, "question": row["question"].replace("Where", "Ann asks: where")} for row in ROWS]


class Places(MultipleChoice):
    """Where it jumps, for tests."""

    name = "places"

    def question(self, row: Row) -> str:
        return f"Question: {row['question']}\nAnswer:"

    def choices(self, row: Row) -> Sequence[str]:
        return list(row["options"])

    def gold(self, row: Row) -> int:
        return int(row["answer"])


class Replies(Generation):
    """What follows, for tests."""

    name = "replies"

    def question(self, row: Row) -> str:
        return f"Question: {row['question']}\nAnswer:"

    def reference(self, row: Row) -> str:
        return str(row["reply"])


def samples_of(task: Task, *, multiturn: bool = True, shown: int = 2, rows: Sequence[Row] = ROWS) -> Sequence[Sample]:
    return task.samples(rows, TaskSettings(limit=3, num_fewshot=shown, seed=0, multiturn=multiturn))


def read(requests: Sequence[Request], checkpoint: Path, system: str | None = None) -> list[Request]:
    """The requests as they are behind the chat template."""
    inner = ScriptedModel(lambda one: echo(one) if not isinstance(one, Attribute) else Response(request_id=one.id))
    list(respond(ChatModel(inner, AutoTokenizer.from_pretrained(checkpoint), system), requests))
    return inner.asked


def test_turns_are_read_as_by_hand(tiny_llama: Path) -> None:
    sample = Sample(id="1", prompt="Q: c?", choices=("x", "y"), exemplars=(("Q: a?", "A"), ("Q: b?", "B")))
    asked = [
        Loglikelihood(context=sample.prompt, continuation=" x"),
        GenerateUntil(context=sample.prompt),
    ]
    expected = (
        f"<s>system\n{SYSTEM}</s>\n<s>user\nQ: a?</s>\n<s>assistant\nA</s>\n<s>user\nQ: b?</s>\n<s>assistant\nB</s>\n"
        "<s>user\nQ: c?</s>\n<s>assistant\n"
    )
    found = read(in_turns(sample, asked), tiny_llama, SYSTEM)
    assert sorted(map(what_is_read, found)) == sorted([(expected, "x"), (expected,)])


def what_is_read(request: Request) -> tuple[str, ...]:
    assert isinstance(request, Loglikelihood | GenerateUntil)
    return (request.context, request.continuation) if isinstance(request, Loglikelihood) else (request.context,)


@pytest.mark.parametrize("task", [Places(), Replies()], ids=lambda one: one.name)
def test_turns_are_read_as_lm_eval_has_them(task: Task, tiny_llama: Path, tmp_path: Path) -> None:
    samples = samples_of(task)
    by_question = {str(row["question"]): row for row in ROWS}
    shown = [by_question[question.split("\n")[0][len("Question: ") :]] for question, _ in samples[0].exemplars]
    asked = [by_question[sample.prompt.split("\n")[0][len("Question: ") :]] for sample in samples]
    (tmp_path / "shown.jsonl").write_text("\n".join(map(json.dumps, shown)), encoding="utf-8")
    (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    outputs: dict[str, dict[str, Any]] = {
        "places": {"output_type": "multiple_choice", "doc_to_choice": "options", "doc_to_target": "answer"},
        "replies": {
            "output_type": "generate_until",
            "doc_to_target": "reply",
            "generation_kwargs": {"until": ["\n"], "max_gen_toks": 2},
        },
    }
    config = {
        "task": task.name,
        "doc_to_text": PROMPT,
        "num_fewshot": 2,
        **over(tmp_path / "asked.jsonl"),
        "dataset_kwargs": {
            "data_files": {"test": str(tmp_path / "asked.jsonl"), "shown": str(tmp_path / "shown.jsonl")}
        },
        "fewshot_split": "shown",
        "fewshot_config": {"sampler": "first_n"},
        "metric_list": [metric("acc" if task.name == "places" else "exact_match", "mean")],
        **outputs[task.name],
    }
    write_task(tmp_path, config)
    theirs = lm_eval.simple_evaluate(
        model=HFLM(pretrained=str(tiny_llama), device="cpu", dtype="float32"),
        tasks=[task.name],
        task_manager=TaskManager(include_path=tmp_path, include_defaults=False),
        bootstrap_iters=0,
        apply_chat_template=True,
        fewshot_as_multiturn=True,
        system_instruction=SYSTEM,
    )
    assert theirs is not None
    given = [
        tuple(text for text in arguments if isinstance(text, str))
        for document in theirs["samples"][task.name]
        for arguments in document["arguments"]
    ]
    ours = [request for sample in samples for request in in_turns(sample, task.requests(sample))]
    assert sorted(map(what_is_read, read(ours, tiny_llama, SYSTEM))) == sorted(given)


def test_noise_lies_on_the_words_that_it_lies_on_in_one_turn(tiny_llama: Path) -> None:
    noise = [registry.make("harness.sample_perturbations", "embedding_noise")]
    task, words = RobustnessTask(Places(), noise), {}
    for multiturn in (True, False):
        asked = [
            one for sample in samples_of(task, multiturn=multiturn) for one in in_turns(sample, task.requests(sample))
        ]
        words[multiturn] = {
            request.context[start:end]
            for request in read(asked, tiny_llama)
            if isinstance(request, Loglikelihood) and request.noise
            for start, end in request.noise.spans
        }
    assert words[True] == words[False] != set()


def test_explained_is_the_question_alone(tiny_llama: Path) -> None:
    task = AttributionTask(Places())
    sample = samples_of(task)[0]
    (found,) = read(in_turns(sample, task.requests(sample)), tiny_llama)
    assert isinstance(found, Attribute)
    inside = found.context[found.start : found.stop]
    assert inside
    assert inside in sample.prompt
    assert found.context.rindex(sample.prompt) <= found.start
    assert found.continuations == sample.choices
    (plain,) = task.requests(samples_of(task, multiturn=False)[0])
    assert isinstance(plain, Attribute)
    assert inside == plain.context[plain.start : plain.stop]


class Renamed:
    """Ann becomes Zoe, for tests."""

    version = "1"

    def mapping(self, text: str, rng: Random) -> dict[str, str]:
        return {"Ann": "Zoe"} if "Ann" in text else {}

    def apply(self, text: str, mapping: dict[str, str]) -> str:
        return text.replace("Ann", "Zoe")


def test_names_are_exchanged_in_exemplars_that_are_turns_as_in_those_that_are_not(tiny_llama: Path) -> None:
    task, names = CounterfactualTask(Places(), Renamed(), "renamed"), {}
    for multiturn in (True, False):
        (sample, *_) = samples_of(task, multiturn=multiturn, rows=NAMED)
        texts = [what_is_read(one)[0] for one in read(in_turns(sample, task.requests(sample)), tiny_llama)]
        names[multiturn] = sorted((text.count("Ann"), text.count("Zoe")) for text in texts)
    assert names[True] == names[False] == [(0, 3)] * 3 + [(3, 0)] * 3


def test_a_later_question_has_the_same_turns_before_it() -> None:
    task = VerbalisedTask(Replies())
    sample = samples_of(task)[0]
    (first,) = in_turns(sample, task.requests(sample))
    (later,) = in_turns(sample, task.follow_up(sample, [Response(request_id=first.id, text="over")]))
    assert isinstance(first, GenerateUntil)
    assert isinstance(later, GenerateUntil)
    assert later.chat == first.chat is not None
    assert later.context.startswith(f"{first.context} over")


def test_nothing_but_the_exemplars_changes() -> None:
    check_task(registry.task("reasoning_logic"), limit=2)
    check_task(CounterfactualTask(Places(), Renamed(), "renamed"), NAMED, limit=2)


SUITE = {
    "name": "turned",
    "tasks": [
        {
            "name": "where",
            "type": "multiple_choice",
            "data": "rows.jsonl",
            "prompt": "Question: {question}\nAnswer:",
            "choices": "options",
            "gold": "answer",
            "num_fewshot": 2,
            "limit": 4,
        }
    ],
}


@pytest.fixture
def suite_file(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(SUITE), encoding="utf-8")
    return tmp_path / "suite.yaml"


def run(checkpoint: Path, suite: Path, **asked: Any) -> RunRecord:
    options = EvalOptions(
        apply_chat_template=True, output=suite.parent / "runs", store="none", meter="none", offline=True, **asked
    )
    return evaluate(str(checkpoint), suite=str(suite), options=options)


def test_a_run_with_turns_is_another_run_and_can_be_made_again(tiny_llama: Path, suite_file: Path) -> None:
    usual, one_turn = run(tiny_llama, suite_file), run(tiny_llama, suite_file, fewshot_as_multiturn=False)
    turned = run(tiny_llama, suite_file, fewshot_as_multiturn=True, system_prompt=SYSTEM)
    assert [task.multiturn for one in (usual, one_turn, turned) for task in one.spec.tasks] == [False, False, True]
    assert len({one.run_id for one in (usual, one_turn, turned)}) == 3
    requests = {one.spec.tasks[0].requests_sha256 for one in (usual, one_turn)}
    assert len(requests) == 1
    assert turned.spec.tasks[0].requests_sha256 not in requests
    said = [one.estimate_list[0].signature for one in (usual, one_turn, turned)]
    assert ["exemplars:turns" in one for one in said] == [False, False, True]
    assert all("fewshot:2|exemplars:one-turn" in one for one in said[:2])
    assert rescore(turned, [str(suite_file)]).ok
    assert rerun(turned, 2, model=str(tiny_llama)).ok
    asked, computed = turned.token_counts
    assert 0 < computed < asked / 3, "exemplars are read once for all questions and choices"
