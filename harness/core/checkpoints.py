"""What a resolved model reference is, and the contract of the sources that resolve one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.core.options import option

__all__ = [
    "MULTILINGUAL_ROWS",
    "Checkpoint",
    "CheckpointSource",
    "EndpointOptions",
    "GenerationSettings",
    "SourceOptions",
    "Stamp",
]

MULTILINGUAL_ROWS = 51865
"""Rows of the embedding of Whisper's checkpoints of many languages; those of English alone have fewer."""

Stamp = tuple[int, ...]
"""What the file system says of a file, and changes with every write: device, inode, bytes, times in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """How a served model is asked; none of it can change an answer.

    `api_key_env` names the environment variable that holds the key. `concurrency` is how many requests are under way at
    once where the server keeps up with so many, `timeout_s` how long each may take. `energy_url` is where the energy of
    the server's machine is counted, if the server itself doesn't tell.
    """

    api_key_env: str = option("OPENAI_API_KEY", "Environment variable that holds the key of a served model.")
    concurrency: int = option(
        32, "Requests to a served model at once, at most: fewer where it can't keep up.", min=1, max=256
    )
    timeout_s: float = option(
        120.0, "Seconds that a served model may take for one answer.", "--request-timeout", min=0.1
    )
    energy_url: str | None = option(
        None,
        "Metrics in Prometheus's format that count the energy of a served model's machine, such as those of DCGM's "
        "exporter. The server's own are looked at anyway.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What the user allows while a reference is resolved: the network, or the cache alone."""

    offline: bool = False
    endpoint: EndpointOptions = EndpointOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSettings:
    """A checkpoint's own settings for writing that would change a text, by their names in transformers.

    `followed` are in force whenever it writes. `requested` are those in whose place a task's own count, `unfollowed`
    those that the engine can't follow, which make its texts differ from the checkpoint's usual ones.
    """

    followed: Mapping[str, Any] = field(default_factory=dict)
    requested: Mapping[str, Any] = field(default_factory=dict)
    unfollowed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model reference, resolved to a folder that transformers can load, inspected but not loaded.

    `ref` is what the user typed; `kind` what it is (`causal`); `files` the SHA-256 of every file that can change an
    answer, by name; `fingerprint` the digest of them all; `stamps` what the file system said of each
    while it was hashed, None where that says nothing. `architecture` and `dtype` are the config's words.
    `parameter_count` and `size_bytes` are read from the headers of the weight files, `bits_per_weight` is what a weight
    takes on disk (as it was published, where the files were converted since); the three, and `max_length`, are None for
    a model that is served elsewhere. `origin` says where the files came from (and what was done to them), for people.

    `labels` are the names of what a classifier or a tagger gives, in the order of its outputs, by the config or by the
    user's word; empty where nobody named them. `source_language` and `target_language` are codes of the tokenizer,
    where the user named them, for a model that translates between many languages.

    `adapter` is the folder of an adapter that is put over the model in `path`. `parent_fingerprint` is that of the
    checkpoint this one was made from: an adapter's base, or what the user says that a quantised one was made from.
    `generation` says how it writes.
    """

    ref: str
    kind: str
    path: Path
    origin: str
    architecture: str
    dtype: str
    parameter_count: int | None
    size_bytes: int | None
    max_length: int | None
    has_chat_template: bool
    files: Mapping[str, str]
    fingerprint: str
    stamps: Mapping[str, Stamp | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    source_language: str | None = None
    target_language: str | None = None
    bits_per_weight: float | None = None
    parent_fingerprint: str | None = None
    adapter: Path | None = None
    generation: GenerationSettings = GenerationSettings()

    @property
    def writes_many_languages(self) -> bool:
        """Whether it is a speech recogniser that has to be told which language is spoken."""
        rows = self.config.get("vocab_size")
        return self.config.get("model_type") == "whisper" and isinstance(rows, int) and rows >= MULTILINGUAL_ROWS


class CheckpointSource(Protocol):
    """One place that checkpoints come from. Registered in the entry-point group `harness.checkpoint_sources`.

    Sources are asked in the order of `rank`, lowest first; the first that accepts a reference resolves it.
    """

    rank: int

    def accepts(self, ref: str) -> bool:
        """Whether this source understands the reference. Fast, and without the network."""
        ...

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str] | Checkpoint:
        """The folder with the checkpoint's files, and the words that say where they came from.

        A source whose models are in no folder, but served, gives the checkpoint itself. Raises `CheckpointError` if it
        isn't there or can't be used, `UnavailableError` if it can't be fetched.
        """
        ...
