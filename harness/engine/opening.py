"""The one door from a resolved checkpoint to the model that answers."""

from functools import partial
from pkgutil import resolve_name
from typing import Any

from harness.checkpoints.loading.loader import Loader
from harness.checkpoints.loading.placement import Spread
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import PluginError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Model, ModelOptions
from harness.core.requests import AudioLoglikelihood, Loglikelihood
from harness.engine.attribution.model import AttributingModel
from harness.engine.comparing.referred import ReferredModel
from harness.engine.devices import default_batch_tokens, resolve_device, settle_kernels
from harness.engine.kinds.chat import ChatModel, in_chat
from harness.engine.kinds.transcriber import Transcriber
from harness.engine.kinds.unembedded import Unembedded, unembedded_ids
from harness.engine.noise import Noiseless
from harness.engine.parallel.crew import Crew, present_crew
from harness.engine.parallel.leading import LeadingModel, follow
from harness.engine.senses.sense import mark_in_chats

__all__ = ["follow_leader", "loaded_model", "open_loaded", "open_model"]


def open_model(
    checkpoint: Checkpoint,
    options: ModelOptions | None = None,
    *,
    meter: Meter | None = None,
    loader: Loader | None = None,
) -> Model:
    """Load the checkpoint and make it answer requests, whatever its kind.

    A `loader` that is kept shares the base of adapters; work is counted by the `meter`, if there is one. Raises
    `CheckpointError`, `InputError` for a chat of no chat or a device that isn't there, `PluginError` for a kind that
    can't be opened.
    """
    kind = registry.kind(checkpoint.kind)
    try:
        opener = resolve_name(kind.opener)
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the kind of model can't be opened by {kind.opener}: {type(error).__name__}: {error}",
            place=kind.name,
            fix="Fix or uninstall the package that registers it",
        ) from error
    options, meter, loader = options or ModelOptions(), meter or NullMeter(), loader or Loader()

    def opened(checkpoint: Checkpoint, options: ModelOptions) -> Model:
        model: Model = opener(checkpoint, options, meter, loader)
        return model

    if options.tensor_parallel > 1:
        return LeadingModel(present_crew(options.tensor_parallel), checkpoint, options, opened)
    return opened(checkpoint, options)


def follow_leader(crew: Crew) -> None:
    """Compute what the leader of the crew says, until it has no more."""
    loader = Loader()

    def opened(checkpoint: Checkpoint, options: ModelOptions) -> Model:
        return open_loaded(checkpoint, options, NullMeter(), loader)

    follow(crew, opened)


def open_loaded(checkpoint: Checkpoint, options: ModelOptions, meter: Meter, loader: Loader) -> Model:
    """A checkpoint of a kind that transformers loads, beside the reference that it is held against, if there is one."""
    device = resolve_device(options.device)
    settle_kernels(device)
    spread = Spread(device_map=options.device_map, tensor_parallel=options.tensor_parallel)
    loaded = loader.load(
        checkpoint,
        dtype=options.dtype,
        device=device,
        trust_remote_code=options.trust_remote_code,
        spread=spread,
    )
    batch_tokens = options.batch_tokens or default_batch_tokens(device)
    model = _trainable(_outfitted(loaded, options, batch_tokens, meter), loaded, options, batch_tokens, meter)
    if options.reference is None:
        return model
    comparer = registry.kind(checkpoint.kind).comparer
    assert comparer is not None
    other = loader.load_reference(
        options.reference,
        dtype=options.reference_dtype,
        device=device,
        trust_remote_code=options.trust_remote_code,
        spread=spread,
    )
    # What the reference computes is no work of the model's, so no meter counts its tokens.
    reference = _outfitted(other, options, batch_tokens, NullMeter())
    both: Model = resolve_name(comparer)(loaded, other, batch_tokens=batch_tokens)
    missing = {**unembedded_ids(loaded.tokenizer, loaded.model), **unembedded_ids(loaded.tokenizer, other.model)}
    return ReferredModel(model, reference, Unembedded(both, loaded.tokenizer, missing) if missing else both)


def _outfitted(loaded: Any, options: ModelOptions, batch_tokens: int, meter: Meter) -> Model:
    """A loaded checkpoint as the model that answers, with its chat template where that is asked for."""
    model, kind = loaded_model(loaded, batch_tokens=batch_tokens, meter=meter), registry.kind(loaded.checkpoint.kind)
    if missing := unembedded_ids(loaded.tokenizer, loaded.model):
        model = Unembedded(model, loaded.tokenizer, missing)
    if options.apply_chat_template:
        model = _in_chat(model, loaded, options)
    if AudioLoglikelihood in kind.answers:
        model = Transcriber(model, predicts=True)
    return model if loaded.tokenizer.is_fast else Noiseless(model)


def _in_chat(model: Model, loaded: Any, options: ModelOptions) -> ChatModel:
    mark = mark_in_chats(loaded.processor, loaded.model.config, registry.kind(loaded.checkpoint.kind).answers)
    return in_chat(model, loaded.tokenizer, loaded.checkpoint, options, mark)


def _trainable(model: Model, loaded: Any, options: ModelOptions, batch_tokens: int, meter: Meter) -> Model:
    """The model, which can be trained before it is asked where its kind can be."""
    trainer = registry.kind(loaded.checkpoint.kind).trainer
    if trainer is None:
        return model

    chat = _in_chat(model, loaded, options) if options.apply_chat_template else None

    def asked(request: Loglikelihood) -> Loglikelihood:
        found = request if chat is None else chat.templated(request)
        assert isinstance(found, Loglikelihood)
        return found

    made: Model = resolve_name(trainer)(
        model,
        loaded,
        opened=partial(_outfitted, loaded, options, batch_tokens, meter),
        asked=asked,
        missing=unembedded_ids(loaded.tokenizer, loaded.model),
        meter=meter,
    )
    return made


def loaded_model(loaded: Any, *, batch_tokens: int, meter: Meter | None = None) -> Model:
    """A loaded checkpoint as the model of its kind, which explains its decisions where that kind makes any."""
    kind = registry.kind(loaded.checkpoint.kind)
    assert kind.model is not None
    model: Model = resolve_name(kind.model)(loaded, batch_tokens=batch_tokens, meter=meter or NullMeter())
    return AttributingModel(model, resolve_name(kind.white_box)(model)) if kind.white_box else model
