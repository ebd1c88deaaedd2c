"""Stop strings, those that are special tokens among them: texts are lm-evaluation-harness's."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.seq2seq import Seq2SeqModel
from harness.engine.writing.stops import StopSpelling
from tests import tiny

TURN = "<|im_end|>"
CONTEXTS = ("The fox jumps over", "She said", "x")


@pytest.fixture(scope="module", params=["causal", "seq2seq"])
def special(request, tmp_path_factory):
    """A checkpoint that writes a special token, which is not the one that ends a text, and its engine."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "causal":
        tiny.build_tiny_checkpoint(folder)
    else:
        tiny.build_tiny_seq2seq(folder)
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token": "[SEP]"}))
    make = CausalModel if request.param == "causal" else Seq2SeqModel
    whole = respond(make(load_model(resolve(str(folder)), dtype="float32", device="cpu"), batch_tokens=4000), asked(()))
    # A token that stands in the middle of a text for the first time.
    usual = next(
        token
        for one in whole
        for place, token in enumerate(one.token_ids[:-1])
        if place > 1 and token not in one.token_ids[:place]
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    renamed(folder / "tokenizer.json", tokenizer.convert_ids_to_tokens(usual), usual)
    return folder, request.param, make


def renamed(path, old, number):
    """Make a special token of a word of the vocabulary."""
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {TURN if word == old else word: token for word, token in vocabulary.items()}
    merges = content["model"]["merges"]
    content["model"]["merges"] = [pair for pair in merges if old not in (*pair, "".join(pair))]
    shape = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    content["added_tokens"].append({"id": number, "content": TURN, **shape})
    path.write_text(json.dumps(content))


def asked(until):
    return [GenerateUntil(context=context, max_tokens=12, until=until) for context in CONTEXTS]


def test_a_text_ends_in_front_of_the_special_token(special):
    folder, _, make = special
    loaded = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    model = make(loaded, batch_tokens=4000)
    whole = {one.request_id: one.token_ids for one in respond(model, asked(()))}
    turn = loaded.tokenizer.convert_tokens_to_ids(TURN)
    for until in ((TURN,), (TURN[:4],), ("\n\n", TURN)):
        found = {one.request_id: one for one in respond(model, asked(until))}
        for free, request in zip(asked(()), asked(until), strict=True):
            tokens = whole[free.id]
            end = tokens.index(turn) if turn in tokens else len(tokens)
            assert found[request.id].text == loaded.tokenizer.decode(tokens[:end])
            assert found[request.id].token_count == min(end + 1, len(tokens))
    assert any(0 < tokens.index(turn) < len(tokens) - 1 for tokens in whole.values() if turn in tokens)


def test_texts_are_those_of_lm_eval(special):
    folder, kind, make = special
    if kind == "seq2seq":
        return  # lm-eval looks for no stop string in as many tokens as the context has
    model = make(load_model(resolve(str(folder)), dtype="float32", device="cpu"), batch_tokens=4000)
    reference = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1)
    for until in ((), (TURN,), (TURN[:4],), ("\n", TURN)):
        requests = asked(until)
        found = {one.request_id: one.text for one in respond(model, requests)}
        options = {"until": list(until), "max_gen_toks": 12, "do_sample": False}
        instances = [
            Instance("generate_until", {}, (request.context, options), index) for index, request in enumerate(requests)
        ]
        expected = reference.generate_until(instances, disable_tqdm=True)
        assert [found[request.id] for request in requests] == expected


@pytest.fixture(scope="module")
def spelling():
    tokenizer = tiny.build_tiny_tokenizer()
    tokenizer.add_special_tokens({"extra_special_tokens": [TURN, "<|think|>"]})
    return tokenizer, StopSpelling(tokenizer)


PIECES = ("yes", " no", "END", TURN, "<|think|>", "é", "中", "\n", "<", "|>", "im_end")


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(PIECES), max_size=3))
@settings(deadline=None, max_examples=150)
def test_what_is_in_front_of_a_stop_is_the_shown_text_without_special_tokens(spelling, written, stops):
    tokenizer, spelled = spelling
    token_ids = tokenizer("".join(written))["input_ids"]
    shown = "".join(written)
    until = ["".join(stops)] if stops else []
    before = shown.split(until[0])[0] if until else shown
    plain = before
    for name in (TURN, "<|think|>"):
        # A stop string that begins inside a special token's name leaves nothing of it.
        heads = [name[:length] for length in range(len(name) - 1, 0, -1)]
        cut = next(
            (head for head in heads if before.endswith(head) and shown[len(before) - len(head) :].startswith(name)), ""
        )
        plain = plain.removesuffix(cut) if cut else plain
    for name in (TURN, "<|think|>"):
        plain = plain.replace(name, "")
    expected = plain.split(until[0])[0] if until else plain
    assert spelled.before_stop(token_ids, until) == expected
    assert spelled.stopped(token_ids, until) == any(stop in shown for stop in until)


def test_the_marks_of_calls_are_kept_and_other_special_tokens_are_not():
    tokenizer = tiny.build_tiny_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["[TOOL_CALLS]", "[ARGS]", "<|other|>"]})
    token_ids = tokenizer("[TOOL_CALLS]f[ARGS]{}<|other|></s>", add_special_tokens=False)["input_ids"]
    spelling = StopSpelling(tokenizer)
    assert spelling.reply(token_ids, (), "end")["text"] == "[TOOL_CALLS]f[ARGS]{}"
    assert spelling.reply(token_ids[1:2] + token_ids[-2:], (), "end")["text"] == "f"
