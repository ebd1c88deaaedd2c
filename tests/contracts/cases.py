"""The models that `test_models.py` holds to the contract of `Model`. A new engine class joins by one more `Case`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.attributions import AttributionSettings
from harness.core.meters import NullMeter
from harness.core.models import Model
from harness.core.requests import (
    Attribute,
    AttributeSound,
    AudioGenerateUntil,
    AudioLoglikelihood,
    Classify,
    Embed,
    EmbeddingNoise,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MatchTexts,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
    Transcribe,
)
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.remote import RemoteModel
from harness.engine.kinds.scripted import ScriptedModel
from harness.engine.kinds.transcriber import Transcriber
from harness.engine.kinds.vllm import VllmModel
from harness.engine.opening import loaded_model
from harness.media.sounds import sound
from harness.testing.models import trial_requests
from tests import tiny
from tests.engine.vllm import standin
from tests.media.hearing import build_tiny_moonshine, build_tiny_wav2vec2
from tests.media.listening import build_tiny_qwen2_audio
from tests.media.tones import build_tiny_whisper
from tests.served import Served, serving
from tests.vision.checkpoints import build_tiny_clip, build_tiny_llava, build_tiny_paligemma

__all__ = ["CASES", "Case", "Open", "from_checkpoint"]

Open = Callable[[Path], Callable[[int], Model]]
"""Gets an empty folder to put a checkpoint into; gives what makes a fresh model for a number of batch tokens."""

LONG = "The committee met on Tuesday to discuss 1,024 proposals. " * 60
"""Longer than the window of every tiny checkpoint."""

UNICODE = ("", " ", "中文也要能分词。", "👩‍👩‍👧 e\u0301 ﬃ \u202eabc\u202c", "\x00\ufffd\t\n", "İstanbul ß ŉ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One model under test: `requests` are distinct and of every class that its kind answers, odd texts among them.

    `budgets` are numbers of batch tokens between which no answer may change by more than rounding.
    """

    name: str
    open: Open
    requests: Sequence[Request]
    budgets: tuple[int, int] = (60, 4096)


def from_checkpoint(build: Callable[[Path], Path]) -> Open:
    """Opens the tiny checkpoint that `build` writes, as `harness eval` would: the class is that of its kind."""

    def opened(folder: Path) -> Callable[[int], Model]:
        checkpoint = resolve(str(build(folder)))
        loaded = load_model(checkpoint, dtype="float32", device="cpu")
        return lambda batch_tokens: loaded_model(loaded, batch_tokens=batch_tokens)

    return opened


def _chat(folder: Path) -> Callable[[int], Model]:
    loaded = load_model(resolve(str(tiny.build_tiny_checkpoint(folder))), dtype="float32", device="cpu")
    return lambda tokens: ChatModel(loaded_model(loaded, batch_tokens=tokens), loaded.tokenizer)


def _transcriber(folder: Path) -> Callable[[int], Model]:
    opened = from_checkpoint(build_tiny_qwen2_audio)(folder)
    return lambda tokens: Transcriber(opened(tokens), predicts=True)


def _served(folder: Path) -> Callable[[int], Model]:
    running = serving(Served(folder=tiny.build_tiny_checkpoint(folder), puts_bos=True))
    served = running.__enter__()
    checkpoint = resolve(f"openai:{served.url}#{served.name}")

    def opened(_tokens: int) -> Model:
        # The server lives as long as it is referred to.
        assert running is not None
        return RemoteModel(checkpoint)

    return opened


def _vllm(folder: Path) -> Callable[[int], Model]:
    checkpoint = resolve(str(tiny.build_tiny_checkpoint(folder)), kind="vllm")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    engine = standin.LLM(model=str(folder), max_model_len=257)
    return lambda _tokens: VllmModel(engine, standin.SamplingParams, tokenizer, checkpoint, NullMeter())


def _scripted(_folder: Path) -> Callable[[int], Model]:
    def script(request: Request) -> Response:
        return Response(request_id=request.id, loglikelihood=-1.0, text=request.id[:4])

    return lambda _tokens: ScriptedModel(script)


def _adapter(config: peft.PeftConfig) -> Callable[[Path], Path]:
    """Writes a tiny base and an adapter over it, whose weights differ clearly from none."""

    def build(folder: Path) -> Path:
        base = tiny.build_tiny_checkpoint(folder / "base")
        torch.manual_seed(1)
        adapted = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
        adapted.save_pretrained(folder / "adapter")
        return folder / "adapter"

    return build


