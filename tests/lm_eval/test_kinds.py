"""Every kind of checkpoint through the bridge to lm-eval: as its own `hf` model reads it, or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lm_eval
import pytest
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer, T5Config

from harness.core.errors import CheckpointError, HarnessError, ModelError, TaskError
from harness.lm_eval_bridge import HarnessLM
from tests import tiny
from tests.lm_eval.lm_eval_tasks import TASKS, over, write_task, write_tasks
from tests.lm_eval.test_bridge import answers, instance
from tests.served import Served, serving

T5 = T5Config(
    vocab_size=400,
    d_model=32,
    d_kv=8,
    d_ff=64,
    num_layers=2,
    num_heads=4,
    pad_token_id=0,
    eos_token_id=3,
    decoder_start_token_id=0,
)


def bart(folder: Path) -> Path:
    return _with_ends(tiny.build_tiny_seq2seq(folder))


def t5(folder: Path) -> Path:
    return _with_ends(tiny.build_tiny_seq2seq(folder, config=T5))


def _with_ends(folder: Path) -> Path:
    """With names for the tokens before and after a text, which lm-eval asks for."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token, tokenizer.eos_token = "[CLS]", "[SEP]"
    tokenizer.save_pretrained(folder)
    return folder


def simple_evaluate(model: Any, folder: Path, *names: str, **settings: Any) -> dict[str, Any]:
    results = lm_eval.simple_evaluate(
        model=model,
        tasks=list(names),
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        bootstrap_iters=0,
        batch_size=1,
        device="cpu",
        limit=4,
        **settings,
    )
    assert results is not None
    return dict(results)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.mark.parametrize("build", [bart, t5])
def test_a_sequence_to_sequence_model_is_read_as_lm_evals_hf_reads_it(
    folder: Path, build: Callable[[Path], Path], tmp_path: Path
) -> None:
    place = build(tmp_path)
    arguments = {"pretrained": str(place), "dtype": "float32"}
    names = ("tiny_choice", "tiny_target", "tiny_writing")
    theirs = simple_evaluate("hf", folder, *names, model_args=arguments)
    lm = HarnessLM(place, dtype="float32", device="cpu")
    assert lm.kind is not None
    assert lm.kind.name == "seq2seq"
    ours = simple_evaluate(lm, folder, *names)
    for task in names[:2]:
        for their, our in zip(answers(theirs, task), answers(ours, task), strict=True):
            assert our == (pytest.approx(their[0], rel=1e-5), their[1])
    # lm-eval lets a sequence-to-sequence model write as many tokens more as its source has.
    for their, our in zip(answers(theirs, "tiny_writing"), answers(ours, "tiny_writing"), strict=True):
        assert their.startswith(our)
        assert our
    for key in ("acc,none", "acc_norm,none"):
        assert ours["results"]["tiny_choice"][key] == theirs["results"]["tiny_choice"][key]


