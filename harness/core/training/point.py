"""Where a checkpoint stands in the training that made it, by its user's word or by that of the trainer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from harness.core.errors import InputError
from harness.core.text.hashing import MAX_INTEGER

__all__ = ["TrainingPoint", "said_point"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPoint:
    """`lineage` names the training run, `step` counts the updates that it had made, `tags` are whatever else tells its
    checkpoints apart. None of it can change a score; what nobody said is None or empty."""

    lineage: str | None = None
    step: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        """In a few words; empty where nothing is known."""
        step = "" if self.step is None else f"step {self.step:,}"
        named = [self.lineage or "", step, *(f"{key}={value}" for key, value in self.tags.items())]
        return ", ".join(filter(None, named))


def said_point(lineage: str | None, step: int | None, tags: Iterable[str]) -> TrainingPoint:
    """What a user says of a checkpoint; tags are texts such as `lr=3e-4`. Raises `InputError` for what is no text."""
    if lineage is not None and not _is_text(lineage):
        raise InputError("is no name", place="--lineage", fix="Give the training a name, in UTF-8")
    if step is not None and not 0 <= step <= MAX_INTEGER:
        raise InputError(f"must be from 0 to {MAX_INTEGER}", place=f"--step {step}")
    found: dict[str, str] = {}
    for text in tags:
        key, _, value = (part.strip() for part in text.partition("="))
        if not (_is_text(key) and _is_text(value)):
            raise InputError("is not KEY=VALUE", place=f"--tag {text!a}", fix="Write it as --tag lr=3e-4")
        if found.setdefault(key, value) != value:
            raise InputError(f"says {key} a second time", place=f"--tag {text}", fix="Give each key once")
    return TrainingPoint(lineage=lineage, step=step, tags=dict(sorted(found.items())))


def _is_text(text: str) -> bool:
    """Whether it says something that a record can hold: an argument of a command need not be UTF-8."""
    try:
        return bool(text.strip()) and bool(text.encode())
    except UnicodeEncodeError:
        return False
