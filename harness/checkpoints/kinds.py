"""Our kinds of models: what each answers, what it is made of, and how transformers calls it."""

import base64
from collections.abc import Mapping

from harness.checkpoints.heads import OTHER_HEADS, POOLER
from harness.core import registry
from harness.core.errors import UnknownName
from harness.core.media import AUDIO, IMAGE, Medium
from harness.core.models import Kind, Loading
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    AudioGenerateUntil,
    AudioLoglikelihood,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MatchTexts,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Tag,
    TokenLoglikelihoods,
    Transcribe,
)

__all__ = [
    "AUDIO_LANGUAGE",
    "CAUSAL",
    "CHAT",
    "CLASSIFIER",
    "COMPLETIONS",
    "CONTRASTIVE",
    "ENCODER",
    "MASKED",
    "SEQ2SEQ",
    "SPEECH_CTC",
    "SPEECH_RECOGNITION",
    "TAGGER",
    "VISION_LANGUAGE",
    "VLLM",
    "auto_classes",
    "loaded_kinds",
    "loading",
]

_TEXT = "The river flows"
_CONTINUED = Loglikelihood(context=_TEXT, continuation=" on")
_SILENCE = Medium(
    AUDIO,
    base64.b64decode(
        "ZkxhQwAAACIQABAAAAANAAANA+gA8AAABkCfCt/b50DLnNgYijV2HiR2hAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMyAyMDIzMDYyMwAA"
        "AAD/+HUIAAY/NAAAAGe/"
    ),
)
"""A tenth of a second: the libraries that could make it are too heavy for a list of kinds."""
_GREY = Medium(
    IMAGE,
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mNsaGhgwAaYGHCAwSkBADAXAZDUexXGAAAAAElFTkSuQmCC"
    ),
)
_KINDS, _BOXES = "harness.engine.kinds", "harness.engine.attribution.boxes"
_SERVED = f"{_KINDS}.remote:open_served"

