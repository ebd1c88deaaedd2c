"""Adapters over every kind of base, and those that bring the head that it lacks, against peft's merged model."""

import shutil
from pathlib import Path

import peft
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import (
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    RobertaConfig,
)

from harness.checkpoints import resolve
from harness.checkpoints.adapter import WEIGHTS
from harness.checkpoints.labels import with_labels
from harness.checkpoints.loading.loader import Loader, load_model
from harness.core.errors import CheckpointError
from harness.core.media import OBJECT
from harness.core.models import respond
from harness.core.requests import (
    Classify,
    GenerateUntil,
    Loglikelihood,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Tag,
)
from harness.engine.opening import loaded_model
from harness.media.pictures import trial_picture
from tests import tiny
from tests.vision.checkpoints import build_tiny_llava

LINES = ("She said that he would never go home.", "A wonderful film with terrible music.", "The fox.")
ASKED = {
    "classifier": [Classify(text=text) for text in LINES],
    "tagger": [Tag(words=tuple(text.split())) for text in LINES],
    "masked": [PseudoLoglikelihood(text=text) for text in LINES],
    "seq2seq": [
        *(Loglikelihood(context=text, continuation=" the river bank") for text in LINES),
        GenerateUntil(context=LINES[0], max_tokens=5),
    ],
    "vision_language": [
        MultimodalLoglikelihood(context=f"{OBJECT} {LINES[0]}", continuation=" It is.", media=(trial_picture(),)),
        MultimodalGenerateUntil(context=f"{OBJECT} {LINES[1]}", max_tokens=5, media=(trial_picture(),)),
        Loglikelihood(context=LINES[2], continuation=" the river bank"),
    ],
}


def roberta(folder: Path) -> Path:
    """A masked model without a pooler, as RoBERTa's are published."""
    config = RobertaConfig(
        **{**tiny.tiny_bert_config().to_diff_dict(), "max_position_embeddings": 64, "pad_token_id": 0}
    )
    return tiny.build_tiny_masked(folder, config=config, tokenizer=tiny.build_tiny_mask_tokenizer())


def llama(folder: Path) -> Path:
    return tiny.build_tiny_checkpoint(folder, config=tiny.tiny_llama_config(pad_token_id=0))


def adapted(folder: Path, base: Path, auto_class, task_type, targets, *, num_labels=None) -> Path:
    """Writes an adapter over the base, trained by chance, and beside it the same model merged."""
    torch.manual_seed(2)
    more = {} if num_labels is None else {"num_labels": num_labels}
    config = peft.LoraConfig(task_type=task_type, r=4, target_modules=targets)
    model = peft.get_peft_model(auto_class.from_pretrained(base, ignore_mismatched_sizes=True, **more), config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(folder / "adapter")
    model.merge_and_unload().save_pretrained(folder / "merged")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "merged")
    return folder / "adapter"


def answers(loaded):
    model = loaded_model(loaded, batch_tokens=256)
    return {response.request_id: response for response in respond(model, ASKED[loaded.checkpoint.kind])}


def opened(ref, **options):
    return load_model(resolve(str(ref), **options), dtype="float32", device="cpu")


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for one, other in ((found[request], expected[request]) for request in found):
        assert (one.text, one.tags, one.invalid) == (other.text, other.tags, None)
        assert one.loglikelihood == pytest.approx(other.loglikelihood, abs=1e-4)
        assert one.label_scores == pytest.approx(other.label_scores, abs=1e-4)


HEADLESS = {
    "classifier over an encoder": (tiny.build_tiny_encoder, AutoModelForSequenceClassification, "SEQ_CLS", "query", 3),
    "classifier over a masked model": (roberta, AutoModelForSequenceClassification, "SEQ_CLS", "query", 2),
    "classifier over a causal model": (llama, AutoModelForSequenceClassification, "SEQ_CLS", "q_proj", 4),
    "regression over an encoder": (tiny.build_tiny_encoder, AutoModelForSequenceClassification, "SEQ_CLS", "query", 1),
    "tagger over an encoder": (tiny.build_tiny_encoder, AutoModelForTokenClassification, "TOKEN_CLS", "query", 5),
    "tagger over a masked model": (tiny.build_tiny_masked, AutoModelForTokenClassification, "TOKEN_CLS", "query", 3),
    "classifier over one of other labels": (
        tiny.build_tiny_classifier,
        AutoModelForSequenceClassification,
        "SEQ_CLS",
        "query",
        3,
    ),
}


