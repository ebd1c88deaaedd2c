"""What a run is, before it runs: everything that can change a score, and nothing else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from typing import Any, Literal

from harness.core.text.codec import Codec
from harness.core.text.hashing import SHORT, digest
from harness.core.training.point import TrainingPoint

__all__ = ["RunSpec", "TaskSpec", "run_id_of"]

_NO_PART_OF_THE_ID = ("model", "weights", "chat_date", "lineage", "step", "tags")
_UNSET = ("multiturn", "is_part")
"""What is in a task's part of the id only where it is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One task of a run.

    `requests_sha256` digests the ids of its requests, and so data, prompts and exemplars; `definition_sha256` what a
    task file says besides (metrics, gold answers); `code_sha256` the Python files of the task's class and of the user's
    scripts, with all user code that they import (see `harness.core.process.reachable`). `languages` are those of its
    texts, as ISO 639-1 codes, for people to choose by. `definition` is `Task.definition`: with it the task, and so its
    metrics, can be built again from the record; empty in records of earlier versions. `multiturn` says that its
    exemplars are turns of the chat because the user wanted it, and not because its own code makes them so. `is_part`
    says that it was asked about `sample_count` of the samples that its `limit` gives, drawn by the run's seed.
    """

    suite: str
    task: str
    version: int
    limit: int | None
    num_fewshot: int
    sample_count: int
    data_sha256: str | None
    requests_sha256: str
    definition_sha256: str
    code_sha256: str
    languages: tuple[str, ...] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)
    multiturn: bool = False
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A run's identity: the same spec on the same machine gives the same scores, byte for byte.

    `model` is the reference that the user gave, for people; the `fingerprint` is what counts. `versions` are those of
    the packages whose arithmetic enters a score. `code` digests the code of its suites and its meter, as
    `suite/NAME` and `meter/NAME`. `labels` and the languages are as in `Checkpoint`.
    `generation` are the settings for writing that are followed: the checkpoint's own, with those that the user put in
    their place, which `gen_kwargs` names; None where there are none.
    `fewshot_as_multiturn` and `system_prompt` are those of the chat, where there is one; `thinking` is what its
    template's switch was set to, None where it was left alone; `chat_date` is the day
    (YYYY-MM-DD) that its template was told, where it asks for one. It is in no id: a run goes on after midnight.
    `reference` is the checkpoint that this one is held against, where there is one: its `model` (for people),
    `fingerprint`, `kind` and `dtype`.
    `aggregates` are what sums up several tasks, by name, each with the SHA-256 of how.
    `weights` say what each suite counts in a score of the whole, where a suite file says so; like `model`, they change
    no score and are in no id.
    `lineage`, `step` and `tags` say where in its training the checkpoint was saved, as `TrainingPoint` has them; they
    too are in no id, and two runs that differ in them alone are one.
    `policy_sha256` is that of the policy whose decision ended the run; None for a run whose size was fixed.
    """

    model: str
    fingerprint: str
    kind: str
    tasks: tuple[TaskSpec, ...]
    suites: tuple[str, ...]
    seed: int
    dtype: str
    device: str
    batch_tokens: int
    apply_chat_template: bool
    fewshot_as_multiturn: bool = False
    system_prompt: str | None = None
    thinking: Literal["on", "off"] | None = None
    chat_date: str | None = None
    labels: tuple[str, ...] = ()
    source_language: str | None = None
    target_language: str | None = None
    generation: dict[str, Any] = field(default_factory=dict)
    gen_kwargs: dict[str, Any] | None = None
    reference: dict[str, str] | None = None
    meter: str
    region: str | None
    versions: dict[str, str]
    aggregates: dict[str, str] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    lineage: str | None = None
    step: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    policy_sha256: str | None = None

    @property
    def training(self) -> TrainingPoint:
        """Where in its training the checkpoint was saved, as far as that was said."""
        return TrainingPoint(lineage=self.lineage, step=self.step, tags=self.tags)

    @property
    def run_id(self) -> str:
        """The start of the spec's digest; the name of the run's folder."""
        return run_id_of(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "RunSpec":
        """The inverse of `to_json`. Raises `TypeError` or `ValueError` for anything else."""
        spec = _codec().decode(value)
        if spec.chat_date is not None:
            date.fromisoformat(spec.chat_date)
        return spec


@cache
def _codec() -> Codec[RunSpec]:
    return Codec(RunSpec)


def run_id_of(spec: Mapping[str, Any]) -> str:
    """The id of the run whose `spec.json` holds this value, also where another version of the harness wrote it."""
    told = {key: value for key, value in spec.items() if key not in _NO_PART_OF_THE_ID}
    # So that what was there before a switch keeps its id.
    for name in ("thinking", "gen_kwargs", "reference", "policy_sha256"):
        if told.get(name) is None:
            told.pop(name, None)
    if isinstance(reference := told.get("reference"), Mapping):
        told["reference"] = {key: value for key, value in reference.items() if key != "model"}
    if isinstance(told.get("tasks"), list | tuple):
        told["tasks"] = [_without_unset(task) for task in told["tasks"]]
    return digest(told)[:SHORT]


def _without_unset(task: Any) -> Any:
    if not isinstance(task, Mapping):
        return task
    return {key: value for key, value in task.items() if key not in _UNSET or value is not False}
