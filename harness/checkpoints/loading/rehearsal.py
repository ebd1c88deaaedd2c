"""Builds what a checkpoint describes in a process apart, before this process does: without weights, under limits.

A config's number becomes a loop or an array in the code of some architecture, and a tokenizer's file a program. Nothing
may be built whose size the bytes that are there don't bear out, and no list of fields could say which those are.
"""

import math
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
import transformers
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import initialization

from harness.checkpoints.headers import StoredTensor
from harness.checkpoints.kinds import loading
from harness.checkpoints.labels import label_count
from harness.checkpoints.loading.confined import CPU_S, CPU_S_PER_MB, KILLED, MEMORY_BYTES, WAITED
from harness.checkpoints.loading.quantised import weight_count
from harness.checkpoints.loading.tokenizing import read_tokenizer
from harness.checkpoints.loading.trial import try_texts
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError
from harness.core.process.isolation import StepFailed, begun_apart
from harness.core.text.hashing import file_digest

T = TypeVar("T")

__all__ = [
    "CPU_S_PER_TENSOR",
    "Rehearsal",
    "done_apart",
    "rehearsal",
    "rehearsed_tokenizer",
    "size_limit",
    "too_large",
    "tried_apart",
]

CPU_S_PER_TENSOR = 0.01
QUICK = (".json", ".jinja", ".txt")
SLOW_CPU_S_PER_MB = 5
"""A vocabulary of SentencePiece's is turned into a tokenizer in Python, at about a second a megabyte."""
SLACK = 2
"""Times as many bytes a model may take as its weights in float32: there may be buffers beside them, such as masks."""
SLACK_BYTES = 64 << 20
WEIGHT_BYTES = 4
TOKENS = 16
UNREMARKABLE = 1024
USUAL = re.compile(r"position|length|max_seq|n_ctx|theta|token_id|image|video|audio")
"""Fields whose large numbers are those of texts or other media, not of what is made of a few tokens."""
FEW_LETTERS = 300
"""Of a text for a tokenizer that is written in Python, where a long word takes time with the square of its length, and
for a tokenizer.json, which was tried by itself before."""
FIX = "Take the checkpoint from its publisher again, or choose another"


_sound: set[tuple[object, ...]] = set()
"""What this process has tried and found sound: checkpoints of one training differ in their weights alone."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What waits for the trial of each: it must have come to a good end before the same is built in earnest.

    Each raises `CheckpointError`. By default there is nothing to wait for.
    """

    model: Callable[[], None] = _nothing
    tokenizer: Callable[[], None] = _nothing


@contextmanager
def rehearsal(
    folder: Path, checkpoint: Checkpoint, tensors: Mapping[str, StoredTensor], supplied: bool
) -> Iterator[Rehearsal]:
    """Trials, beside what the block does, of whether a checkpoint's tokenizer and model can be built.

    Refused is what would take more time or memory to build than the checkpoint's files bear out. `folder` holds these
    files, `tensors` are those in them; `supplied` is as in `load_whole`.
    """
    _import_early(checkpoint)
    limit_bytes = size_limit(weight_count(checkpoint.config, tensors))
    labels = label_count(checkpoint.config) if supplied and registry.kind(checkpoint.kind).gives_labels else None
    reading = _is_odd(checkpoint.config, tensors)
    building = tried_apart(
        partial(_build, folder, checkpoint.kind, labels, limit_bytes, reading=reading),
        folder / "config.json",
        int(CPU_S + CPU_S_PER_TENSOR * len(tensors)),
        f"the model that it describes{_largest(checkpoint.config)}",
        of=(_digests(folder), checkpoint.kind, labels, limit_bytes, reading),
    )
    with rehearsed_tokenizer(folder) as tokenizer, building as model:
        yield Rehearsal(model=model, tokenizer=tokenizer)


