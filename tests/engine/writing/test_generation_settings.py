"""What a checkpoint's generation_config.json says is followed as transformers' own `generate` follows it."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import GenerationConfig

from harness.checkpoints import resolve
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.seq2seq import Seq2SeqModel
from tests import tiny

MODELS = {"causal": CausalModel, "seq2seq": Seq2SeqModel}
CONTEXTS = (" ".join(tiny.TEXT[:2]), "The fox jumps over", "x")
ASKED = [GenerateUntil(context=context, max_tokens=10) for context in CONTEXTS]
WORDS = list(range(60, 380))
TWICE = (70, 87, 101, 120, 200)
"""Some of them stand in the prompts."""
IDLE = (("forced_bos_token_id", CausalModel),)
"""It acts on texts that are empty but for the token that the decoder begins with."""
FOLLOWED = [
    {"repetition_penalty": 1.7},
    {"repetition_penalty": 0.4},
    {"encoder_repetition_penalty": 3.0},
    {"no_repeat_ngram_size": 1},
    {"encoder_no_repeat_ngram_size": 1, "suppress_tokens": [one for one in range(400) if one not in TWICE]},
    {"no_repeat_ngram_size": 2, "repetition_penalty": 0.5, "suppress_tokens": WORDS},
    {"bad_words_ids": [[word] for word in WORDS[::2]]},
    {"sequence_bias": [[[word], 9.0] for word in WORDS[:3]]},
    {"min_length": 8, "sequence_bias": [[[3], 60.0]]},
    {"min_length": 8, "min_new_tokens": 7, "sequence_bias": [[[3], 60.0]]},
    {"exponential_decay_length_penalty": [4, 3.0], "sequence_bias": [[[3], 20.0]]},
    {"forced_eos_token_id": 3, "min_new_tokens": 9},
    {"forced_bos_token_id": 77},
    {"suppress_tokens": WORDS},
    {"begin_suppress_tokens": WORDS},
    {"eos_token_id": [3, *WORDS[::3]]},
]


class Plain(NamedTuple):
    """A checkpoint, what makes a model of it, and what transformers writes with it."""

    folder: Path
    make: Any
    loaded: LoadedCheckpoint
    texts: dict[str, str]


@pytest.fixture(scope="module", params=MODELS)
def plain(request, tmp_path_factory):
    """A checkpoint of one kind that says nothing about how it writes."""
    folder, make = tmp_path_factory.mktemp(request.param), MODELS[request.param]
    if request.param == "seq2seq":
        tiny.build_tiny_seq2seq(folder)
    else:
        tiny.build_tiny_checkpoint(folder, config=tiny.tiny_llama_config(eos_token_id=3, bos_token_id=2))
        tiny.build_tiny_mask_tokenizer().save_pretrained(folder)
        tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "eos_token": "[SEP]"}))
    loaded = loaded_from(folder)
    return Plain(folder, make, loaded, by_transformers(loaded, make, ASKED))


@contextmanager
def says(plain, settings):
    """The loaded checkpoint as if its generation_config.json had these settings besides its own."""
    path = plain.folder / "generation_config.json"
    own = path.read_text()
    path.write_text(json.dumps({**json.loads(own), **settings}))
    try:
        plain.loaded.model.generation_config = GenerationConfig.from_pretrained(plain.folder)
        yield replace(plain.loaded, checkpoint=resolve(str(plain.folder)))
    finally:
        path.write_text(own)


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A checkpoint that is only inspected."""
    return tiny.build_tiny_checkpoint(tmp_path_factory.mktemp("silent"))


def saying(folder, target, settings):
    """A copy of the checkpoint whose generation_config.json has these settings besides its own."""
    shutil.copytree(folder, target)
    path = target / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    return target


def loaded_from(folder):
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


def written(loaded, make, requests, budget=4000):
    return {one.request_id: one.text for one in respond(make(loaded, batch_tokens=budget), requests)}


