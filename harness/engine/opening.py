"""The one door from a resolved checkpoint to the model that answers."""

from importlib import import_module
from typing import Any

from harness.checkpoints.loading.loader import Loader
from harness.core.checkpoints import Checkpoint
from harness.core.meters import Meter, NullMeter
from harness.core.models import KINDS, Model, ModelOptions
from harness.core.requests import Attribute
from harness.engine.attribution.model import AttributingModel
from harness.engine.devices import default_batch_tokens, resolve_device
from harness.engine.kinds.chat import ChatModel
from harness.engine.kinds.remote import REMOTE_KINDS, remote_model
from harness.engine.kinds.unembedded import Unembedded, unembedded_ids
from harness.engine.noise import Noiseless
from harness.engine.rendering import UNDATED

__all__ = ["loaded_model", "open_model"]


def open_model(
    checkpoint: Checkpoint,
    options: ModelOptions | None = None,
    *,
    meter: Meter | None = None,
    loader: Loader | None = None,
) -> Model:
    """Load the checkpoint and make it answer requests, whatever its kind.

    A `loader` that is kept shares the base of adapters; work is counted by the `meter`, if there is one. Raises
    `CheckpointError`, `InputError` for a chat of no chat or a device that isn't there.
    """
    options = options or ModelOptions()
    if checkpoint.kind in REMOTE_KINDS:
        return remote_model(
            checkpoint, apply_chat_template=options.apply_chat_template, system_prompt=options.system_prompt
        )
    device = resolve_device(options.device)
    loaded = (loader or Loader()).load(
        checkpoint, dtype=options.dtype, device=device, trust_remote_code=options.trust_remote_code
    )
    model = loaded_model(loaded, batch_tokens=options.batch_tokens or default_batch_tokens(device), meter=meter)
    if missing := unembedded_ids(loaded.tokenizer, loaded.model):
        model = Unembedded(model, loaded.tokenizer, missing)
    if options.apply_chat_template:
        model = ChatModel(model, loaded.tokenizer, options.system_prompt, today=options.chat_date or UNDATED)
    return model if loaded.tokenizer.is_fast else Noiseless(model)


def loaded_model(loaded: Any, *, batch_tokens: int, meter: Meter | None = None) -> Model:
    """A loaded checkpoint as the model of its kind, which explains its decisions where that kind makes any."""
    kind = loaded.checkpoint.kind
    # Each kind has a module of its own, imported when it is needed.
    module, name = _MODELS[kind]
    made = getattr(import_module(f"harness.engine.kinds.{module}"), name)
    model: Model = made(loaded, batch_tokens=batch_tokens, meter=meter or NullMeter())
    if Attribute not in KINDS[kind].answers:
        return model
    from harness.engine.attribution.boxes import white_box

    return AttributingModel(model, white_box(model))


_MODELS = {
    "causal": ("causal", "CausalModel"),
    "masked": ("masked", "MaskedModel"),
    "seq2seq": ("seq2seq", "Seq2SeqModel"),
    "classifier": ("classifier", "ClassifierModel"),
    "tagger": ("tagger", "TaggerModel"),
    "encoder": ("embedding", "EncoderModel"),
}