def rehearsed_tokenizer(folder: Path) -> AbstractContextManager[Callable[[], None]]:
    """The trial of a tokenizer, of whatever class: it may take too long or too much memory to build or for some texts.

    What waits for it raises `CheckpointError`.
    """
    cpu_s = float(CPU_S)
    for path in folder.iterdir():
        if path.is_file() and path.suffix != ".safetensors":
            cpu_s += path.stat().st_size / 1e6 * (CPU_S_PER_MB if path.suffix in QUICK else SLOW_CPU_S_PER_MB)
    return tried_apart(partial(_read_texts, folder), folder, int(cpu_s), "the tokenizer", of=(_digests(folder),))


def _digests(folder: Path) -> tuple[tuple[str, str], ...]:
    """The name and the SHA-256 of each file but those of weights."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors")
    return tuple((str(path.relative_to(folder)), file_digest(path)) for path in files)


@contextmanager
def tried_apart(
    step: Callable[[], str | None], place: Path, cpu_s: int, what: str, of: tuple[object, ...] | None = None
) -> Iterator[Callable[[], None]]:
    """Run a step in a copy of this process, beside the block, with `cpu_s` seconds and 2 GB for it.

    The block is given what waits for its end, and raises `CheckpointError`, which begins with `what`, if the step says
    what is wrong. What the step raises is left to whoever does the same in earnest. Where `of` is all that the step
    hangs on, it is tried once a process if that is sound. Only Linux can copy a process safely; elsewhere nothing is
    tried.
    """
    if sys.platform != "linux" or (of is not None and (what, *of) in _sound):
        yield _nothing
        return
    with done_apart(step, place, cpu_s, MEMORY_BYTES, what) as result:

        def wait() -> None:
            with suppress(StepFailed):
                told = result()
                if told is not None:
                    raise CheckpointError(f"{what} {told}", place=place, fix=FIX)
                if of is not None:
                    _sound.add((what, *of))

        yield wait


@contextmanager
def done_apart(
    step: Callable[[], T], place: Path, cpu_s: int, memory_bytes: int, what: str
) -> Iterator[Callable[[], T]]:
    """Run a step in a copy of this process, beside the block, with bounds on its time and on the memory added.

    The block is given what waits for the result. That raises `CheckpointError`, which begins with `what`, where the
    copy dies of its bounds or of anything else, and `StepFailed` for what the step raises.
    """
    with begun_apart(partial(_limited, step, cpu_s, memory_bytes), timeout_s=WAITED * cpu_s) as result:

        def wait() -> T:
            try:
                return result()
            except StepFailed as failed:
                told = _ending(str(failed), cpu_s, memory_bytes)
                if told is None:
                    raise
                raise CheckpointError(f"{what} {told}", place=place, fix=FIX) from failed

        yield wait


def _ending(told: str, cpu_s: int, memory_bytes: int) -> str | None:
    if told.startswith(("died of SIGXCPU", "took more than")):
        return f"takes more than {cpu_s} seconds"
    if told.startswith("died of SIGKILL"):
        return KILLED
    if told.startswith("died of SIGABRT") or "MemoryError" in told or "allocate memory" in told:
        return f"takes more than {memory_bytes / 1e9:.0f} GB of memory"
    if told.startswith("died of"):
        return f"ends the process that reads it ({told.removeprefix('died of ')})"
    return None


def _limited(step: Callable[[], T], cpu_s: int, memory_bytes: int) -> T:
    import resource

    # What a library prints as it dies is no word to the user.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    mapped = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    for kind, limit in (
        (resource.RLIMIT_AS, mapped + memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        with suppress(ValueError, OSError):
            least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            # Beyond the lower limit of processor time comes a signal of its own; SIGKILL then means a lack of memory.
            resource.setrlimit(kind, (least, least + 1 if kind == resource.RLIMIT_CPU and least < hard else least))
    return step()


def _import_early(checkpoint: Checkpoint) -> None:
    """Import what the copies of this process need, so that it is imported once."""
    with suppress(Exception):  # a model of a type that transformers doesn't know is refused when it is loaded
        config = transformers.CONFIG_MAPPING[checkpoint.config["model_type"]]
        getattr(transformers, loading(checkpoint.kind).auto_class)._model_mapping[config]
        transformers.TOKENIZER_MAPPING[config]


def _read_texts(folder: Path) -> str | None:
    tokenizer = read_tokenizer(folder)
    return try_texts(
        lambda text: list(tokenizer(text)["input_ids"]),
        lambda ids: (tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)),
        *(() if tokenizer.is_fast and not (folder / "tokenizer.json").exists() else (FEW_LETTERS,)),
    )


def _is_odd(config: Mapping[str, Any], tensors: Mapping[str, StoredTensor]) -> bool:
    """Whether a config has a number that may make much of a short text: large, and the size of no tensor."""
    sizes = {size for tensor in tensors.values() for size in tensor.shape}
    return any(
        value > UNREMARKABLE and value not in sizes and not USUAL.search(field)
        for field, value in _integers(config.items())
    )


def _build(folder: Path, kind: str, labels: int | None, limit_bytes: int, *, reading: bool) -> str | None:
    options = {} if labels is None else {"num_labels": labels}
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    with torch.device("meta"), initialization.meta_device_safe_creation_ops(), initialization.no_init_weights():
        model = getattr(transformers, loading(kind).auto_class).from_config(config, trust_remote_code=False)
    told = too_large(model, limit_bytes)
    return _read_tokens(model, limit_bytes) if told is None and reading else told


class _TooLarge(Exception):  # noqa: N818 - its message is what is wrong
    """An array on the way to an answer is larger than the files bear out."""


class _Watched(TorchDispatchMode):  # type: ignore[misc]
    """Raises `_TooLarge` for any array beyond so many bytes; without weights, its shape is known before it is made."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__()
        self.limit_bytes = limit_bytes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in pytree.tree_leaves(result):
            if isinstance(tensor, Tensor) and _bytes(tensor) > self.limit_bytes:
                raise _TooLarge(
                    f"makes an array of the shape {list(tensor.shape)} to read {TOKENS} tokens, which the weight files "
                    "don't bear out"
                )
        return result


