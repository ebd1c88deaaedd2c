"""Speech without people: a word is a tone, and a tiny Whisper learns to write such words down."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from filelock import FileLock
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizerFast,
)

from harness.media.sounds import Samples

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE_HZ = 8000
WINDOW_S = 2
_TONES_HZ = (300, 400, 530, 700, 920, 1200, 1600, 2100, 2700, 3500)
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>", "<|en|>", "<|it|>")
STEPS = 350
_WIDTH = 48
_BANDS = 16


def spoken(words: Sequence[str], rng: Random) -> Samples:
    """Words as sound: each a tone, at a pace, pitch and loudness of the speaker's, with a breath between."""
    pace, pitch, loudness = rng.uniform(0.8, 1.25), rng.uniform(0.97, 1.03), rng.uniform(0.2, 0.6)
    parts = [np.zeros(int(rng.uniform(0.02, 0.15) * RATE_HZ))]
    for word in words:
        count = int(0.2 * RATE_HZ * pace)
        wave = np.sin(2 * np.pi * _TONES_HZ[WORDS.index(word)] * pitch * np.arange(count) / RATE_HZ)
        parts += [wave * np.hanning(count) ** 0.3, np.zeros(int(0.08 * RATE_HZ * pace))]
    return (loudness * np.concatenate(parts)).astype(np.float32)


def sentences(count: int, seed: int) -> list[list[str]]:
    """So many sentences of one to three words."""
    rng = Random(seed)
    return [[rng.choice(WORDS) for _ in range(rng.randint(1, 3))] for _ in range(count)]


def build_tiny_whisper(folder: Path, steps: int = STEPS) -> Path:
    """Train it for a number of steps, and write the checkpoint into `folder`; after all of them it hears well."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order are other weights
    try:
        with torch.random.fork_rng():
            _build(folder, steps)
    finally:
        torch.set_num_threads(threads)
    return folder


def shared_tiny_whisper(base: Path) -> Path:
    """The checkpoint in a folder that the processes of one run of the tests share, made by the first that needs it."""
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / "tiny_whisper"
    with FileLock(root / "tiny_whisper.lock"):
        if not (folder / "processor_config.json").exists():
            build_tiny_whisper(folder)
    return folder


def _tokenizer(folder: Path) -> WhisperTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=100, special_tokens=list(_SPECIAL), initial_alphabet=[], show_progress=False
    )
    backend.train_from_iterator([f" {' '.join(WORDS)}"] * 10, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    end = _SPECIAL[0]
    return WhisperTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), unk_token=end, bos_token=end, eos_token=end, pad_token=end
    )


def _build(folder: Path, steps: int) -> None:
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder)
    extractor = WhisperFeatureExtractor(
        feature_size=_BANDS, sampling_rate=RATE_HZ, chunk_length=WINDOW_S, n_fft=200, hop_length=80
    )
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=_BANDS,
        d_model=_WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=2 * _WIDTH,
        decoder_ffn_dim=2 * _WIDTH,
        max_source_positions=WINDOW_S * RATE_HZ // 160,
        max_target_positions=12,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    _train(model, extractor, tokenizer, steps)
    settings = model.eval().generation_config
    settings._from_model_config = False  # else transformers reads it from the config, which lacks the rest
    settings.max_length = 12
    settings.is_multilingual = False
    settings.no_timestamps_token_id = _SPECIAL.index("<|notimestamps|>")
    model.save_pretrained(folder)
    WhisperProcessor(extractor, tokenizer).save_pretrained(folder)


def _train(
    model: WhisperForConditionalGeneration,
    extractor: WhisperFeatureExtractor,
    tokenizer: WhisperTokenizerFast,
    steps: int,
) -> None:
    rng = Random(1)
    texts = sentences(600, seed=2)
    sounds = [spoken(words, rng) for words in texts]
    # Speech with a little noise, so that much noise is a matter of degree, and silence in which nothing is said.
    noise = np.random.default_rng(3)
    sounds = [one + noise.normal(0, rng.choice((0, 0.002, 0.02)), len(one)).astype(np.float32) for one in sounds]
    texts += [[] for _ in range(20)]
    sounds += [noise.normal(0, 0.001 * place, RATE_HZ).astype(np.float32) for place in range(20)]
    features = torch.tensor(np.stack([extractor(one, sampling_rate=RATE_HZ)["input_features"][0] for one in sounds]))
    start = [1, _SPECIAL.index("<|notimestamps|>")]
    words = [tokenizer.encode("".join(f" {word}" for word in text), add_special_tokens=False) for text in texts]
    rows = torch.tensor([[*start, *ids, *[0] * (4 - len(ids))] for ids in words])
    labels = torch.tensor([[-100, *ids, 0, *[-100] * (3 - len(ids))] for ids in words])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.15)
    model.train()
    for _ in range(steps):
        chosen = torch.tensor([rng.randrange(len(rows)) for _ in range(32)])
        loss = model(input_features=features[chosen], decoder_input_ids=rows[chosen][:, :5], labels=labels[chosen]).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
