"""A kind of model is one object: that of a package which transformers loads is told, loaded and asked like ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from harness.checkpoints import resolve
from harness.core import registry
from harness.core.errors import CheckpointError
from harness.core.models import respond
from harness.core.requests import Embed
from harness.engine.opening import open_model
from tests import tiny

KIND = """
from harness.core.models import Kind, Loading
from harness.core.requests import Embed

READER = Kind(
    name="reader",
    title="reader of passages",
    answers=(Embed,),
    trial=Embed(text="the river"),
    model="readers_model:Reader",
    loading=Loading(
        table="MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
        auto_class="AutoModelForQuestionAnswering",
        adapter_task="QUESTION_ANS",
        unused=r"^spare[.]",
    ),
    transformer="encoder",
)
"""
MODEL = """
from harness.core.models import Batch
from harness.core.requests import Response


class Reader:
    def __init__(self, loaded, *, batch_tokens, meter):
        self.loaded = loaded

    def plan(self, requests):
        return [Batch((request,)) for request in requests]

    def answer(self, batch):
        (request,) = batch.requests
        found = self.loaded.model(**self.loaded.tokenizer(request.text, return_tensors="pt"))
        return [Response(request_id=request.id, vector=tuple(found.start_logits[0].tolist()))]
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    about = tmp_path / "site" / "readers-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: readers\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[harness.engines]\nreader = readers_kind:READER\n")
    (tmp_path / "site" / "readers_kind.py").write_text(KIND)
    (tmp_path / "site" / "readers_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    registry._entries.cache_clear()
    yield
    registry._entries.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reader")
    return tiny._build(
        made, AutoModelForQuestionAnswering, tiny.tiny_bert_config(), tiny.build_tiny_wordpiece(), seed=0
    )


def test_without_the_package_its_checkpoint_is_of_no_kind(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="BertForQuestionAnswering, which is none of: causal language model"):
        resolve(str(folder))


@pytest.mark.usefixtures("installed")
def test_with_it_the_checkpoint_is_told_loaded_and_answers_as_in_transformers(folder: Path) -> None:
    checkpoint = resolve(str(folder))
    assert (checkpoint.kind, checkpoint.architecture, checkpoint.max_length) == (
        "reader",
        "BertForQuestionAnswering",
        64,
    )
    (answer,) = respond(open_model(checkpoint), [Embed(text="the river flows")])
    tokens = AutoTokenizer.from_pretrained(folder)("the river flows", return_tensors="pt")
    with torch.inference_mode():
        expected = AutoModelForQuestionAnswering.from_pretrained(folder)(**tokens).start_logits[0]
    assert answer.vector == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.usefixtures("installed")
def test_another_checkpoint_is_read_as_the_kind_where_transformers_has_such_a_head(tmp_path: Path) -> None:
    masked = tiny.build_tiny_masked(tmp_path / "model")
    assert (resolve(str(masked)).kind, resolve(str(masked), kind="reader").kind) == ("masked", "reader")
    config = json.loads((masked / "config.json").read_text())
    (masked / "config.json").write_text(json.dumps({**config, "model_type": "t5gemma2"}))
    with pytest.raises(CheckpointError, match="can't be loaded as a reader of passages"):
        resolve(str(masked), kind="reader")
