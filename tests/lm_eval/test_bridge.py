"""The bridge against lm-eval's own `hf` model, answer by answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lm_eval
import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from harness.core.errors import ModelError, TaskError
from harness.core.models import Batch
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.engine.kinds.scripted import ScriptedModel
from harness.lm_eval_bridge import HarnessLM
from tests.lm_eval.lm_eval_tasks import TASKS, write_tasks


def simple_evaluate(model: Any, folder: Path, **settings: Any) -> dict[str, Any]:
    results = lm_eval.simple_evaluate(
        model=model,
        tasks=list(TASKS),
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        bootstrap_iters=0,
        batch_size=4,
        device="cpu",
        **settings,
    )
    assert results is not None
    return dict(results)


def answers(results: dict[str, Any], task: str) -> Iterator[Any]:
    for sample in results["samples"][task]:
        for repeats in sample["resps"]:
            yield from repeats


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def bridge(tiny_llama: Path) -> HarnessLM:
    return HarnessLM(tiny_llama, dtype="float32", device="cpu", batch_tokens=600)


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat template"])
def test_every_answer_and_score_is_that_of_the_hf_model(
    folder: Path, bridge: HarnessLM, tiny_llama: Path, chat: bool
) -> None:
    arguments = {"pretrained": str(tiny_llama), "dtype": "float32"}
    theirs = simple_evaluate("hf", folder, model_args=arguments, apply_chat_template=chat)
    ours = simple_evaluate(bridge, folder, apply_chat_template=chat)
    for task in TASKS:
        for their, our in zip(answers(theirs, task), answers(ours, task), strict=True):
            if isinstance(their, str):
                assert our == their
            elif isinstance(their, tuple):
                assert our == (pytest.approx(their[0], abs=1e-4), their[1])
            else:
                assert our == pytest.approx(their, abs=2e-4)
        for name, value in theirs["results"][task].items():
            if isinstance(value, float):
                assert ours["results"][task][name] == pytest.approx(value, rel=1e-5), name
    generated = set(answers(theirs, "tiny_writing"))
    assert len(generated) > 3, "the texts must differ for their equality to mean anything"


def _read(model: Any, tokens: list[int], last: int) -> float:
    """Nats of the last tokens of a sequence, by the plain model."""
    with torch.inference_mode():
        logits = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
    return float(sum(logits[at - 1, tokens[at]] for at in range(len(tokens) - last, len(tokens))))


def test_a_token_across_the_border_is_scored_here_and_left_out_by_hf_as_the_docs_say(
    bridge: HarnessLM, tiny_llama: Path
) -> None:
    context, continuation = "the quick brown fox jump ov", "er the lazy dog"
    hf = HFLM(pretrained=str(tiny_llama), device="cpu", dtype="float32")
    whole, alone = (hf.tokenizer.encode(text) for text in (context + continuation, context))
    shared = next(at for at, (one, other) in enumerate(zip(whole, alone, strict=False)) if one != other)
    assert hf.tokenizer.decode(whole[shared : len(alone)]) == "ver"
    rest = whole[len(alone) :]
    expected = [_read(hf.model, whole, len(whole) - shared), _read(hf.model, [*alone, *rest], len(rest))]
    for lm, value in zip((bridge, hf), expected, strict=True):
        ((found, _),) = lm.loglikelihood([instance("loglikelihood", context, continuation)])
        assert found == pytest.approx(value, abs=1e-4)


def instance(kind: str, *arguments: Any, index: int = 0) -> Instance:
    return Instance(
        request_type=kind,  # type: ignore[arg-type]
        doc={},
        arguments=arguments,
        idx=index,
        metadata=("a task", index, 1),
    )


def echo(request: Request) -> Response:
    if isinstance(request, Loglikelihood):
        return Response(request_id=request.id, loglikelihood=-float(len(request.continuation)), is_greedy=True)
    if isinstance(request, LoglikelihoodRolling):
        return Response(request_id=request.id, loglikelihood=-float(len(request.text)))
    assert isinstance(request, GenerateUntil)
    return Response(request_id=request.id, text=f"{request.context}{request.seed}")


def scripted(tiny_llama: Path) -> tuple[HarnessLM, ScriptedModel]:
    model = ScriptedModel(echo)
    return HarnessLM.from_model(model, AutoTokenizer.from_pretrained(tiny_llama)), model


def test_answers_come_in_the_order_of_the_questions_and_equal_questions_are_asked_once(tiny_llama: Path) -> None:
    lm, model = scripted(tiny_llama)
    continuations = [" aaa", " b", " aaa", " cc", " b"]
    found = lm.loglikelihood([instance("loglikelihood", "x", text) for text in continuations])
    assert found == [(-4.0, True), (-2.0, True), (-4.0, True), (-3.0, True), (-2.0, True)]
    assert len(model.asked) == 3
    assert lm.loglikelihood_rolling([instance("loglikelihood_rolling", "four")]) == [-4.0]


def test_a_repeated_sampled_generation_is_drawn_anew_each_time_and_a_greedy_one_is_not(tiny_llama: Path) -> None:
    lm, model = scripted(tiny_llama)
    sampled = instance(
        "generate_until", "x", {"until": [], "do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5}
    )
    greedy = instance("generate_until", "y", {"until": "\n", "max_gen_toks": 3})
    assert lm.generate_until([sampled, sampled, greedy, greedy]) == ["x0", "x1", "y0", "y0"]
    asked = [request for request in model.asked if isinstance(request, GenerateUntil)]
    drawn, written = [one for one in asked if one.temperature], [one for one in asked if not one.temperature]
    assert {(one.temperature, one.top_p, one.top_k, one.max_tokens) for one in drawn} == {(0.7, 0.9, 5, 256)}
    assert [(one.until, one.max_tokens) for one in written] == [(("\n",), 3)]


def test_an_unknown_generation_setting_is_refused_by_name(tiny_llama: Path) -> None:
    lm, model = scripted(tiny_llama)
    settings = {"until": [], "do_sample": True, "temperature": 0.5, "min_p": 0.1, "suppress_tokens": [1]}
    with pytest.raises(TaskError, match=r"a task: .*min_p, suppress_tokens"):
        lm.generate_until([instance("generate_until", "x", settings)])
    assert not model.asked


def test_numbers_that_cannot_be_used_stop_the_evaluation_with_their_reason(tiny_llama: Path) -> None:
    broken = ScriptedModel(lambda request: Response(request_id=request.id, invalid="logits are NaN"))
    lm = HarnessLM.from_model(broken, AutoTokenizer.from_pretrained(tiny_llama))
    with pytest.raises(ModelError, match="a task: logits are NaN"):
        lm.loglikelihood([instance("loglikelihood", "x", " y")])


def test_lm_evals_own_cache_is_fed_as_answers_come(tiny_llama: Path) -> None:
    class Interrupted(ScriptedModel):
        def answer(self, batch: Batch) -> list[Response]:
            if self.asked:
                raise KeyboardInterrupt
            return super().answer(batch)

    kept: list[tuple[str, Any, Any]] = []

    class Hook:
        def add_partial(self, kind: str, arguments: Any, result: Any) -> None:
            kept.append((kind, arguments, result))

    lm = HarnessLM.from_model(Interrupted(echo), AutoTokenizer.from_pretrained(tiny_llama))
    lm.set_cache_hook(Hook())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        lm.loglikelihood_rolling([instance("loglikelihood_rolling", text) for text in ("one", "three")])
    ((kind, (text,), loglikelihood),) = kept
    assert (kind, loglikelihood) == ("loglikelihood_rolling", -float(len(text)))