CAUSAL = Kind(
    name="causal",
    title="causal language model",
    answers=(Loglikelihood, LoglikelihoodRolling, TokenLoglikelihoods, GenerateUntil, Attribute),
    trial=_CONTINUED,
    model=f"{_KINDS}.causal:CausalModel",
    loading=Loading(
        table="MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", auto_class="AutoModelForCausalLM", adapter_task="CAUSAL_LM"
    ),
    transformer="decoder",
    white_box=f"{_BOXES}:CausalBox",
    comparer="harness.engine.comparing.divergences:DivergenceModel",
    trainer="harness.engine.training.tuned:TunedModel",
    takes_noise=True,
)
MASKED = Kind(
    name="masked",
    title="masked language model",
    answers=(Loglikelihood, PseudoLoglikelihood, Attribute),
    trial=PseudoLoglikelihood(text=_TEXT),
    model=f"{_KINDS}.masked:MaskedModel",
    loading=Loading(
        table="MODEL_FOR_MASKED_LM_MAPPING_NAMES",
        auto_class="AutoModelForMaskedLM",
        unused=rf"{POOLER.pattern}|^(cls\.seq_relationship|sop_classifier)\.",
    ),
    transformer="encoder",
    white_box=f"{_BOXES}:MaskedBox",
    task_type="fill-mask",
    takes_noise=True,
)
"""Its `Loglikelihood` is the pseudo-log-likelihood of the continuation."""
SEQ2SEQ = Kind(
    name="seq2seq",
    title="sequence-to-sequence model",
    answers=(Loglikelihood, GenerateUntil, Attribute),
    trial=_CONTINUED,
    model=f"{_KINDS}.seq2seq:Seq2SeqModel",
    loading=Loading(
        table="MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
        auto_class="AutoModelForSeq2SeqLM",
        adapter_task="SEQ_2_SEQ_LM",
    ),
    transformer="encoder-decoder",
    white_box=f"{_BOXES}:Seq2SeqBox",
    task_type="text2text-generation",
    takes_noise=True,
)
CLASSIFIER = Kind(
    name="classifier",
    title="sequence classifier",
    answers=(Classify, Attribute),
    trial=Classify(text=_TEXT),
    model=f"{_KINDS}.classifier:ClassifierModel",
    loading=Loading(
        table="MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
        auto_class="AutoModelForSequenceClassification",
        adapter_task="SEQ_CLS",
    ),
    transformer="encoder",
    white_box=f"{_BOXES}:ClassifierBox",
    task_type="text-classification",
    takes_noise=True,
)
TAGGER = Kind(
    name="tagger",
    title="token classifier",
    answers=(Tag,),
    trial=Tag(words=tuple(_TEXT.split())),
    model=f"{_KINDS}.tagger:TaggerModel",
    loading=Loading(
        table="MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
        auto_class="AutoModelForTokenClassification",
        adapter_task="TOKEN_CLS",
        unused=POOLER.pattern,
    ),
    transformer="encoder",
    task_type="token-classification",
)
ENCODER = Kind(
    name="encoder",
    title="sentence encoder",
    answers=(Embed,),
    trial=Embed(text=_TEXT),
    model=f"{_KINDS}.embedding:EncoderModel",
    loading=Loading(
        table="MODEL_MAPPING_NAMES",
        auto_class="AutoModel",
        adapter_task="FEATURE_EXTRACTION",
        unused=OTHER_HEADS.pattern,
    ),
    transformer="encoder",
    task_type="sentence-similarity",
)
VISION_LANGUAGE = Kind(
    name="vision_language",
    title="vision-language model",
    answers=(*CAUSAL.answers, MultimodalLoglikelihood, MultimodalGenerateUntil, AttributePicture),
    trial=_CONTINUED,
    model=f"{_KINDS}.vision_language:VisionLanguageModel",
    loading=Loading(
        table="MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
        auto_class="AutoModelForImageTextToText",
        adapter_task="CAUSAL_LM",
        has_processor=True,
    ),
    transformer="decoder",
    white_box=f"{_BOXES}:SeeingBox",
    task_type="image-text-to-text",
    takes_noise=True,
)
"""A causal language model that also reads pictures; `kind_of` says which of the two a checkpoint is."""
AUDIO_LANGUAGE = Kind(
    name="audio_language",
    title="language model that hears",
    answers=(*CAUSAL.answers, AudioLoglikelihood, AudioGenerateUntil, Transcribe, AttributeSound),
    trial=_CONTINUED,
    model=f"{_KINDS}.audio_language:AudioLanguageModel",
    loading=Loading(
        table="MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES", auto_class="AutoModelForSeq2SeqLM", has_processor=True
    ),
    transformer="decoder",
    white_box=f"{_BOXES}:CausalBox",
    task_type="audio-text-to-text",
    takes_noise=True,
)
"""A causal language model that also reads sounds: transformers lists it beside those of two stacks."""
CONTRASTIVE = Kind(
    name="contrastive",
    title="contrastive model of pictures and texts",
    answers=(MatchTexts,),
    trial=MatchTexts(image=_GREY, texts=("a river", "a road")),
    model=f"{_KINDS}.contrastive:ContrastiveModel",
    loading=Loading(
        table="MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES",
        auto_class="AutoModelForZeroShotImageClassification",
        has_processor=True,
    ),
    transformer="encoder",
    task_type="zero-shot-image-classification",
)
"""It says which text fits a picture (Radford et al., 2021): CLIP, SigLIP."""
SPEECH_RECOGNITION = Kind(
    name="speech_recognition",
    title="speech recogniser",
    answers=(Transcribe,),
    trial=Transcribe(audio=_SILENCE, language="en", max_tokens=1),
    model=f"{_KINDS}.speech:SpeechModel",
    loading=Loading(table="MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES", auto_class="AutoModelForSpeechSeq2Seq"),
    transformer="encoder-decoder",
    task_type="automatic-speech-recognition",
)
"""Its decoder writes what its encoder hears: Whisper, Moonshine."""
SPEECH_CTC = Kind(
    name="speech_ctc",
    title="speech recogniser without a decoder",
    answers=(Transcribe,),
    trial=Transcribe(audio=_SILENCE, language="en", max_tokens=1),
    model=f"{_KINDS}.ctc:CtcModel",
    loading=Loading(table="MODEL_FOR_CTC_MAPPING_NAMES", auto_class="AutoModelForCTC"),
    transformer="encoder",
    task_type="automatic-speech-recognition",
)
"""It gives each moment of a sound a letter or none (Graves et al., 2006): wav2vec2, HuBERT."""
VLLM = Kind(
    name="vllm",
    title="causal language model in vLLM",
    answers=(Loglikelihood, LoglikelihoodRolling, GenerateUntil),
    trial=_CONTINUED,
    opener=f"{_KINDS}.vllm:open_vllm",
    loading=Loading(table="MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", auto_class="AutoModelForCausalLM"),
    transformer="decoder",
)
"""A causal language model that vLLM computes; only where the user says so, with `--kind`."""
COMPLETIONS = Kind(
    name="completions",
    title="served model with token probabilities",
    answers=(Loglikelihood, LoglikelihoodRolling, GenerateUntil),
    trial=_CONTINUED,
    opener=_SERVED,
)
CHAT = Kind(
    name="chat",
    title="served chat model",
    answers=(GenerateUntil, MultimodalGenerateUntil, AudioGenerateUntil, Transcribe),
    trial=GenerateUntil(context=_TEXT, max_tokens=1),
    opener=_SERVED,
    is_chat=True,
)

_IN_ORDER = (
    CAUSAL,
    SEQ2SEQ,
    MASKED,
    CLASSIFIER,
    TAGGER,
    CONTRASTIVE,
    ENCODER,
    VISION_LANGUAGE,
    AUDIO_LANGUAGE,
    SPEECH_RECOGNITION,
    SPEECH_CTC,
)
"""An architecture that several kinds have is taken for the first of them."""


def loaded_kinds() -> Mapping[str, Kind]:
    """The kinds that transformers loads, by name: ours, then those of packages. Raises `PluginError`."""
    found = {kind.name: kind for kind in _IN_ORDER}
    return found | {kind.name: kind for kind in registry.kinds() if kind.loading and kind.name not in found}


def auto_classes() -> Mapping[str, str]:
    """transformers' class for each of `loaded_kinds`."""
    return {name: kind.loading.auto_class for name, kind in loaded_kinds().items() if kind.loading}


def loading(kind: str) -> Loading:
    """How transformers loads a kind. Raises `UnknownName` for one that it doesn't load."""
    found = registry.kind(kind).loading
    if found is None:
        raise UnknownName("kind of checkpoint", kind, loaded_kinds())
    return found
