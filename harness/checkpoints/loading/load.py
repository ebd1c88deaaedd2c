"""Loads an inspected checkpoint with transformers, and refuses one whose weights don't fit its architecture.

Importing this module imports torch and transformers; nothing else in the package does until a GGUF file is converted.
"""

import re
import warnings
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from harness.checkpoints.architectures import unused_tensors
from harness.checkpoints.headers import StoredTensor, stored_tensors
from harness.checkpoints.heads import OTHER_HEADS, POOLER
from harness.checkpoints.kinds import loading
from harness.checkpoints.labels import label_count
from harness.checkpoints.loading.dtypes import resolve_dtype
from harness.checkpoints.loading.held import held
from harness.checkpoints.loading.memory import DISK
from harness.checkpoints.loading.placement import WHOLE, Spread, admitted_rooms, placed, spread_arguments
from harness.checkpoints.loading.processing import read_processor, rehearsed_processor
from harness.checkpoints.loading.quantised import require_backend
from harness.checkpoints.loading.rehearsal import Rehearsal, rehearsal
from harness.checkpoints.loading.statelessness import forget_texts
from harness.checkpoints.loading.tokenizing import read_tokenizer
from harness.checkpoints.loading.weights import scan_tensors
from harness.checkpoints.remote_code import refuse_borrowed_code, refuse_remote_code
from harness.checkpoints.senses.hearing import Hearing, read_hearing
from harness.checkpoints.sentence import Recipe, read_recipe
from harness.checkpoints.vocabulary import check_tokenizer
from harness.core import registry
from harness.core.checkpoints import Checkpoint, Stamp
from harness.core.errors import CheckpointError, HarnessError, InputError
from harness.core.requests import Embed, Transcribe

__all__ = ["LoadedCheckpoint", "errors_named", "load_whole", "quiet", "refuse_incomplete"]

HARMLESS = re.compile(
    r"\.rotary_emb\.inv_freq$|\.masked_bias$|\.(attn|attention)\.bias$|(^|\.)embeddings\.(position|token_type)_ids$"
)
"""Buffers that old checkpoints store and new code computes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCheckpoint:
    """A checkpoint in memory, ready to answer: the model in evaluation mode, on its device and in its dtype.

    `max_length` is in tokens. `recipe` says how an encoder's vectors are made, `hearing` how sounds are read;
    `processor` prepares pictures or sounds for a model that also reads texts. `mapped` are the files that the weights
    are still read from, with what they were when they were opened.
    """

    checkpoint: Checkpoint
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    recipe: Recipe | None = None
    hearing: Hearing | None = None
    processor: Any = None
    mapped: Mapping[Path, Stamp] = field(default_factory=dict)


def load_whole(
    checkpoint: Checkpoint,
    *,
    dtype: str,
    device: str,
    trust_remote_code: bool = False,
    supplied: Collection[str] = (),
    spread: Spread = WHOLE,
) -> LoadedCheckpoint:
    """Load a checkpoint's model and tokenizer from its folder, never from the network.

    `dtype` is as `resolve_dtype` takes it, `device` as torch names it. Attention is transformers' default for the
    architecture. Python code that the checkpoint brings runs only if `trust_remote_code`. `supplied` names tensors that
    an adapter will put in place: they may be missing, and are random until it does. `spread` says which devices the
    weights go to; what is left on disk is read from there whenever it is used.

    Raises `CheckpointError` for weights that are NaN or infinite, tensors that are missing, unexpected or wrongly
    shaped, a tokenizer that doesn't fit, and whatever transformers can't load; `InputError` for a device that can't
    be used.
    """
    if not trust_remote_code:
        refuse_remote_code(checkpoint)
    require_backend(checkpoint)
    chosen = resolve_dtype(checkpoint, dtype, device=device)
    rooms = admitted_rooms(spread, checkpoint, chosen, device)
    with ExitStack() as stack:
        files = held(checkpoint.path, checkpoint.files, checkpoint.stamps, copying=DISK not in rooms)
        place = stack.enter_context(files)
        if trust_remote_code:
            refuse_borrowed_code(place.folder)
            _lead_to_the_rest(place.folder, checkpoint.path)
        tensors = stored_tensors(place.folder, checkpoint.files)
        with _trials(place.folder, checkpoint, tensors, trust_remote_code, supplied) as tried:
            scan_tensors(tensors.values())
            way = spread_arguments(spread, rooms, str(place.folder))
            tokenizer, model = _from_folder(place.folder, checkpoint, chosen, trust_remote_code, supplied, tried, way)
        processor = _processor(place.folder, checkpoint, trust_remote_code)
        answers = registry.kind(checkpoint.kind).answers
        recipe = read_recipe(place.folder) if Embed in answers else None
        hearing = read_hearing(place.folder) if Transcribe in answers and processor is None else None
        if DISK in placed(model, checkpoint, spread, rooms):
            weakref.finalize(model, stack.pop_all().close)  # its weights are read as long as it is there
    if chosen == "float16":
        _refuse_overflow(model, checkpoint)
    forget_texts(model)
    model = (_on_device(model, device) if spread.is_whole else model).eval()
    assert checkpoint.max_length is not None
    return LoadedCheckpoint(
        checkpoint=checkpoint,
        model=model,
        # A processor adds the tokens that stand for its media.
        tokenizer=tokenizer if processor is None else processor.tokenizer,
        max_length=checkpoint.max_length,
        recipe=recipe,
        hearing=hearing,
        processor=processor,
        mapped=place.mapped,
    )


def _trials(
    folder: Path,
    checkpoint: Checkpoint,
    tensors: Mapping[str, StoredTensor],
    trust_remote_code: bool,
    supplied: Collection[str],
) -> AbstractContextManager[Rehearsal]:
    """Code of the checkpoint's own is trusted, and so is what it builds."""
    return nullcontext(Rehearsal()) if trust_remote_code else rehearsal(folder, checkpoint, tensors, bool(supplied))