@pytest.mark.parametrize("kind", ["classifier", "tagger", "encoder"])
def test_a_kind_that_answers_nothing_of_lm_evals_is_refused_before_it_is_loaded(tmp_path: Path, kind: str) -> None:
    build: Callable[..., Path] = getattr(tiny, f"build_tiny_{kind}")
    with pytest.raises(CheckpointError, match=f"is of the kind {kind}.*none of lm-eval's requests") as caught:
        HarnessLM(build(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_masked_model_scores_continuations_and_neither_writes_nor_rolls(folder: Path, tmp_path: Path) -> None:
    lm = HarnessLM(tiny.build_tiny_masked(tmp_path), device="cpu")
    found = simple_evaluate(lm, folder, "tiny_choice", num_fewshot=0)
    assert 0 <= found["results"]["tiny_choice"]["acc,none"] <= 1
    with pytest.raises(TaskError, match=r"a task: a masked language model doesn't write"):
        lm.generate_until([instance("generate_until", "x", {"until": []})])
    with pytest.raises(TaskError, match=r"a task: a masked language model doesn't predict a text from left to right"):
        lm.loglikelihood_rolling([instance("loglikelihood_rolling", "x")])


def test_a_served_chat_gets_the_turns_that_lm_eval_builds(folder: Path, tiny_llama: Path) -> None:
    with serving(Served(folder=tiny_llama, gives_logprobs=False)) as served:
        lm = HarnessLM(f"openai:{served.url}#{served.name}")
        served.bodies.clear()
        simple_evaluate(lm, folder, "tiny_writing", apply_chat_template=True, system_instruction="Be brief.")
        assert len(served.bodies) == 4
        for body in served.bodies:
            system, user = body["messages"]
            assert system == {"role": "system", "content": "Be brief."}
            assert user["role"] == "user"
            assert user["content"].startswith("Where does")
        with pytest.raises(TaskError, match="served chat model gives no likelihood"):
            lm.loglikelihood([instance("loglikelihood", "x", " y")])


def test_beams_are_for_models_that_are_written_with_them(tiny_llama: Path, folder: Path, tmp_path: Path) -> None:
    settings = {"until": ["\n"], "max_gen_toks": 5, "num_beams": 2}
    asked = [instance("generate_until", "Where does the fox jump?", settings)]
    with pytest.raises(TaskError, match="num_beams: 2, which is supported for sequence-to-sequence models only"):
        HarnessLM(tiny_llama, device="cpu").generate_until(asked)
    assert HarnessLM(bart(tmp_path), device="cpu").generate_until(asked)


def test_a_setting_of_the_checkpoint_that_a_task_would_switch_off_is_refused(tmp_path: Path) -> None:
    place = tiny.build_tiny_checkpoint(tmp_path)
    file = place / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "repetition_penalty": 1.3}))
    settings = {"until": ["\n"], "max_gen_toks": 5}
    lm = HarnessLM(place, device="cpu")
    assert lm.generate_until([instance("generate_until", "x", settings)])
    with pytest.raises(
        TaskError, match=r"sets repetition_penalty to 1.0, and the checkpoint's own repetition_penalty, 1.3"
    ):
        lm.generate_until([instance("generate_until", "x", {**settings, "repetition_penalty": 1.0})])


def test_a_chat_without_a_template_is_refused_in_one_line(tmp_path: Path) -> None:
    place = bart(tmp_path)
    with pytest.raises(ModelError, match="no chat template") as caught:
        HarnessLM(place, device="cpu").apply_chat_template([{"role": "user", "content": "x"}])
    assert isinstance(caught.value, HarnessError)


@pytest.mark.parametrize(
    "settings",
    [
        {
            "num_beams": 1,
            "top_k": 0,
            "top_p": 1.0,
            "temperature": 0.0,
            "repetition_penalty": 1.0,
            "min_new_tokens": None,
        },
        {
            "do_sample": False,
            "temperature": 0.7,
            "top_k": 50,
            "typical_p": 0.9,
            "min_p": 0.1,
            "renormalize_logits": True,
        },
    ],
)
def test_settings_that_change_nothing_give_what_lm_evals_hf_writes(
    tiny_llama: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    write_tasks(tmp_path)
    kwargs = {"until": ["\n", "e"], "max_gen_toks": 12, **settings}
    config = {**TASKS["tiny_writing"], "generation_kwargs": kwargs, "task": "inert"}
    write_task(tmp_path, {**over(tmp_path / "rows.jsonl"), **config})
    arguments = {"pretrained": str(tiny_llama), "dtype": "float32"}
    theirs = simple_evaluate("hf", tmp_path, "inert", model_args=arguments)
    ours = simple_evaluate(HarnessLM(tiny_llama, dtype="float32", device="cpu"), tmp_path, "inert")
    assert list(answers(ours, "inert")) == list(answers(theirs, "inert"))