LORA = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj", "up_proj"])
PREFIX = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)

PAIRS = [
    *(Loglikelihood(context=f"Question {n}: where? Answer:", continuation=" over the lazy dog") for n in range(4)),
    # Cut into the same tokens, and yet two requests.
    Loglikelihood(context="the river", continuation=" bank"),
    Loglikelihood(context="the river ", continuation="bank"),
    Loglikelihood(context="", continuation="no context"),
    Loglikelihood(context="no continuation", continuation=""),
    Loglikelihood(context=LONG, continuation=" yes"),
    *(Loglikelihood(context=text, continuation=f" {text}") for text in UNICODE[2:]),
]
TEXTS = [*(LoglikelihoodRolling(text=text) for text in UNICODE[2:]), LoglikelihoodRolling(text=LONG)]
EACH_TOKEN = [TokenLoglikelihoods(text=text, max_tokens=40) for text in (*UNICODE, LONG)]
PROMPTS = [
    GenerateUntil(context="Once", max_tokens=4),
    GenerateUntil(context="Once", max_tokens=3, temperature=1.0, seed=3),
    GenerateUntil(context=LONG, max_tokens=4),
    *(GenerateUntil(context=text, max_tokens=2) for text in UNICODE),
]
WHOLE = [
    *(PseudoLoglikelihood(text=f"The fox number {n} jumps over the lazy dog.") for n in range(3)),
    *(PseudoLoglikelihood(text=text) for text in (*UNICODE, LONG)),
]
SENTENCES = [
    *(Embed(text=f"The fox number {n} jumps over the lazy dog.") for n in range(3)),
    *(Embed(text=text) for text in (*UNICODE, LONG)),
]
BEAMS = [GenerateUntil(context=text, max_tokens=3, num_beams=3) for text in ("Once", "the river", LONG)]
LABELLED = [
    *(Classify(text=f"The fox number {n} jumps over the lazy dog.") for n in range(3)),
    *(Classify(text=text) for text in (*UNICODE, LONG)),
    *(Classify(text=text, text_pair="She walked on through the rain.") for text in (*UNICODE, LONG)),
]
TAGGED = [
    *(Tag(words=("The", "fox", str(n), "jumps", ".")) for n in range(3)),
    *(Tag(words=words) for words in ((), UNICODE, tuple(LONG.split()), (LONG,), ("x",) * 300)),
]

METHODS = ("integrated_gradients", "gradient_x_input", "occlusion", "shapley_sampling", "kernel_shap")
TRIED = AttributionSettings(
    seed=5, fractions=(0.25, 0.5), steps=3, permutations=1, coalitions=8, random_orders=1, removals=3, noises=1
)


def explained(*choices: str) -> list[Attribute]:
    """Decisions to explain, of a few words or tokens each; the last can't be."""
    plain = {"continuations": choices, "methods": METHODS, "settings": TRIED}
    return [
        Attribute(context="Question: where does the fox jump? Answer:", start=10, stop=34, **plain),
        Attribute(**{**plain, "settings": replace(TRIED, noises=0, randomise=True)}, context="over the lazy dog"),
        Attribute(context="中文也要能分词。", unit="token", max_units=4, **{**plain, "methods": METHODS[2:4]}),
        Attribute(context="word", **plain),
    ]


CHOICES = (" yes", " over the dog", " rain")

NOISES = [EmbeddingNoise(scale=scale, seed="7", spans=((4, 30),)) for scale in (0.5, 1.0)]
NOISY_PAIRS = [
    Loglikelihood(context=context, continuation=continuation, noise=noise)
    for noise in NOISES
    for context in ("Question 1: where? Answer:", "the river ", UNICODE[2], LONG)
    for continuation in (" over the lazy dog", " bank")
]
NOISY_PROMPTS = [
    GenerateUntil(context=text, max_tokens=2, noise=noise) for noise in NOISES for text in ("the river", "", LONG)
]
NOISY_LABELS = [
    Classify(text="She walked on through the rain.", text_pair=pair, noise=noise)
    for noise in NOISES
    for pair in (None, "The fox jumps.")
]

SEEN = trial_requests(MultimodalLoglikelihood, MultimodalGenerateUntil)
LISTENED = trial_requests(AudioLoglikelihood, AudioGenerateUntil)

