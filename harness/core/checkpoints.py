"""What a resolved model reference is, and the contract of the sources that resolve one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Checkpoint", "CheckpointSource", "SourceOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What the user allows while a reference is resolved: the network, or the cache alone."""

    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model reference, resolved to a folder that transformers can load, inspected but not loaded.

    `ref` is what the user typed; `kind` what it is (`causal`); `files` the SHA-256 of every file that can change an
    answer, by name; `fingerprint` the digest of them all. `architecture` and `dtype` are the config's words.
    `parameter_count` and `size_bytes` are read from the headers of the weight files. `origin` says where the files came
    from (and what was done to them), for people.
    """

    ref: str
    kind: str
    path: Path
    origin: str
    architecture: str
    dtype: str
    parameter_count: int
    size_bytes: int
    max_length: int
    has_chat_template: bool
    files: Mapping[str, str]
    fingerprint: str
    notes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


class CheckpointSource(Protocol):
    """One place that checkpoints come from. Registered in the entry-point group `harness.checkpoint_sources`.

    Sources are asked in the order of `rank`, lowest first; the first that accepts a reference resolves it.
    """

    rank: int

    def accepts(self, ref: str) -> bool:
        """Whether this source understands the reference. Fast, and without the network."""
        ...

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:
        """The folder with the checkpoint's files, and the words that say where they came from.

        Raises `CheckpointError` if it isn't there or can't be used, `UnavailableError` if it can't be fetched.
        """
        ...
