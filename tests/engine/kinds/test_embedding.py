"""Vectors against one plain forward pass a text, pooled by hand."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError
from harness.core.models import respond
from harness.core.requests import Embed
from harness.engine.kinds.embedding import EncoderModel
from tests.tiny import build_tiny_encoder, build_tiny_masked, build_tiny_seq2seq

TEXTS = [
    "The quick brown fox",
    "She said that he would never go home again; they both laughed and walked on.",
    "中文",
    "",
]


def vectors(folder: Path, texts: list[str], *, kind: str | None = None, batch_tokens: int = 100) -> list[torch.Tensor]:
    loaded = load_model(resolve(str(folder), kind=kind), dtype="float32", device="cpu")
    requests = [Embed(text=text) for text in texts]
    answers = {r.request_id: r for r in respond(EncoderModel(loaded, batch_tokens=batch_tokens), requests)}
    return [torch.tensor(answers[request.id].vector) for request in requests]


def states(folder: Path, text: str, max_length: int = 64) -> torch.Tensor:
    """The last hidden states of a text alone, of shape (tokens, width)."""
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
    with torch.no_grad():
        return model(input_ids=encoded["input_ids"]).last_hidden_state[0]


POOLS = {
    "mean_tokens": lambda rows: rows.mean(0),
    "cls_token": lambda rows: rows[0],
    "max_tokens": lambda rows: rows.max(0).values,
    "mean_sqrt_len_tokens": lambda rows: rows.sum(0) / len(rows) ** 0.5,
    "lasttoken": lambda rows: rows[-1],
    "weightedmean_tokens": lambda rows: (
        sum((index + 1) * row for index, row in enumerate(rows)) / sum(range(1, len(rows) + 1))
    ),
}


@pytest.mark.parametrize("pooling", POOLS)
def test_vectors_are_pooled_as_the_checkpoint_says(pooling, tmp_path):
    folder = build_tiny_encoder(tmp_path / "model", pooling=pooling, normalize=pooling == "mean_tokens")
    for text, vector in zip(TEXTS, vectors(folder, TEXTS), strict=True):
        expected = POOLS[pooling](states(folder, text, max_length=24))
        if pooling == "mean_tokens":
            expected = expected / expected.norm()
        torch.testing.assert_close(vector, expected, atol=1e-4, rtol=1e-4)


def test_without_a_recipe_it_is_the_mean_and_the_notes_say_so(tmp_path):
    folder = build_tiny_encoder(tmp_path / "model")
    for text, vector in zip(TEXTS, vectors(folder, TEXTS), strict=True):
        torch.testing.assert_close(vector, states(folder, text).mean(0), atol=1e-4, rtol=1e-4)
    assert any("a guess" in note for note in resolve(str(folder)).notes)


def test_a_recipe_is_in_the_notes_and_in_the_fingerprint(tmp_path):
    mean = resolve(str(build_tiny_encoder(tmp_path / "mean", pooling="mean_tokens", normalize=True)))
    assert mean.max_length == 24
    assert (
        "Vectors are the mean over tokens, scaled to a norm of 1, as the checkpoint's modules.json says" in mean.notes
    )
    cls = resolve(str(build_tiny_encoder(tmp_path / "cls", pooling="cls_token", normalize=True)))
    assert mean.fingerprint != cls.fingerprint


def test_several_poolings_are_put_side_by_side(tmp_path):
    folder = build_tiny_encoder(tmp_path / "model", pooling="cls_token")
    config = folder / "1_Pooling" / "config.json"
    config.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}))
    (vector,) = vectors(folder, TEXTS[:1])
    rows = states(folder, TEXTS[0])
    torch.testing.assert_close(vector, torch.cat([rows[0], rows.max(0).values]), atol=1e-4, rtol=1e-4)


def test_the_default_prompt_goes_before_every_text(tmp_path):
    folder = build_tiny_encoder(tmp_path / "model", pooling="mean_tokens")
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "Question: "}, "default_prompt_name": "query"})
    )
    (vector,) = vectors(folder, TEXTS[:1])
    torch.testing.assert_close(vector, states(folder, f"Question: {TEXTS[0]}", 24).mean(0), atol=1e-4, rtol=1e-4)


def test_a_masked_model_is_read_as_an_encoder_if_the_user_says_so(tmp_path):
    folder = build_tiny_masked(tmp_path / "model")
    assert resolve(str(folder)).kind == "masked"
    (vector,) = vectors(folder, TEXTS[:1], kind="encoder")
    torch.testing.assert_close(vector, states(folder, TEXTS[0]).mean(0), atol=1e-4, rtol=1e-4)


def test_of_a_model_with_encoder_and_decoder_the_encoder_is_read(tmp_path):
    folder = build_tiny_seq2seq(tmp_path / "model")
    (vector,) = vectors(folder, TEXTS[:1], kind="encoder")
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        rows = model.get_encoder()(**tokenizer(TEXTS[0], return_tensors="pt")).last_hidden_state[0]
    torch.testing.assert_close(vector, rows.mean(0), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}], "module Dense"),
        ([{"type": "sentence_transformers.models.Transformer", "path": "0_Transformer"}], "0_Transformer"),
        ({"no": "list"}, "not a list of modules"),
        ([{"type": "sentence_transformers.models.Pooling", "path": "9_Pooling"}], "missing"),
    ],
)
def test_modules_that_the_harness_does_not_have_are_refused(modules, says, tmp_path):
    folder = build_tiny_encoder(tmp_path / "model", pooling="mean_tokens")
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match=says) as caught:
        resolve(str(folder))
    assert caught.value.fix


def test_a_pooling_that_there_is_not_is_refused(tmp_path):
    folder = build_tiny_encoder(tmp_path / "model", pooling="mean_tokens")
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "median"}))
    with pytest.raises(CheckpointError, match="'median'"):
        resolve(str(folder))
