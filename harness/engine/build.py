"""From a resolved checkpoint to the model that a run asks."""

from importlib import import_module
from typing import Any

from harness.checkpoints.loading.loader import Loader
from harness.core.checkpoints import Checkpoint
from harness.core.meters import Meter
from harness.core.models import KINDS, Model
from harness.core.requests import Attribute
from harness.engine.attribution.model import AttributingModel
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.remote import REMOTE_KINDS, remote_model
from harness.engine.kinds.unembedded import Unembedded, unembedded_ids
from harness.engine.noise import Noiseless
from harness.engine.rendering import UNDATED

__all__ = ["build_model", "embedded_texts_only", "loaded_model", "model_class"]


def build_model(
    checkpoint: Checkpoint,
    *,
    dtype: str,
    device: str,
    batch_tokens: int,
    apply_chat_template: bool,
    trust_remote_code: bool,
    meter: Meter,
    loader: Loader | None = None,
    system_prompt: str | None = None,
    chat_date: str | None = None,
) -> Model:
    """Load the checkpoint and make it answer requests; a `loader` that is kept shares the base of adapters.

    The `system_prompt` begins every chat that a task doesn't make itself; `chat_date` is the day (YYYY-MM-DD) that it
    takes place on, for templates that ask.

    Raises `CheckpointError`, `InputError` for a chat of no chat.
    """
    if checkpoint.kind in REMOTE_KINDS:
        return remote_model(checkpoint, apply_chat_template=apply_chat_template, system_prompt=system_prompt)
    loader = loader or Loader()
    loaded = loader.load(checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code)
    model: Model = loaded_model(loaded, batch_tokens=batch_tokens, meter=meter)
    model = embedded_texts_only(model, loaded)
    if apply_chat_template:
        model = ChatModel(model, loaded.tokenizer, system_prompt, today=chat_date or UNDATED)
    return model if loaded.tokenizer.is_fast else Noiseless(model)


def embedded_texts_only(model: Model, loaded: Any) -> Model:
    """The model of a loaded checkpoint, kept from texts that hold a token without an embedding, if there are such."""
    missing = unembedded_ids(loaded.tokenizer, loaded.model)
    return Unembedded(model, loaded.tokenizer, missing) if missing else model


def loaded_model(loaded: Any, *, batch_tokens: int, meter: Meter) -> Model:
    """A loaded checkpoint as the model of its kind, which explains its decisions where that kind makes any."""
    kind = loaded.checkpoint.kind
    model: Model = model_class(kind)(loaded, batch_tokens=batch_tokens, meter=meter)
    if Attribute not in KINDS[kind].answers:
        return model
    from harness.engine.attribution.boxes import white_box

    return AttributingModel(model, white_box(model))


def model_class(kind: str) -> Any:
    """The class that answers for a kind, each in a module of its own, imported when it is needed."""
    module, name = _MODELS[kind]
    return getattr(import_module(f"harness.engine.kinds.{module}"), name)


_MODELS = {
    "causal": ("causal", "CausalModel"),
    "masked": ("masked", "MaskedModel"),
    "seq2seq": ("seq2seq", "Seq2SeqModel"),
    "classifier": ("classifier", "ClassifierModel"),
    "tagger": ("tagger", "TaggerModel"),
    "encoder": ("embedding", "EncoderModel"),
}
