"""What a checkpoint calls its labels, by its config or by the user's word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, InputError

__all__ = ["config_labels", "label_count", "names_of", "with_labels"]

_UNNAMED = re.compile(r"LABEL_\d+")


def config_labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that `id2label` of a config gives, in the order of the model's outputs.

    None where it gives none, or only the LABEL_0, LABEL_1 and so on that transformers fills in.
    """
    listed = config.get("id2label")
    if not isinstance(listed, dict) or not listed:
        return ()
    try:
        ordered = [str(listed[key]) for key in sorted(listed, key=int)]
    except (TypeError, ValueError):
        return ()
    if all(_UNNAMED.fullmatch(name) for name in ordered):
        return ()
    return tuple(ordered)


def label_count(config: Mapping[str, Any]) -> int:
    """How many labels a config gives its model: two where it says nothing of them, as in transformers."""
    listed, count = config.get("id2label"), config.get("num_labels")
    if isinstance(listed, dict):
        return len(listed)
    return count if isinstance(count, int) else 2


def with_labels(checkpoint: Checkpoint, labels: Sequence[str]) -> Checkpoint:
    """The checkpoint with its labels named by the user, in the order of the model's outputs.

    Raises `InputError` for a checkpoint that gives no labels, an empty name, or the same one twice.
    """
    place = f"--labels {','.join(labels)}"
    if not registry.kind(checkpoint.kind).gives_labels:
        raise InputError(
            f"the checkpoint is of the kind {checkpoint.kind}, which gives no labels", place=place, fix="Leave it out"
        )
    if not all(name.strip() for name in labels) or len(set(labels)) < len(labels):
        raise InputError(
            "a name is empty or listed twice", place=place, fix="Give one name per label, separated by commas"
        )
    if (count := label_count(checkpoint.config)) != len(labels):
        raise _wrong_count(checkpoint, len(labels), count)
    return replace(checkpoint, labels=tuple(labels))


def names_of(checkpoint: Checkpoint, config: Any) -> tuple[str, ...]:
    """A loaded model's labels: the checkpoint's names, or LABEL_0, LABEL_1 and so on where it has none.

    Raises `CheckpointError` where there are more or fewer names than the model has labels, or one stands there twice.
    """
    count = int(config.num_labels)
    names = checkpoint.labels or tuple(f"LABEL_{index}" for index in range(count))
    if len(names) != count:
        raise _wrong_count(checkpoint, len(names), count)
    if len(set(names)) < len(names):
        raise CheckpointError(
            "id2label gives two labels the same name",
            place=checkpoint.path / "config.json",
            fix="Give them different names, there or with --labels",
        )
    return names


def _wrong_count(checkpoint: Checkpoint, given: int, wanted: int) -> CheckpointError:
    return CheckpointError(
        f"has {wanted} label{'s' if wanted > 1 else ''}, and {given} name{'s were' if given > 1 else ' was'} given",
        place=checkpoint.ref,
        fix="Name each, in the order of the model's outputs: --labels first,second,third",
    )
