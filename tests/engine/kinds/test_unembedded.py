"""A tokenizer with more tokens than the embedding has rows, as published instruct models ship."""

import shutil
from pathlib import Path

import pytest
from lm_eval.api.instance import Instance
from transformers import AutoTokenizer

from harness.checkpoints import resolve
from harness.core.errors import ModelError
from harness.core.models import ModelOptions, respond
from harness.core.requests import Classify, Embed, GenerateUntil, Loglikelihood, LoglikelihoodRolling, Tag
from harness.engine.opening import open_model
from harness.lm_eval_bridge import HarnessLM
from tests import tiny

PAIRS = [Loglikelihood(context=context, continuation=" dog") for context in ("the fox", "the [MORE] fox", "a [MORE")]
ASKED = {
    "causal": (
        tiny.build_tiny_checkpoint,
        [*PAIRS, GenerateUntil(context="x[MORE]"), GenerateUntil(context="x"), LoglikelihoodRolling(text="a[MORE]b")],
    ),
    "masked": (tiny.build_tiny_masked, PAIRS),
    "seq2seq": (tiny.build_tiny_seq2seq, [*PAIRS, Loglikelihood(context="the fox", continuation=" [MORE]")]),
    "classifier": (tiny.build_tiny_classifier, [Classify(text="fox"), Classify(text="fox", text_pair="[MORE]")]),
    "tagger": (tiny.build_tiny_tagger, [Tag(words=("the", "fox")), Tag(words=("the", "[MORE]"))]),
    "encoder": (tiny.build_tiny_encoder, [Embed(text="fox"), Embed(text="[MORE] fox"), Embed(text="the lazy dog")]),
}


def answers(folder, requests):
    model = open_model(resolve(str(folder)), ModelOptions(dtype="float32", device="cpu", batch_tokens=1000))
    return {response.request_id: response for response in respond(model, requests)}


@pytest.mark.parametrize("kind", ASKED)
def test_only_texts_that_hold_such_a_token_have_no_answer(kind, tmp_path):
    build, requests = ASKED[kind]
    folder = Path(shutil.copytree(build(tmp_path / "plain"), tmp_path / "more"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"[ROOM{number}]" for number in range(400 - len(tokenizer))])
    tokenizer.add_tokens(["[MORE]"], special_tokens=True)
    # Where config.json names no token to fill up with, the tokenizer's own would do so, and has no embedding either.
    tokenizer.pad_token = "[MORE]"
    tokenizer.save_pretrained(folder)
    assert "no embedding for the token" in " ".join(resolve(str(folder)).notes)
    found = answers(folder, requests)
    spelt = [request for request in requests if "[MORE]" in repr(request)]
    assert spelt
    for request in spelt:
        assert "[MORE], for which the model has no embedding" in found.pop(request.id).invalid
    assert found == answers(tmp_path / "plain", [request for request in requests if request not in spelt])


@pytest.mark.parametrize(("kind", "end"), [("causal", {"eos_token": "</s>"}), ("seq2seq", {"eos_token": "[SEP]"})])
def test_a_first_token_without_an_embedding_stands_before_no_text(kind, end, tmp_path):
    folder = ASKED[kind][0](tmp_path / "it")
    tokenizer = AutoTokenizer.from_pretrained(folder, **end)
    tokenizer.add_tokens([f"[ROOM{number}]" for number in range(400 - len(tokenizer))])
    tokenizer.add_tokens(["[MORE]"], special_tokens=True)
    asked = [Loglikelihood(context="", continuation=" dog"), GenerateUntil(context="", max_tokens=3)]
    tokenizer.bos_token = None
    tokenizer.save_pretrained(folder)
    expected = answers(folder, asked)
    tokenizer.bos_token = "[MORE]"
    tokenizer.save_pretrained(folder)
    assert answers(folder, asked) == expected
    assert not any(one.invalid for one in expected.values())


def test_a_mask_without_an_embedding_is_refused(tmp_path):
    folder = tiny.build_tiny_masked(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"[ROOM{number}]" for number in range(400 - len(tokenizer))])
    tokenizer.add_special_tokens({"mask_token": "[MORE]"})
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"no embedding for the tokenizer's mask token, \[MORE\]"):
        answers(folder, PAIRS)


def test_lm_evals_door_says_so_too(tmp_path):
    folder = tiny.build_tiny_checkpoint(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"[ROOM{number}]" for number in range(400 - len(tokenizer))])
    tokenizer.add_tokens(["[MORE]"])
    tokenizer.save_pretrained(folder)
    ours = HarnessLM(str(folder), dtype="float32", device="cpu")
    asked = [
        Instance("loglikelihood", {}, arguments, 0, ("some_task", 0, 1))
        for arguments in (("the fox", " dog"), ("the [MORE]", " dog"))
    ]
    assert len(ours.loglikelihood(asked[:1])) == 1
    with pytest.raises(ModelError, match="the model has no embedding"):
        ours.loglikelihood(asked)
