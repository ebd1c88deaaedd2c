"""`--gen-kwargs`: texts are those that transformers, and lm-eval, write with the same settings."""

import json
from pathlib import Path
from typing import Any

import lm_eval
import pytest
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.core.errors import HarnessError
from harness.decision.comparable import comparable
from harness.record import RunRecord
from harness.run.gen_kwargs import parse_gen_kwargs
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rerun import rerun
from harness.run.rescore import rescore
from harness.tasks.sampling import Sampling
from tests import tiny
from tests.lm_eval.lm_eval_tasks import write_tasks

TOKENS = 12
FILE = f"""
name: mine
tasks:
  - name: sums
    type: written
    data: rows.jsonl
    prompt: "{{q}} Answer:"
    reference: a
    extract: [number]
    max_tokens: {TOKENS}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gen_kwargs")
    rows = [{"q": f"What is {one} + {one}?", "a": str(2 * one)} for one in range(1, 6)]
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "mine.yaml").write_text(FILE)
    for name, own in (("plain", {}), ("steered", {"repetition_penalty": 1.9, "no_repeat_ngram_size": 2})):
        made = tiny.build_tiny_checkpoint(place / name)
        said = made / "generation_config.json"
        said.write_text(json.dumps({**json.loads(said.read_text()), **own}))
    return place


def run(folder: Path, model: str = "plain", **asked: Any) -> RunRecord:
    options = EvalOptions(output=folder / "runs", store="none", meter="none", offline=True, **asked)
    return evaluate(str(folder / model), suite=str(folder / "mine.yaml"), options=options)


def texts(record: RunRecord) -> dict[str, str]:
    rows = record.samples
    return dict(zip(rows["context"], rows["text"], strict=True))


def by_transformers(folder: Path, contexts: list[str], **settings: Any) -> dict[str, str]:
    tokenizer = AutoTokenizer.from_pretrained(folder / "plain")
    model = AutoModelForCausalLM.from_pretrained(folder / "plain", dtype=torch.float32)
    found = {}
    for context in contexts:
        ids = tokenizer(context, return_tensors="pt").input_ids
        with torch.inference_mode():
            row = model.generate(ids, max_new_tokens=TOKENS, do_sample=False, **settings)[0, ids.shape[1] :].tolist()
        ended = row[: row.index(tokenizer.eos_token_id)] if tokenizer.eos_token_id in row else row
        found[context] = tokenizer.decode(ended)
    return found


@pytest.mark.parametrize("settings", [{"repetition_penalty": 1.6}, {"no_repeat_ngram_size": 1, "min_new_tokens": 9}])
def test_texts_are_those_of_transformers_with_the_same_settings(folder: Path, settings: dict[str, Any]) -> None:
    plain = run(folder)
    record = run(folder, gen_kwargs=",".join(f"{name}={value}" for name, value in settings.items()))
    found = texts(record)
    assert found == by_transformers(folder, list(found), **settings)
    assert found != texts(plain)
    assert record.spec.gen_kwargs == settings
    assert record.spec.generation == {**plain.spec.generation, **settings}
    assert record.run_id != plain.run_id
    assert all(f"{name}={value}" in record.estimate_list[0].signature for name, value in settings.items())
    assert any("settings for writing" in fault for fault in comparable(record, plain))
    assert rerun(record, 2, model=str(folder / "plain")).ok
    assert rescore(record, [str(folder / "mine.yaml")]).ok


def test_the_users_word_counts_in_the_place_of_the_checkpoints_and_the_rest_stays(folder: Path) -> None:
    record = run(folder, "steered", gen_kwargs="repetition_penalty=1.0")
    assert record.spec.generation == {**run(folder).spec.generation, "no_repeat_ngram_size": 2}
    assert texts(record) == by_transformers(folder, list(texts(record)), no_repeat_ngram_size=2)
    assert texts(run(folder, "steered", gen_kwargs="repetition_penalty=1,no_repeat_ngram_size=0")) == texts(run(folder))


def test_draws_are_the_same_by_either_name(folder: Path) -> None:
    one = run(folder, gen_kwargs="do_sample=True,temperature=0.7,top_p=0.9,top_k=20,max_gen_toks=6", samples=2)
    other = run(folder, temperature=0.7, top_p=0.9, top_k=20, max_tokens=6, samples=2)
    assert one.run_id == other.run_id
    assert parse_gen_kwargs("do_sample=True").drawn({}) == Sampling(temperature=1.0)
    assert parse_gen_kwargs("do_sample=false").drawn({}).is_usual


def test_whether_it_is_drawn_is_held_against_the_temperature_of_either_option() -> None:
    assert parse_gen_kwargs("do_sample=true").drawn({"temperature": 0.7}) == Sampling(temperature=0.7)
    with pytest.raises(HarnessError, match=r"do_sample=false contradicts temperature=0\.7"):
        parse_gen_kwargs("do_sample=false").drawn({"temperature": 0.7})


def test_a_task_of_lm_evals_writes_as_with_lm_evals_own_option(folder: Path, tmp_path: Path) -> None:
    write_tasks(tmp_path)
    task = tmp_path / "tiny_writing.yaml"
    task.write_text(task.read_text().replace("do_sample: false", "do_sample: false\n  repetition_penalty: 1.0"))
    assert "repetition_penalty" in task.read_text()
    said = "repetition_penalty=1.5,max_gen_toks=7,min_new_tokens=3"
    theirs = lm_eval.simple_evaluate(
        model=HFLM(pretrained=str(folder / "plain"), device="cpu", dtype="float32"),
        tasks=["tiny_writing"],
        task_manager=TaskManager(include_path=tmp_path, include_defaults=False),
        bootstrap_iters=0,
        limit=4,
        gen_kwargs=said,
    )
    assert theirs is not None
    options = EvalOptions(
        output=tmp_path / "runs", store="none", meter="none", offline=True, include_path=tmp_path, limit=4
    )
    found = [
        list(
            evaluate(
                str(folder / "plain"),
                task="lm-eval:tiny_writing",
                options=EvalOptions(**{**vars_of(options), "gen_kwargs": gen_kwargs}),
            ).samples["text"]
        )
        for gen_kwargs in (said, None)
    ]
    written = {one["doc_id"]: one["resps"][0][0] for one in theirs["samples"]["tiny_writing"]}
    assert found[0] == list(written.values())
    assert found[0] != found[1]


def vars_of(options: EvalOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("repetition_penalty", "isn't of the form key=value"),
        ("repetition_penalty=", "isn't of the form key=value"),
        ("repetition_penalty=0", "repetition_penalty is '0.0', which it can't be"),
        ("repetition_penalty=nan", "repetition_penalty is 'nan', which it can't be"),
        ("repetition_penalty=1e9", "the limit is 1e\\+06"),
        ("repetition_penalty=1.1,repetition_penalty=1.2", "given twice"),
        ("max_tokens=4,max_gen_toks=5", "given twice"),
        ("min_new_tokens=-1", "min_new_tokens is '-1', which it can't be"),
        ("min_new_tokens=two", "min_new_tokens=two: is not a whole number"),
        ("guidance_scale=2", "guidance_scale can't be set there. It takes do_sample, temperature"),
        ("num_beams=4", "num_beams can't be set there"),
        ("do_sample=maybe", "is not true or false"),
        ("do_sample=true,temperature=0", "contradicts"),
        ("do_sample=false,temperature=0.5", "contradicts"),
        ("temperature=-1", "is not a temperature"),
        ("top_k=3", "have no effect on greedy answers"),
        ("max_new_tokens=256", "leaves no room for a prompt"),
    ],
)
def test_what_cant_be_followed_is_refused_in_one_line(folder: Path, said: str, words: str) -> None:
    with pytest.raises(HarnessError, match=words) as caught:
        run(folder, gen_kwargs=said)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_has_no_effect_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="top_p is given twice"):
        run(folder, gen_kwargs="temperature=1,top_p=0.5", top_p=0.9)
    options = EvalOptions(output=tmp_path, store="none", meter="none", offline=True, gen_kwargs="min_new_tokens=2")
    with pytest.raises(HarnessError, match="the model writes in no task"):
        evaluate(str(folder / "plain"), task="piqa", options=options)
    encoder = tiny.build_tiny_masked(tmp_path / "masked")
    with pytest.raises(HarnessError, match="min_new_tokens has no effect on"):
        evaluate(str(encoder), suite=str(folder / "mine.yaml"), options=options)
