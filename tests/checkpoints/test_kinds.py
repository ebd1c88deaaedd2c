"""What kind a checkpoint is, told by its config and its files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from transformers import AlbertConfig, BertForNextSentencePrediction, BertForPreTraining, RobertaConfig

from harness.checkpoints import resolve
from harness.checkpoints.architectures import kind_of
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError, UnknownName
from tests import tiny

PLACE = Path("config.json")


@pytest.mark.parametrize(
    ("model_type", "architecture", "kind"),
    [
        ("llama", "LlamaForCausalLM", "causal"),
        ("mamba", "MambaForCausalLM", "causal"),
        ("mixtral", "MixtralForCausalLM", "causal"),
        ("bert", "BertLMHeadModel", "causal"),
        ("bert", "BertForMaskedLM", "masked"),
        ("roberta", "RobertaForMaskedLM", "masked"),
        ("deberta-v2", "DebertaV2ForMaskedLM", "masked"),
        ("modernbert", "ModernBertForMaskedLM", "masked"),
        ("xlm", "XLMWithLMHeadModel", "masked"),
        ("t5", "T5ForConditionalGeneration", "seq2seq"),
        ("bart", "BartForConditionalGeneration", "seq2seq"),
        ("marian", "MarianMTModel", "seq2seq"),
        ("m2m_100", "M2M100ForConditionalGeneration", "seq2seq"),
        ("distilbert", "DistilBertForSequenceClassification", "classifier"),
        ("llama", "LlamaForSequenceClassification", "classifier"),
        ("bert", "BertForTokenClassification", "tagger"),
        ("bert", "BertModel", "encoder"),
        ("funnel", "FunnelBaseModel", "encoder"),
    ],
)
def test_the_architecture_tells_the_kind(model_type, architecture, kind):
    assert kind_of({"model_type": model_type, "architectures": [architecture]}, PLACE) == (kind, architecture)


@pytest.mark.parametrize(
    ("config", "tensors", "kind"),
    [
        ({"model_type": "t5", "is_encoder_decoder": True}, (), "seq2seq"),
        ({"model_type": "bart", "is_encoder_decoder": True}, (), "seq2seq"),
        ({"model_type": "gpt2"}, ("transformer.wte.weight",), "causal"),
        ({"model_type": "bert", "is_decoder": True}, ("cls.predictions.bias",), "causal"),
        ({"model_type": "bert"}, ("cls.predictions.bias", "bert.pooler.dense.weight"), "masked"),
        ({"model_type": "roberta"}, ("lm_head.dense.weight",), "masked"),
        ({"model_type": "modernbert"}, ("head.dense.weight", "decoder.bias"), "masked"),
        ({"model_type": "bert"}, ("embeddings.word_embeddings.weight",), "encoder"),
        ({"model_type": "bert", "architectures": ["BertForPreTraining"]}, ("cls.predictions.bias",), "masked"),
        ({"model_type": "xlm", "architectures": ["XLMWithLMHeadModel"], "causal": True}, (), "causal"),
    ],
)
def test_without_a_telling_architecture_the_rest_of_config_and_weights_does(config, tensors, kind):
    assert kind_of(config, PLACE, tensors=tensors)[0] == kind


def test_a_head_for_labels_without_an_architecture_is_for_the_user_to_name():
    with pytest.raises(CheckpointError, match="head for labels") as caught:
        kind_of({"model_type": "bert"}, PLACE, tensors=("classifier.weight",))
    assert "--kind classifier or --kind tagger" in str(caught.value.fix)
    assert kind_of({"model_type": "bert"}, PLACE, tensors=("classifier.weight",), wanted="tagger") == (
        "tagger",
        "BertForTokenClassification",
    )


def test_code_of_the_checkpoints_own_is_told_by_the_class_that_the_architecture_is_for():
    config = {
        "architectures": ["OddForMaskedLM"],
        "auto_map": {"AutoModel": "odd.OddModel", "AutoModelForMaskedLM": "odd.OddForMaskedLM"},
    }
    assert kind_of(config, PLACE) == ("masked", "OddForMaskedLM")


BUILDERS: dict[str, Callable[..., Path]] = {
    "causal": tiny.build_tiny_checkpoint,
    "masked": tiny.build_tiny_masked,
    "seq2seq": tiny.build_tiny_seq2seq,
    "classifier": tiny.build_tiny_classifier,
    "tagger": tiny.build_tiny_tagger,
    "encoder": tiny.build_tiny_encoder,
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_checkpoint_of_each_kind_is_told_and_loaded(kind, tmp_path):
    checkpoint = resolve(str(BUILDERS[kind](tmp_path / "model")))
    assert checkpoint.kind == kind
    assert type(load_model(checkpoint, dtype="float32", device="cpu").model).__name__ == checkpoint.architecture


def test_a_kind_that_there_is_not_suggests_the_one_that_was_meant(tmp_path):
    with pytest.raises(UnknownName, match="did you mean masked"):
        resolve(str(tmp_path), kind="maskd")


def test_a_kind_without_a_head_for_the_architecture_is_refused(tmp_path):
    folder = tiny.build_tiny_masked(tmp_path / "model")
    with pytest.raises(CheckpointError, match="sequence-to-sequence") as caught:
        resolve(str(folder), kind="seq2seq")
    assert "or masked or" in str(caught.value.fix)


def test_a_head_that_is_not_in_the_files_is_never_made_up(tmp_path):
    folder = tiny.build_tiny_encoder(tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"cls\.predictions.* is missing"):
        load_model(resolve(str(folder), kind="masked"), dtype="float32", device="cpu")


@pytest.mark.parametrize("head", [BertForPreTraining, BertForNextSentencePrediction])
def test_what_the_training_left_is_harmless_only_where_it_is_known(head, tmp_path):
    """BERT as its authors published it has a next-sentence head and a pooler beside the one for words."""
    head(tiny.tiny_bert_config()).save_pretrained(tmp_path)
    tiny.build_tiny_wordpiece().save_pretrained(tmp_path)
    if head is BertForNextSentencePrediction:
        with pytest.raises(CheckpointError, match="is missing"):
            load_model(resolve(str(tmp_path), kind="masked"), dtype="float32", device="cpu")
        return
    checkpoint = resolve(str(tmp_path))
    assert checkpoint.kind == "masked"
    assert any("bert.pooler.dense.bias and 3 more" in note for note in checkpoint.notes)
    load_model(checkpoint, dtype="float32", device="cpu")
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(
        {**tensors, "bert.extra.weight": tensors["bert.pooler.dense.bias"].clone()},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(CheckpointError, match=r"bert\.extra\.weight is not part"):
        load_model(resolve(str(tmp_path)), dtype="float32", device="cpu")


def test_positions_behind_the_padding_token_are_no_room_for_text(tmp_path):
    config = RobertaConfig(
        **{
            **tiny.tiny_bert_config().to_dict(),
            "model_type": "roberta",
            "pad_token_id": 1,
            "max_position_embeddings": 66,
        }
    )
    folder = tiny.build_tiny_masked(tmp_path / "model", config=config)
    assert resolve(str(folder)).max_length == 64


def test_layers_that_share_their_weights_are_no_fault(tmp_path):
    config = AlbertConfig(
        vocab_size=400,
        embedding_size=16,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        num_hidden_layers=6,
        max_position_embeddings=64,
    )
    folder = tiny.build_tiny_masked(tmp_path / "model", config=config)
    load_model(resolve(str(folder)), dtype="float32", device="cpu")


def test_pickled_weights_are_converted_by_the_class_of_their_kind(tmp_path):
    folder = tiny.build_tiny_masked(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError) as caught:
        resolve(str(folder))
    assert "import AutoModelForMaskedLM" in str(caught.value.fix)


def edit(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_a_config_without_architectures_is_told_by_its_weights(tmp_path):
    folder = tiny.build_tiny_masked(tmp_path / "model")
    edit(folder / "config.json", architectures=None)
    assert (resolve(str(folder)).kind, resolve(str(folder)).architecture) == ("masked", "BertForMaskedLM")
