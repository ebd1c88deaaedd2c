"""Builds tiny real checkpoints: a config with a fixed seed and a tokenizer trained on a few lines."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig, PreTrainedTokenizerFast

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
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config or tiny_llama_config(), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
    model.eval()
    model.save_pretrained(folder)
    build_tiny_tokenizer().save_pretrained(folder)
    return folder