@pytest.mark.parametrize("name", HEADLESS)
def test_an_adapter_that_brings_its_head_answers_as_the_merged_model(name, tmp_path):
    build, auto_class, task_type, target, num_labels = HEADLESS[name]
    adapter = adapted(tmp_path, build(tmp_path / "base"), auto_class, task_type, [target], num_labels=num_labels)
    checkpoint = resolve(str(adapter))
    assert checkpoint.kind == name.replace("regression", "classifier").split()[0]
    assert any("head" in note and str(num_labels) in note for note in checkpoint.notes)
    loaded = opened(adapter)
    assert loaded.model.config.num_labels == num_labels
    assert_same(answers(loaded), answers(opened(tmp_path / "merged")))


@pytest.mark.parametrize(
    ("build", "auto_class", "task_type", "targets"),
    [
        (tiny.build_tiny_seq2seq, AutoModelForSeq2SeqLM, "SEQ_2_SEQ_LM", ["q_proj", "v_proj", "fc1"]),
        (tiny.build_tiny_masked, AutoModelForMaskedLM, None, ["query", "value"]),
        (roberta, AutoModelForMaskedLM, None, ["query", "dense"]),
        (tiny.build_tiny_classifier, AutoModelForSequenceClassification, "SEQ_CLS", ["query", "value"]),
        (tiny.build_tiny_tagger, AutoModelForTokenClassification, "TOKEN_CLS", ["query"]),
    ],
    ids=["seq2seq", "masked", "roberta", "classifier", "tagger"],
)
def test_an_adapter_over_a_whole_base_answers_as_the_merged_model(tmp_path, build, auto_class, task_type, targets):
    base = build(tmp_path / "base")
    adapter = adapted(tmp_path, base, auto_class, task_type, targets)
    assert resolve(str(adapter)).labels == resolve(str(base)).labels
    found = answers(opened(adapter))
    assert_same(found, answers(opened(tmp_path / "merged")))
    assert found != answers(opened(base))


def test_an_adapter_over_a_model_that_sees_answers_as_the_merged_model(tmp_path):
    """Its layers are those of the decoder and of the eye alike; pictures are prepared by the base's processor."""
    base = build_tiny_llava(tmp_path / "base")
    adapter = adapted(tmp_path, base, AutoModelForImageTextToText, "CAUSAL_LM", ["q_proj", "v_proj", "linear_1"])
    for name in ("processor_config.json", "chat_template.jinja"):
        shutil.copy(base / name, tmp_path / "merged" / name)
    found = answers(opened(adapter))
    assert_same(found, answers(opened(tmp_path / "merged")))
    assert found != answers(opened(base))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A headless base, and over it an adapter with a head for three labels and one with a head for two."""
    folder = tmp_path_factory.mktemp("heads")
    base = tiny.build_tiny_encoder(folder / "base")
    for count in (2, 3):
        adapted(folder / str(count), base, AutoModelForSequenceClassification, "SEQ_CLS", ["query"], num_labels=count)
    return folder


@pytest.fixture
def adapter(home, tmp_path) -> Path:
    """A copy of an adapter, to be spoilt."""
    return Path(shutil.copytree(home / "3" / "adapter", tmp_path / "adapter"))


def test_labels_are_named_by_the_user_as_many_as_the_head_has(home):
    checkpoint = with_labels(resolve(str(home / "3" / "adapter"), base=str(home / "base")), ("bad", "good", "neither"))
    loaded = load_model(checkpoint, dtype="float32", device="cpu")
    assert {tuple(response.label_scores) for response in answers(loaded).values()} == {("bad", "good", "neither")}
    with pytest.raises(CheckpointError, match="has 3 labels, and 2 names"):
        with_labels(resolve(str(home / "3" / "adapter"), base=str(home / "base")), ("bad", "good"))


def test_heads_of_different_sizes_over_one_base_never_mix(home):
    loader = Loader()
    for count in (2, 3, 2):
        adapter = resolve(str(home / str(count) / "adapter"), base=str(home / "base"))
        loaded = loader.load(adapter, dtype="float32", device="cpu")
        assert_same(answers(loaded), answers(opened(home / str(count) / "merged")))


@pytest.mark.parametrize("dropped", ["bias", "weight", ""])
def test_a_head_that_neither_base_nor_adapter_holds_whole_is_refused(home, adapter, dropped):
    tensors = load_file(adapter / WEIGHTS)
    kept = {name: tensor for name, tensor in tensors.items() if f"classifier.{dropped}" not in name}
    save_file(kept, adapter / WEIGHTS)
    with pytest.raises(CheckpointError, match=rf"classifier\.{dropped or 'bias'} is missing"):
        opened(adapter, base=str(home / "base"))


def test_a_base_that_lacks_more_than_the_head_is_refused(adapter, tmp_path):
    base = tiny.build_tiny_masked(tmp_path / "without-pooler")
    with pytest.raises(CheckpointError, match=r"bert\.pooler\.dense\.bias is missing"):
        opened(adapter, base=str(base))
