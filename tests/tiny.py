"""Builds tiny real checkpoints: a config with a fixed seed and a tokenizer trained on a few lines."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BartConfig,
    BertConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

TEXT = [
    "Question: Where does the quick brown fox jump? Answer: over the lazy dog, by the river bank.",
    "The committee met on Tuesday to discuss 1,024 proposals about energy, water and schools.",
    "She said that he would never go home again; they both laughed and walked on through the rain.",
    "Review: a wonderful film with terrible music. Sentiment: positive or negative? Passage: true, false.",
    "中文也要能分词。模型应当公平、稳健、可解释。",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}\n{{ message['content'] }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


def build_tiny_tokenizer(*, vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with `<s>` and `</s>`, trained on `TEXT`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        chat_template=CHAT_TEMPLATE,
    )


def tiny_llama_config(**changes: Any) -> LlamaConfig:
    """Two layers of 32, a window of 256 tokens."""
    settings: dict[str, Any] = {
        "vocab_size": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "tie_word_embeddings": False,
    }
    return LlamaConfig(**{**settings, **changes})


def build_tiny_checkpoint(
    folder: Path, *, seed: int = 0, config: PretrainedConfig | None = None, scale: float = 8
) -> Path:
    """Write a random checkpoint (Llama unless `config` says otherwise) with its tokenizer into `folder`.

    The initial weights are scaled up by `scale`, so that predictions differ clearly between tokens.
    """
    return _build(folder, AutoModelForCausalLM, config or tiny_llama_config(), build_tiny_tokenizer(), seed, scale)


def build_tiny_masked(
    folder: Path,
    *,
    seed: int = 0,
    config: PretrainedConfig | None = None,
    tokenizer: PreTrainedTokenizerFast | None = None,
) -> Path:
    """A random masked language model: BERT with a WordPiece tokenizer unless said otherwise."""
    return _build(folder, AutoModelForMaskedLM, config or tiny_bert_config(), tokenizer or build_tiny_wordpiece(), seed)


def build_tiny_encoder(folder: Path, *, seed: int = 0, pooling: str | None = None, normalize: bool = False) -> Path:
    """A random BERT without a head; with a `pooling` (`mean`, `cls`, ...) in the manner of sentence-transformers."""
    _build(folder, AutoModel, tiny_bert_config(), build_tiny_wordpiece(), seed)
    if pooling is not None:
        modules = [
            ("", "Transformer"),
            ("1_Pooling", "Pooling"),
            *([("2_Normalize", "Normalize")] if normalize else []),
        ]
        listed = [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
            for index, (path, name) in enumerate(modules)
        ]
        (folder / "modules.json").write_text(json.dumps(listed))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 24, "do_lower_case": False}))
    return folder


def build_tiny_seq2seq(folder: Path, *, seed: int = 0, config: PretrainedConfig | None = None) -> Path:
    """A random BART with a byte-level tokenizer, unless the config says otherwise."""
    return _build(folder, AutoModelForSeq2SeqLM, config or tiny_bart_config(), build_tiny_mask_tokenizer(), seed)


def build_tiny_classifier(folder: Path, *, seed: int = 0, labels: tuple[str, ...] = ("negative", "positive")) -> Path:
    """A random BERT that labels texts."""
    config = tiny_bert_config(id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})
    return _build(folder, AutoModelForSequenceClassification, config, build_tiny_wordpiece(), seed)


def build_tiny_tagger(folder: Path, *, seed: int = 0, labels: tuple[str, ...] = ("O", "B-PER", "I-PER")) -> Path:
    """A random BERT that labels words."""
    config = tiny_bert_config(id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})
    return _build(folder, AutoModelForTokenClassification, config, build_tiny_wordpiece(), seed)


def tiny_bert_config(**changes: Any) -> BertConfig:
    """Two layers of 32, a window of 64 tokens."""
    settings: dict[str, Any] = {
        "vocab_size": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
    }
    return BertConfig(**{**settings, **changes})


def tiny_bart_config(**changes: Any) -> BartConfig:
    """Two layers of 32 on each side, windows of 128 tokens."""
    settings: dict[str, Any] = {
        "vocab_size": 400,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "max_position_embeddings": 128,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "decoder_start_token_id": 3,
        "forced_eos_token_id": None,
    }
    return BartConfig(**{**settings, **changes})


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "model.layers": "blk",
}


def build_tiny_gguf(folder: Path, path: Path, *, quantised: bool = True) -> Path:
    """The tiny Llama in `folder` as a GGUF file: vectors exact, matrices in Q8_0 where it is `quantised`."""
    config = json.loads((folder / "config.json").read_text())
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(list(vocabulary["vocab"]))
    control = gguf.TokenType.CONTROL
    writer.add_token_types([control if index < 3 else gguf.TokenType.NORMAL for index in range(config["vocab_size"])])
    writer.add_token_merges([" ".join(pair) for pair in vocabulary["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHAT_TEMPLATE)
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for name, weight in load_file(folder / "model.safetensors").items():
        count = next((count for part, count in heads.items() if part in name), None)
        values = _interleaved(weight.numpy(), count) if count else weight.numpy()
        if values.ndim == 2 and quantised:
            packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(_gguf_name(name), packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(_gguf_name(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _gguf_name(name: str) -> str:
    for ours, theirs in GGUF_NAMES.items():
        name = name.replace(ours, theirs)
    return name


def _interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key projection in the order that GGUF stores rotary pairs in."""
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def build_tiny_wordpiece(*, vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """A lower-casing WordPiece tokenizer as BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    return _with_mask(tokenizer)


def build_tiny_mask_tokenizer(*, vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer as RoBERTa's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return _with_mask(tokenizer)


def build_tiny_sentencepiece(*, vocab_size: int = 300) -> PreTrainedTokenizerFast:
    """A unigram tokenizer with SentencePiece's word marks, as DeBERTa-v3's and XLM-R's."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return _with_mask(tokenizer)


def _with_mask(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **dict(zip(names, SPECIAL, strict=True)))


def _build(
    folder: Path,
    auto_class: Any,
    config: PretrainedConfig,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    scale: float = 8,
) -> Path:
    torch.manual_seed(seed)
    model = auto_class.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
    model.eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
