"""Every entry-point group that the harness reads: what it holds, by which contract, and how that is checked.

A contract is named by `module:attribute` and imported when an object is held against it, so that the list costs nothing
to read, and may name what stands above it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import getattr_static
from types import MappingProxyType, ModuleType
from typing import Any, Literal

__all__ = ["FORMER", "GROUPS", "Group", "Held", "described", "groups_table"]

Held = Literal["class", "maker", "object", "objects", "package", "program"]
"""What stands behind an entry point.

`class`: called without arguments, it gives what fulfils the contract. `maker`: the same, called with arguments.
`object`: what fulfils the contract itself; `objects`: or several, listed or given by a callable. `package`: one with
data files. `program`: a module of a package that `python -m` runs.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An entry-point group: its `name`, what one thing in it is called (`noun`), and what must stand behind the name.

    `contracts` are classes or protocols, one of which what is registered must fulfil. `use` says to the author of
    a plug-in what becomes of it.
    """

    name: str
    noun: str
    holds: Held
    contracts: tuple[str, ...] = ()
    use: str

    def fault(self, found: Any) -> str | None:
        """Why the object behind an entry point can't be used, as the end of a sentence; None where it can."""
        match self.holds:
            case "package":
                return None if hasattr(found, "__path__") else f"is {described(found)}, not a package of data files"
            case "object":
                return self.made_fault(found)
            case "objects":
                return None if callable(found) or isinstance(found, list | tuple) else self.made_fault(found)
            case "class" | "maker" if isinstance(found, type):
                return self._nearest([_lack_of_class(found, contract) for contract in self._loaded()])
            case "maker" if callable(found):
                return None
        return f"is {described(found)}, not a class"

    def made_fault(self, made: Any) -> str | None:
        """Why an object doesn't fulfil the contract, as the end of a sentence; None where it does."""
        return self._nearest([_lack(made, contract) for contract in self._loaded()])

    def _loaded(self) -> Sequence[type]:
        return [_contract(name) for name in self.contracts]

    def _nearest(self, lacks: Sequence[tuple[int, str]]) -> str | None:
        """The contract that is missed by least."""
        missing, said = min(lacks)
        return said if missing else None


def _lack_of_class(found: type, contract: type) -> tuple[int, str]:
    if not _is_protocol(contract):
        return (
            (0, "") if issubclass(found, contract) else (1, f"is {described(found)}, not a subclass of {_of(contract)}")
        )
    # What is no method may be set when an object is made.
    return _without(described(found), contract, [name for name in _methods(contract) if not _has_method(found, name)])


def _lack(made: Any, contract: type) -> tuple[int, str]:
    if not _is_protocol(contract):
        return (0, "") if isinstance(made, contract) else (1, f"is {described(made)}, not a {_of(contract)}")
    absent = object()
    missing = [name for name in _members(contract) if getattr_static(made, name, absent) is absent]
    missing += [name for name in _methods(contract) if name not in missing and not _has_method(made, name)]
    return _without(described(made), contract, missing)


def _without(what: str, contract: type, missing: Sequence[str]) -> tuple[int, str]:
    return len(missing), f"is {what} without {' and '.join(sorted(missing))}, which a {_of(contract)} has"


def _has_method(found: Any, name: str) -> bool:
    member = getattr_static(found, name, None)
    return callable(member) or isinstance(member, classmethod | staticmethod)


def _is_protocol(contract: type) -> bool:
    return bool(getattr(contract, "_is_protocol", False))


def _members(contract: type) -> list[str]:
    """The public members of a protocol: its methods, properties and fields."""
    parts = [base for base in contract.__mro__ if base is not object]
    named = [name for base in parts for name in (*vars(base), *vars(base).get("__annotations__", {}))]
    return [name for name in dict.fromkeys(named) if not name.startswith("_")]


def _methods(contract: type) -> list[str]:
    return [name for name in _members(contract) if callable(getattr(contract, name, None))]


def _of(contract: type) -> str:
    return f"{contract.__module__}.{contract.__qualname__}"


@cache
def _contract(name: str) -> type:
    module, _, attribute = name.partition(":")
    contract: type = getattr(import_module(module), attribute)
    return contract


def described(found: Any) -> str:
    """What an object is, in a few words: `the class my_package.Rhymes`, `an object of the type int`."""
    if isinstance(found, type):
        return f"the class {_of(found)}"
    if isinstance(found, ModuleType):
        return f"the module {found.__name__}"
    return f"an object of the type {type(found).__name__}"


GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        group.name: group
        for group in (
            Group(
                name="harness.suites",
                noun="suite",
                holds="class",
                contracts=("harness.core.tasks:Suite",),
                use="named with `--suite`; part of a run without one",
            ),
            Group(
                name="harness.tasks",
                noun="task",
                holds="class",
                contracts=("harness.core.tasks:Task",),
                use="named with `--task`, by a suite or in a suite file; `harness.tasks.choices.MultipleChoice` and "
                "its siblings do most of it",
            ),
            Group(
                name="harness.task_types",
                noun="type of task",
                holds="object",
                contracts=("harness.suitefiles.task_types:TaskType",),
                use="`type: NAME` in a suite file",
            ),
            Group(
                name="harness.task_wrappers",
                noun="wrapper of tasks",
                holds="maker",
                contracts=("harness.core.tasks:Task",),
                use="called with a task, it gives another: `--task NAME:TASK`; if its second parameter is called "
                "`instrument`, that is what stands behind the `@` of `NAME@INSTRUMENT:TASK`",
            ),
            Group(
                name="harness.presets",
                noun="preset",
                holds="package",
                use="each of its YAML files is a preset, by its file's name",
            ),
            Group(
                name="harness.datasets",
                noun="data set",
                holds="objects",
                contracts=("harness.core.datasets:DataSet",),
                use="listed by `harness data list`; a task or a suite file names it",
            ),
            Group(
                name="harness.checkpoint_sources",
                noun="checkpoint source",
                holds="class",
                contracts=("harness.core.checkpoints:CheckpointSource",),
                use="asked what `--model` means",
            ),
            Group(
                name="harness.engines",
                noun="kind of model",
                holds="object",
                contracts=("harness.core.models:Kind",),
                use="what a checkpoint is: told by its folder, or with `--kind`",
            ),
            Group(
                name="harness.meters",
                noun="meter",
                holds="maker",
                contracts=("harness.core.meters:Meter",),
                use="called with `publish` and `region`; chosen with `--meter`",
            ),
            Group(
                name="harness.scorers",
                noun="scorer of toxicity",
                holds="class",
                contracts=("harness.core.scorers:TextScorer",),
                use="scores what a model writes; chosen with `--toxicity-model NAME`, where a folder of that name is "
                "`./NAME`",
            ),
            Group(
                name="harness.swaps",
                noun="exchange of names",
                holds="class",
                contracts=("harness.core.perturbations:Swap",),
                use="exchanges names in the questions of `counterfactual@SWAP:TASK`",
            ),
            Group(
                name="harness.perturbations",
                noun="perturbation",
                holds="class",
                contracts=("harness.core.perturbations:Perturbation",),
                use="takes part in `robustness` and every `robustness:TASK`",
            ),
            Group(
                name="harness.sample_perturbations",
                noun="perturbation of samples",
                holds="class",
                contracts=("harness.core.perturbations:SamplePerturbation",),
                use="what no edit of a text alone can be, such as another order of the options; takes part in every "
                "`robustness:TASK`",
            ),
            Group(
                name="harness.picture_perturbations",
                noun="perturbation of pictures",
                holds="class",
                contracts=("harness.core.perturbations:PicturePerturbation",),
                use="takes part in every `robustness:TASK` that asks about pictures",
            ),
            Group(
                name="harness.attributions",
                noun="attribution method",
                holds="class",
                contracts=("harness.core.attributions:AblationMethod", "harness.core.attributions:GradientMethod"),
                use="takes part in `explainability` and every `attribution:TASK`",
            ),
            Group(
                name="harness.apps",
                noun="app",
                holds="program",
                use="`leaderboard` is what `harness leaderboard` serves",
            ),
            Group(
                name="harness.boards",
                noun="writer of a board",
                holds="class",
                contracts=("harness.core.reports.boards:BoardWriter",),
                use="`leaderboard` is what `harness leaderboard --export` writes",
            ),
        )
    }
)
"""Every group, by name, in the order in which people ask for them."""

FORMER: Mapping[str, str] = MappingProxyType({"harness.probes": "harness.meters for a meter, harness.swaps for a swap"})
"""Groups that are read no more, and what took their place."""

_HELD: Mapping[Held, str] = MappingProxyType(
    {
        "class": "a class",
        "maker": "a class, or a callable",
        "object": "an object",
        "objects": "an object, or a list or a callable that gives several",
        "package": "a package",
        "program": "a module of a package that `python -m` runs",
    }
)


def groups_table() -> str:
    """All groups as a table in Markdown, for the documentation."""
    lines = ["| entry-point group | what it names | contract | use |", "|---|---|---|---|"]
    for group in GROUPS.values():
        contract = " or ".join(f"`{name.replace(':', '.')}`" for name in group.contracts) or "none"
        lines.append(f"| `{group.name}` | {_HELD[group.holds]} | {contract} | {group.use} |")
    return "\n".join(lines)
