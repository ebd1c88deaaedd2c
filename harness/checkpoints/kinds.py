"""Our kinds of models: what each answers, what it is made of, and how transformers calls it."""

from harness.core.models import Kind
from harness.core.requests import (
    Attribute,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    PseudoLoglikelihood,
    Tag,
    TokenLoglikelihoods,
)

__all__ = ["CAUSAL", "CHAT", "CLASSIFIER", "COMPLETIONS", "ENCODER", "LOADERS", "MASKED", "SEQ2SEQ", "TAGGER"]

LOADERS = {
    "causal": ("MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "AutoModelForCausalLM"),
    "seq2seq": ("MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES", "AutoModelForSeq2SeqLM"),
    "masked": ("MODEL_FOR_MASKED_LM_MAPPING_NAMES", "AutoModelForMaskedLM"),
    "classifier": ("MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES", "AutoModelForSequenceClassification"),
    "tagger": ("MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES", "AutoModelForTokenClassification"),
    "encoder": ("MODEL_MAPPING_NAMES", "AutoModel"),
}
"""The kinds that transformers loads: its table of their architectures, and its class for them."""

_TEXT = "The river flows"
_CONTINUED = Loglikelihood(context=_TEXT, continuation=" on")
_KINDS, _BOXES = "harness.engine.kinds", "harness.engine.attribution.boxes"
_SERVED = f"{_KINDS}.remote:open_served"

CAUSAL = Kind(
    name="causal",
    title="causal language model",
    answers=(Loglikelihood, LoglikelihoodRolling, TokenLoglikelihoods, GenerateUntil, Attribute),
    trial=_CONTINUED,
    model=f"{_KINDS}.causal:CausalModel",
    white_box=f"{_BOXES}:CausalBox",
    takes_noise=True,
)
MASKED = Kind(
    name="masked",
    title="masked language model",
    answers=(Loglikelihood, PseudoLoglikelihood, Attribute),
    trial=PseudoLoglikelihood(text=_TEXT),
    model=f"{_KINDS}.masked:MaskedModel",
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
    task_type="token-classification",
)
ENCODER = Kind(
    name="encoder",
    title="sentence encoder",
    answers=(Embed,),
    trial=Embed(text=_TEXT),
    model=f"{_KINDS}.embedding:EncoderModel",
    task_type="sentence-similarity",
)
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
    answers=(GenerateUntil,),
    trial=GenerateUntil(context=_TEXT, max_tokens=1),
    opener=_SERVED,
)