def _read_tokens(model: nn.Module, limit_bytes: int) -> str | None:
    """What is wrong with what a model without weights does to a few tokens; None where it can't read without them."""
    tokens = torch.zeros((1, TOKENS), dtype=torch.long, device="meta")
    both = {"decoder_input_ids": tokens} if model.config.is_encoder_decoder else {}
    try:
        with torch.no_grad(), torch.device("meta"), _Watched(limit_bytes):
            model.eval()(input_ids=tokens, **both)
    except _TooLarge as error:
        return str(error)
    except Exception:  # some look at the numbers on their way, and there are none
        return None
    return None


def size_limit(weights: int) -> int:
    """How many bytes a model may take whose files hold so many weights."""
    return SLACK * WEIGHT_BYTES * weights + SLACK_BYTES


def too_large(model: nn.Module, limit_bytes: int, beside: Collection[int] = ()) -> str | None:
    """What is wrong with a model's size, by its parameters and buffers; those `beside`, by their ids, don't count."""
    named = (*model.named_parameters(), *model.named_buffers())
    arrays = {id(tensor): (name, tensor) for name, tensor in named if id(tensor) not in beside}
    size_bytes = sum(_bytes(tensor) for _, tensor in arrays.values())
    if size_bytes <= limit_bytes:
        return None
    name, largest = max(arrays.values(), key=lambda one: _bytes(one[1]))
    return (
        f"takes {size_bytes:,} bytes, which the weight files don't bear out: {name} alone would be of the shape "
        f"{list(largest.shape)}"
    )


def _bytes(tensor: Tensor) -> int:
    return int(math.prod(tensor.shape) * tensor.element_size())


def _largest(config: Mapping[str, Any]) -> str:
    """The largest whole number of a config, for people: what is out of all bounds is mostly that."""
    numbers = sorted((value, field) for field, value in _integers(config.items()))
    if not numbers:
        return ""
    value, field = numbers[-1]
    return f" (its largest number: {field}, {value:,})"


def _integers(fields: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, int]]:
    for field, value in fields:
        if type(value) is int:
            yield field, value
        elif isinstance(value, dict):
            yield from _integers(value.items())
        elif isinstance(value, list):
            yield from _integers((field, one) for one in value)