def _lead_to_the_rest(place: Path, folder: Path) -> None:
    """Code of the checkpoint's own may read any file of its folder."""
    for path in folder.iterdir():
        if not (place / path.name).exists():
            (place / path.name).symlink_to(path.resolve())


def _from_folder(
    folder: Path,
    checkpoint: Checkpoint,
    dtype: str,
    trust_remote_code: bool,
    supplied: Collection[str],
    tried: Rehearsal,
    way: Mapping[str, Any],
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    loader = getattr(transformers, loading(checkpoint.kind).auto_class)
    labelled = supplied and registry.kind(checkpoint.kind).gives_labels
    labels = {"num_labels": label_count(checkpoint.config)} if labelled else {}
    tried.model()
    with quiet(), errors_named(folder):
        model, info = loader.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            # So that the tensors at fault come back by name instead of in a log.
            ignore_mismatched_sizes=True,
            **labels,
            **way,
            local_files_only=True,
            trust_remote_code=trust_remote_code,
        )
    refuse_incomplete(info, folder, checkpoint.kind, supplied)
    tried.tokenizer()
    with quiet(), errors_named(folder):
        tokenizer = read_tokenizer(folder, trust_remote_code=trust_remote_code)
    check_tokenizer(tokenizer, model, folder)
    tokenizer.name_or_path = model.config._name_or_path = str(checkpoint.path)
    return tokenizer, model


def _processor(folder: Path, checkpoint: Checkpoint, trust_remote_code: bool) -> Any:
    """What prepares pictures or sounds; None for kinds that take texts alone."""
    if not loading(checkpoint.kind).has_processor:
        return None
    with nullcontext() if trust_remote_code else rehearsed_processor(folder) as tried:
        if tried:
            tried()
    with quiet(), errors_named(folder):
        processor = read_processor(folder, trust_remote_code=trust_remote_code)
    processor.tokenizer.name_or_path = str(checkpoint.path)
    return processor


def refuse_incomplete(
    info: Mapping[str, Any], place: Path, kind: str = "causal", supplied: Collection[str] = ()
) -> None:
    """Refuse a model whose tensors were not all in the files, for transformers fills the gaps with random numbers.

    `info` is what `from_pretrained(output_loading_info=True)` gives; it leaves out tied weights. Tensors that
    no answer of the `kind` depends on may be too many, such as the next-sentence head of a masked model; an encoder's
    pooler may be missing, too. Those that an adapter has `supplied` may be missing or of another shape, and other heads
    too many beside them. Raises `CheckpointError` naming the first tensor at fault.
    """
    unused = set(unused_tensors(kind, info["unexpected_keys"]))
    if supplied:
        unused |= {name for name in info["unexpected_keys"] if OTHER_HEADS.search(name)}
    embeds = Embed in registry.kind(kind).answers
    needless = set(supplied) | {name for name in info["missing_keys"] if embeds and POOLER.search(name)}
    faults = [
        *(f"{name} is missing" for name in sorted(info["missing_keys"]) if name not in needless),
        *(
            f"{name} has the shape {list(stored)}, where the architecture has {list(wanted)}"
            for name, stored, wanted in sorted(info["mismatched_keys"])
            if name not in supplied
        ),
        *(
            f"{name} is not part of the architecture"
            for name in sorted(info["unexpected_keys"])
            if not HARMLESS.search(name) and name not in unused
        ),
        *info["error_msgs"],
    ]
    if faults:
        others = f" (and {len(faults) - 1} more like it)" if len(faults) > 1 else ""
        raise CheckpointError(
            f"the weights don't fit config.json: {faults[0]}{others}",
            place=place,
            fix="Take config.json and the weights from the same checkpoint, whole",
        )


def _refuse_overflow(model: PreTrainedModel, checkpoint: Checkpoint) -> None:
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise CheckpointError(
                f"{name} has weights too large for float16",
                place=checkpoint.path,
                fix="Use --dtype bfloat16 or float32",
            )


def _on_device(model: PreTrainedModel, device: str) -> PreTrainedModel:
    try:
        return model.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"the model can't be put there ({_first_line(error)})",
            place=f"device {device}",
            fix="`harness doctor` lists the devices of this machine; a smaller dtype needs less memory",
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars, logs and warnings off the terminal for a while."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def errors_named(place: Path) -> Iterator[None]:
    """Turn whatever goes wrong inside of transformers into a `CheckpointError` with its first line."""
    try:
        yield
    except (HarnessError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic in the tokenizers library is no Exception
        raise CheckpointError(
            f"transformers {transformers.__version__} can't load it ({type(error).__name__}: {_first_line(error)})",
            place=place,
            fix="Check that the checkpoint is whole, and made for this version or an older one",
        ) from error


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