_DRAWN = np.random.default_rng(0)
_SOUNDS = [
    sound((0.3 * _DRAWN.standard_normal(int(seconds * rate_hz))).astype(np.float32), rate_hz)
    for seconds, rate_hz in ((1.0, 16000), (1.0, 16000), (1.5, 8000), (0.6, 44100), (0.001, 16000), (75.0, 8000))
]
HEARD = [
    *(
        Transcribe(audio=one, language="en", max_tokens=4)
        for one in (*_SOUNDS, sound(np.zeros(8000, np.float32), 8000))
    ),
    *(Transcribe(audio=_SOUNDS[0], language="en", reference=text, max_tokens=3) for text in (*UNICODE, "a", "LONG")),
]

CASES: list[Case] = [
    Case(name="scripted", open=_scripted, requests=[*PAIRS, *PROMPTS]),
    Case(
        name="causal",
        open=from_checkpoint(tiny.build_tiny_checkpoint),
        requests=[*PAIRS, *TEXTS, *EACH_TOKEN, *PROMPTS, *NOISY_PAIRS, *NOISY_PROMPTS, *explained(*CHOICES)],
    ),
    Case(name="lora", open=from_checkpoint(_adapter(LORA)), requests=[*PAIRS, *TEXTS, *PROMPTS, *NOISY_PAIRS]),
    Case(
        name="prefix tuning",
        open=from_checkpoint(_adapter(PREFIX)),
        requests=[*PAIRS, *TEXTS, *PROMPTS, *NOISY_PAIRS],
    ),
    Case(
        name="chat", open=_chat, requests=[*PAIRS, *PROMPTS, *NOISY_PAIRS[:4], *NOISY_PROMPTS, *explained(*CHOICES)[:1]]
    ),
    Case(name="vLLM", open=_vllm, requests=[*PAIRS, *TEXTS, *PROMPTS]),
    Case(name="served", open=_served, requests=[*PAIRS, *TEXTS, *PROMPTS]),
    Case(
        name="masked",
        open=from_checkpoint(tiny.build_tiny_masked),
        requests=[*PAIRS, *WHOLE, *NOISY_PAIRS, *explained(*CHOICES)],
    ),
    Case(name="encoder", open=from_checkpoint(tiny.build_tiny_encoder), requests=SENTENCES),
    Case(
        name="seq2seq",
        open=from_checkpoint(tiny.build_tiny_seq2seq),
        requests=[*PAIRS, *PROMPTS, *BEAMS, *NOISY_PAIRS, *NOISY_PROMPTS, *explained(*CHOICES)],
    ),
    Case(
        name="classifier",
        open=from_checkpoint(tiny.build_tiny_classifier),
        requests=[*LABELLED, *NOISY_LABELS, *explained()],
    ),
    Case(
        name="vision-language",
        open=from_checkpoint(build_tiny_llava),
        requests=[*SEEN, *PAIRS[:4], *PROMPTS[:2], *explained(*CHOICES)[:1]],
    ),
    Case(
        name="vision-language, its own way",
        open=from_checkpoint(build_tiny_paligemma),
        requests=[*SEEN, *PAIRS[:4], *TEXTS[:1], *PROMPTS[:2]],
    ),
    Case(
        name="audio-language",
        open=from_checkpoint(build_tiny_qwen2_audio),
        requests=[*LISTENED, *PAIRS[:4], *PROMPTS[:2], *explained(*CHOICES)[:1], *trial_requests(AttributeSound)[:1]],
    ),
    Case(
        name="asked what is said",
        open=_transcriber,
        requests=[*trial_requests(Transcribe), *HEARD[:7], *LISTENED[:2], *PAIRS[:2]],
    ),
    Case(name="contrastive", open=from_checkpoint(build_tiny_clip), requests=trial_requests(MatchTexts)),
    Case(name="whisper", open=from_checkpoint(partial(build_tiny_whisper, steps=2)), requests=HEARD),
    Case(name="moonshine", open=from_checkpoint(build_tiny_moonshine), requests=HEARD),
    Case(name="wav2vec2", open=from_checkpoint(build_tiny_wav2vec2), requests=HEARD),
    Case(name="tagger", open=from_checkpoint(tiny.build_tiny_tagger), requests=TAGGED),
]
