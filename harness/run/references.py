"""What a run has beside its own checkpoint as it is: a second one, a corpus, and the same one trained."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.checkpoints import refuse_remote_code, resolve, resolve_dtype
from harness.checkpoints.loading.quantised import require_backend
from harness.checkpoints.loading.vocabularies import vocabulary_fault
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError
from harness.core.process.paths import public_name
from harness.core.references.requests import Divergence
from harness.core.reports.installed import known_suite
from harness.core.tasks import Adapts, AdaptWay, Task, Trains, UsesCorpus, UsesReference
from harness.run.options import EvalOptions
from harness.suitefiles.selection import PlannedTask, Selection

__all__ = [
    "find_reference",
    "recorded_reference",
    "referring_suites",
    "use_corpus",
    "use_reference",
    "with_adapted",
]

_FIX = "Name the model that this one was made from, or one of the same vocabulary"


def find_reference(checkpoint: Checkpoint, options: EvalOptions) -> Checkpoint | None:
    """The checkpoint that `--reference` names; None without one. Nothing of it is loaded.

    Raises `InputError` where either can't be held against another, or their vocabularies differ; else as `resolve`.
    """
    name = options.reference
    if name is None:
        return None
    place = f"--reference {name}"
    _refuse_kind(checkpoint, place, f"the model is of the kind {checkpoint.kind}")
    found = resolve(name, offline=options.offline, kind=options.kind)
    _refuse_kind(found, place, f"is of the kind {found.kind}")
    if not options.trust_remote_code:
        refuse_remote_code(found)
    require_backend(found)
    if fault := vocabulary_fault(checkpoint, found, trust_remote_code=options.trust_remote_code):
        raise InputError(fault, place=place, fix=_FIX)
    return found


def use_reference(tasks: Iterable[Task], reference: Checkpoint | None) -> None:
    """Tell the tasks which the reference is. Raises `InputError` where there is one, and no task asks about it."""
    if reference is None:
        return
    asking = [task for task in tasks if isinstance(task, UsesReference)]
    if not asking:
        raise _useless(f"--reference {reference.ref}", "holds the model against another one", referring_suites())
    for task in asking:
        task.use_reference(reference.fingerprint)


def use_corpus(tasks: Iterable[Task], folder: Path | None) -> None:
    """Tell the tasks where to look for their questions. Raises `InputError` where there is a corpus, and none looks."""
    if folder is None:
        return
    looking = [task for task in tasks if isinstance(task, UsesCorpus)]
    if not looking:
        raise _useless(f"--corpus {folder}", "looks for its questions in a corpus", _suites_with(UsesCorpus))
    for task in looking:
        task.use_corpus(folder)


def referring_suites() -> list[str]:
    """The installed suites with a task that holds the model against a second one."""
    return _suites_with(UsesReference)


def _suites_with(contract: type) -> list[str]:
    """The installed suites with a task that fulfils it."""
    installed = filter(None, map(known_suite, registry.names("harness.suites")))
    return [one.name for one in installed if any(isinstance(registry.task(each), contract) for each in one.tasks)]


def _useless(place: str, does: str, suites: Sequence[str]) -> InputError:
    """What is said of an option that no task has a use for."""
    having = " or ".join(f"--suite {name}" for name in suites) or "one that does"
    return InputError(f"none of the tasks asked for {does}", place=place, fix=f"Leave it out, or add {having}")


def recorded_reference(reference: Checkpoint | None, options: EvalOptions, device: str) -> dict[str, str] | None:
    """What a run's spec says of the reference."""
    if reference is None:
        return None
    return {
        "model": public_name(reference.ref),
        "fingerprint": reference.fingerprint,
        "kind": reference.kind,
        "dtype": resolve_dtype(reference, options.dtype, device=device),
    }


def _refuse_kind(checkpoint: Checkpoint, place: str, said: str) -> None:
    kind = registry.kind(checkpoint.kind)
    if refusal := kind.refusal(Divergence):
        raise InputError(f"{said}: {refusal}", place=place, fix="Leave it out")


def with_adapted(selection: Selection, way: AdaptWay | None) -> Selection:
    """The selection with a task of a trained model behind each that has one, where that is asked for.

    The suites that tell what training costs are in it, too. Raises `InputError` where a `way`
    is given, and none of the tasks has a use for it.
    """
    planned = tuple(_planned(selection, way))
    if way is not None and not any(isinstance(one.task, Adapts) for one in planned):
        raise _useless(f"--adapt {way}", "learns from a number of rows", _suites_with(Adapts))
    suites = {one.name: one for one in selection.suites}
    for one in planned:
        if isinstance(one.task, Trains) and one.task.told_by not in suites:
            suites[one.task.told_by] = registry.suite(one.task.told_by)
    return replace(selection, planned=planned, suites=tuple(suites.values()))


def _planned(selection: Selection, way: AdaptWay | None) -> Iterator[PlannedTask]:
    known = {one.task.name for one in selection.planned}
    for one in selection.planned:
        yield one
        if way is not None and isinstance(one.task, Adapts):
            other = one.task.adapted(way)
            if other.name not in known:
                yield replace(one, task=other)