def by_transformers(loaded, make, requests, **options):
    """The texts that `generate` writes after one prompt at a time, by the checkpoint's own settings."""
    texts = {}
    for request in requests:
        if make is CausalModel:
            (ids,) = make(loaded, batch_tokens=4000).encoder.prompts([request])
        else:
            ids = loaded.tokenizer(request.context)["input_ids"]
        with torch.inference_mode():
            (row,) = loaded.model.generate(
                torch.tensor([ids]), max_new_tokens=request.max_tokens, do_sample=False, num_beams=1, **options
            )
        own = row[len(ids) if make is CausalModel else 1 :].tolist()
        ends = loaded.model.generation_config.eos_token_id
        ends = {loaded.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        own = own[: next((place for place, token in enumerate(own) if token in ends), len(own))]
        texts[request.id] = loaded.tokenizer.decode(own, skip_special_tokens=True)
    return texts


@pytest.mark.parametrize("settings", FOLLOWED, ids=lambda settings: "+".join(settings))
def test_texts_are_those_of_transformers_with_the_same_settings(plain, settings):
    make = plain.make
    with says(plain, settings) as loaded:
        found = written(loaded, make, ASKED)
        assert found == by_transformers(loaded, make, ASKED)
        assert settings.items() <= loaded.checkpoint.generation.followed.items()
    assert found != plain.texts or (*settings, plain.make) in IDLE


def test_neither_batch_nor_order_changes_what_is_followed(plain):
    settings = {"repetition_penalty": 1.7, "encoder_repetition_penalty": 3.0, "no_repeat_ngram_size": 2}
    with says(plain, settings) as loaded:
        found = written(loaded, plain.make, ASKED)
        assert found == written(loaded, plain.make, list(reversed(ASKED)), budget=1)
        assert found == by_transformers(loaded, plain.make, ASKED)


def test_a_stop_string_of_the_checkpoint_ends_the_text_and_stays_in_it(plain, tmp_path):
    folder, make, _, texts = plain
    stop = next(text[4:6] for text in texts.values() if len(text) > 8)
    loaded = loaded_from(saying(folder, tmp_path / "it", {"stop_strings": [stop]}))
    found = written(loaded, make, ASKED)
    assert found == by_transformers(loaded, make, ASKED, tokenizer=loaded.tokenizer)
    assert found != texts


def test_length_and_sampling_are_the_tasks(plain, tmp_path):
    folder, make, _, texts = plain
    requested = {"max_length": 3, "max_new_tokens": 2, "do_sample": True, "temperature": 7.0, "num_beams": 3}
    loaded = loaded_from(saying(folder, tmp_path / "it", requested))
    assert written(loaded, make, ASKED) == texts
    assert loaded.checkpoint.generation.requested == requested
    drawn = [replace(one, temperature=1.0, seed=3) for one in ASKED[1:]]
    narrow = loaded_from(saying(folder, tmp_path / "narrow", {"min_p": 0.999, "top_k": 1, "typical_p": 0.01}))
    assert written(narrow, make, drawn) == written(loaded_from(folder), make, drawn)


def test_what_can_not_be_followed_is_named_and_changes_nothing(plain, tmp_path):
    folder, make, _, texts = plain
    settings = {"guidance_scale": 3.0, "max_time": 1e-9, "remove_invalid_values": True}
    loaded = loaded_from(saying(folder, tmp_path / "it", settings))
    assert loaded.checkpoint.generation.unfollowed == settings
    assert written(loaded, make, ASKED) == texts


def test_an_old_config_that_holds_the_settings_counts_where_there_is_no_other_file(plain, tmp_path):
    folder, make, *_ = plain
    target = saying(folder, tmp_path / "it", {})
    (target / "generation_config.json").unlink()
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps({**config, "no_repeat_ngram_size": 1}))
    loaded = loaded_from(target)
    assert loaded.checkpoint.generation.followed["no_repeat_ngram_size"] == 1
    expected = loaded_from(saying(folder, tmp_path / "new", {"no_repeat_ngram_size": 1}))
    assert written(loaded, make, ASKED) == by_transformers(expected, make, ASKED)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"repetition_penalty": "1.3"}, "repetition_penalty is '1.3'"),
        ({"repetition_penalty": 0}, "repetition_penalty is '0'"),
        ({"no_repeat_ngram_size": 2.5}, "no_repeat_ngram_size is '2.5'"),
        ({"no_repeat_ngram_size": True}, "no_repeat_ngram_size is 'True'"),
        ({"suppress_tokens": "all"}, "suppress_tokens is 'all'"),
        ({"bad_words_ids": [3]}, "bad_words_ids is '[3]'"),
        ({"bad_words_ids": [[400]]}, "bad_words_ids names the token 400"),
        ({"forced_bos_token_id": 4000}, "forced_bos_token_id names the token 4,000"),
        ({"sequence_bias": {"3": 1.0}}, "sequence_bias is"),
        ({"eos_token_id": [[3]]}, "eos_token_id is '[[3]]'"),
        ({"eos_token_id": "</s>"}, "eos_token_id is '</s>'"),
        ({"exponential_decay_length_penalty": 3}, "exponential_decay_length_penalty is '3'"),
        ({"max_new_tokens": "many"}, "max_new_tokens is 'many'"),
        ({"early_stopping": ["never"]}, "early_stopping is"),
        ({"pad_token_id": "0"}, "pad_token_id is '0'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_can_not_be_is_refused_in_one_line(settings, said, silent, tmp_path):
    with pytest.raises(CheckpointError, match=r"generation_config\.json") as refused:
        resolve(str(saying(silent, tmp_path / "it", settings)))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_json_is_refused_and_not_passed_over(silent, tmp_path):
    target = saying(silent, tmp_path / "it", {})
    (target / "generation_config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"generation_config\.json: is not valid JSON"):
        resolve(str(target))
