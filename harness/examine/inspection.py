"""What can be known of a checkpoint without loading it, and which suites and tasks have a meaning for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.checkpoints import resolve, resolve_dtype
from harness.checkpoints.chat_templates import chat_template_digest, template_folder
from harness.checkpoints.geometry import embedding_rows
from harness.checkpoints.labels import label_count
from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.loading.memory import bytes_in_bits, rooms_here, told_fit, weight_bytes
from harness.checkpoints.remote_code import carries_code
from harness.core import registry
from harness.core.checkpoints import Checkpoint, EndpointOptions
from harness.core.models import Kind
from harness.core.tasks import Suite
from harness.run.work import applicable
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions

__all__ = ["Inspection", "TaskVerdict", "inspect_checkpoint", "kinds_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskVerdict:
    """Whether a task of a suite has a meaning for the checkpoint; `reason` says why it hasn't, None where it has."""

    suite: str
    task: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A checkpoint with what follows from it.

    `computed_dtype` is what it is computed in on a processor. `memory_bytes` are an estimate: what its weights take in
    that format; passing texts through it needs more, the more tokens at once. `memory_by_bits` are those of other
    widths (32, 16, 8 and 4 bits), and `fits` says in words whether this machine holds them, and what would.
    `bits_per_weight` are those on disk. All are None for a served model. `chat_template_sha256` is None where there is
    no template. `deriving` are the suites that say something of the run as a whole, such as its energy, whatever the
    kind. `remote_code` names the files that would have Python of the checkpoint's own run.
    """

    checkpoint: Checkpoint
    computed_dtype: str
    memory_bytes: int | None
    memory_by_bits: Mapping[int, int]
    fits: str | None
    bits_per_weight: float | None
    vocabulary_size: int | None
    chat_template_sha256: str | None
    tasks: Sequence[TaskVerdict]
    deriving: Sequence[str]
    remote_code: Sequence[str]

    def described(self) -> Mapping[str, object]:
        """All of it as JSON values, in the order in which people read it."""
        one = self.checkpoint
        return {
            "model": one.ref,
            "kind": one.kind,
            "kind_title": registry.kind(one.kind).title,
            "architecture": one.architecture,
            "origin": one.origin,
            "folder": None if one.dtype == SERVED else str(one.adapter or one.path),
            "parameter_count": one.parameter_count,
            "dtype": one.dtype,
            "computed_dtype": self.computed_dtype,
            "size_bytes": one.size_bytes,
            "bits_per_weight": self.bits_per_weight,
            "memory_bytes": self.memory_bytes,
            "memory_by_bits": {str(bits): size for bits, size in self.memory_by_bits.items()},
            "fits": self.fits,
            "max_length": one.max_length,
            "vocabulary_size": self.vocabulary_size,
            "labels": list(one.labels),
            "label_count": label_count(one.config) if registry.kind(one.kind).gives_labels else None,
            "chat_template_sha256": self.chat_template_sha256,
            "fingerprint": one.fingerprint,
            "parent_fingerprint": one.parent_fingerprint,
            "remote_code": list(self.remote_code),
            "files": dict(one.files),
            "notes": list(one.notes),
            "deriving_suites": list(self.deriving),
            "tasks": [
                {"suite": verdict.suite, "task": verdict.task, "reason": verdict.reason} for verdict in self.tasks
            ],
        }


def inspect_checkpoint(
    ref: str,
    *,
    offline: bool = False,
    kind: str | None = None,
    base: str | None = None,
    endpoint: EndpointOptions | None = None,
) -> Inspection:
    """Resolve a checkpoint and say what it is; no weight is loaded and no code of its own is run.

    The arguments are those of `resolve`. Raises what that does.
    """
    checkpoint = resolve(ref, offline=offline, kind=kind, base=base, endpoint=endpoint)
    dtype = resolve_dtype(checkpoint, "auto")
    stored, count = checkpoint.size_bytes, checkpoint.parameter_count
    memory = stored if count is None else weight_bytes(checkpoint, dtype)
    bits = checkpoint.bits_per_weight
    if bits is None and stored is not None and count:
        bits = 8 * stored / count
    selection = select([], [], limit=None, num_fewshot=None, seed=0, options=TaskOptions(offline=offline))
    _, skipped = applicable(selection.planned, checkpoint)
    reasons = {(one.planned.suite, one.planned.task.name): one.reason for one in skipped}
    return Inspection(
        checkpoint=checkpoint,
        computed_dtype=dtype,
        memory_bytes=memory,
        memory_by_bits=bytes_in_bits(checkpoint),
        fits=None if memory is None else told_fit(checkpoint, memory, rooms_here()),
        bits_per_weight=bits,
        vocabulary_size=embedding_rows(checkpoint.config, {}),
        chat_template_sha256=chat_template_digest(template_folder(checkpoint))
        if checkpoint.has_chat_template
        else None,
        tasks=[
            TaskVerdict(suite=one.suite, task=one.task.name, reason=reasons.get((one.suite, one.task.name)))
            for one in selection.planned
        ],
        remote_code=[name for name, _ in carries_code(checkpoint.path, dict(checkpoint.config))],
        deriving=[suite.name for suite in selection.suites if _derives(suite)],
    )


def kinds_table() -> str:
    """Which suite has how many of its tasks defined for which kind of checkpoint, as a table in Markdown.

    `derived` is a suite without a task for the kind that still says something of the run as a whole.
    """
    kinds = registry.kinds()
    lines = [
        "| suite | " + " | ".join(kind.name for kind in kinds) + " |",
        "|---|" + "---|" * len(kinds),
    ]
    for name in registry.names("harness.suites"):
        suite = registry.suite(name)
        lines.append(f"| `{name}` | " + " | ".join(_cell(suite, kind) for kind in kinds) + " |")
    return "\n".join(lines)


def _cell(suite: Suite, kind: Kind) -> str:
    tasks = [registry.task(name) for name in suite.tasks]
    count = sum(not any(kind.refusal(asked) for asked in task.asks) for task in tasks)
    if count == len(tasks):
        return "all"
    if count:
        return f"{count} of {len(tasks)}"
    return "derived" if _derives(suite) else "none"


def _derives(suite: Suite) -> bool:
    """Whether the suite says something of a run as a whole, beside its tasks."""
    return type(suite).derive is not Suite.derive and not suite.derives_of_tasks
