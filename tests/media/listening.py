"""Builds tiny real checkpoints that hear and write: random weights, a tokenizer trained on a few lines, mel bands."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AudioFlamingo3Config,
    AudioFlamingo3ForConditionalGeneration,
    AudioFlamingo3Processor,
    PreTrainedTokenizerFast,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    WhisperFeatureExtractor,
)

from tests.tiny import TEXT
from tests.vision.checkpoints import seeing_tokenizer

WIDTH, BANDS, WINDOW_S, RATE_HZ = 32, 16, 2, 8000
HOP = 160
SOUND, ENDS = "<|AUDIO|>", ("<|audio_bos|>", "<|audio_eos|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}MARK{% else %}{{ part['text'] }}{% endif %}{% endfor %}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


def hearing_tokenizer(
    lines: Sequence[str] = TEXT, *, mark: str = SOUND, ends: Sequence[str] = (), vocab_size: int = 400
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a token for sounds, and those at its `ends`."""
    names = dict(zip(("audio_bos_token", "audio_eos_token"), ends, strict=False))
    tokenizer = seeing_tokenizer(lines, vocab_size=vocab_size, audio_token=mark, **names)
    tokenizer.chat_template = CHAT_TEMPLATE.replace("MARK", "".join([*ends[:1], mark, *ends[1:]]))
    return tokenizer


def build_tiny_qwen2_audio(folder: Path, **changes: Any) -> Path:
    """A Qwen2-Audio of 25 tokens a second, at 8 kHz, with a window of two seconds."""
    return save_qwen2_audio(folder, hearing_tokenizer(ends=ENDS), **changes)


def save_qwen2_audio(folder: Path, tokenizer: PreTrainedTokenizerFast, **changes: Any) -> Path:
    """Random weights around a tokenizer of one's own."""
    torch.manual_seed(0)
    model = qwen2_audio(tokenizer, **changes)
    return _save(folder, model, Qwen2AudioProcessor(feature_extractor=extractor(), tokenizer=tokenizer))


def qwen2_audio(tokenizer: PreTrainedTokenizerFast, *, width: int = WIDTH, layers: int = 2) -> Any:
    """The model, untrained."""
    config = Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "num_mel_bins": BANDS,
            "d_model": width,
            "encoder_layers": layers,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 2 * width,
            "max_source_positions": WINDOW_S * RATE_HZ // HOP // 2,
        },
        text_config={**_text(tokenizer, width, layers), "model_type": "qwen2"},
        audio_token_index=tokenizer.convert_tokens_to_ids(SOUND),
    )
    return Qwen2AudioForConditionalGeneration(config)


def build_tiny_audio_flamingo3(folder: Path) -> Path:
    """An Audio Flamingo 3, which reads a sound in pieces of a window each, four seconds at the most."""
    torch.manual_seed(0)
    tokenizer = hearing_tokenizer(mark="<sound>")
    config = AudioFlamingo3Config(
        audio_config={
            "model_type": "audioflamingo3_encoder",
            "num_mel_bins": BANDS,
            "hidden_size": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 2 * WIDTH,
            "max_source_positions": WINDOW_S * RATE_HZ // HOP // 2,
        },
        text_config={**_text(tokenizer, WIDTH, 2), "model_type": "qwen2"},
        audio_token_id=tokenizer.convert_tokens_to_ids("<sound>"),
    )
    processor = AudioFlamingo3Processor(
        feature_extractor=extractor(), tokenizer=tokenizer, audio_token="<sound>", max_audio_len=2 * WINDOW_S
    )
    return _save(folder, AudioFlamingo3ForConditionalGeneration(config), processor)


HEARING: dict[str, Callable[[Path], Path]] = {
    "qwen2_audio": build_tiny_qwen2_audio,
    "audioflamingo3": build_tiny_audio_flamingo3,
}


def extractor() -> WhisperFeatureExtractor:
    """Of 50 frames a second."""
    return WhisperFeatureExtractor(
        feature_size=BANDS, sampling_rate=RATE_HZ, hop_length=HOP, chunk_length=WINDOW_S, n_fft=256
    )


def _text(tokenizer: PreTrainedTokenizerFast, width: int, layers: int) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
    }


def _save(folder: Path, model: Any, processor: Any) -> Path:
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
