"""What a checkpoint must reach to pass: a YAML file of rules, written before the run."""

import hashlib
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.core.errors import HarnessError, InputError, UnknownName
from harness.core.process.paths import is_file
from harness.core.scores import OVERALL, SampleGroup
from harness.core.text.yamlfile import read_yaml

__all__ = ["KINDS", "Policy", "Rule", "read_policy", "templates"]

Kind = Literal["floor", "ceiling", "target", "non_inferior", "no_worse_group"]
Severity = Literal["block", "warn"]
Inconclusive = Literal["block", "warn", "pass"]

KINDS: Mapping[str, tuple[str, ...]] = {
    "floor": ("bound",),
    "ceiling": ("bound",),
    "target": ("margin",),
    "non_inferior": ("margin", "margin_percent"),
    "no_worse_group": ("margin",),
}
"""What each kind of rule is given one of."""


class Rule(BaseModel):
    """One requirement; see docs/gate.md. Without `task` it is on the suite's headline."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Kind
    name: str = Field(default="", max_length=200)
    suite: str
    task: str = OVERALL
    metric: str | None = None
    group: str | None = None
    attribute: str | None = None
    bound: float | None = Field(default=None, allow_inf_nan=False)
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    margin_percent: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    target: float | None = Field(default=None, allow_inf_nan=False)
    severity: Severity = "block"
    inconclusive: Inconclusive | None = None
    smallest_n: int | None = Field(default=None, ge=1)
    required: bool = True

    @property
    def place(self) -> str:
        """What the rule is on, in words."""
        named = "/".join(filter(None, (self.suite, self.task, self.metric)))
        return f"{named} [{self.group or self.attribute}]" if self.group or self.attribute else named

    @property
    def title(self) -> str:
        """Its name, or what it says; a warning says that it is one, as a rule that blocks may stand beside it."""
        return self.name or f"{self.kind} {self.place}" + (" (warns)" if self.severity == "warn" else "")

    @model_validator(mode="after")
    def _complete(self) -> "Rule":
        needs = KINDS[self.kind]
        given = [name for name in ("bound", "margin", "margin_percent") if getattr(self, name) is not None]
        if wrong := [name for name in given if name not in needs]:
            raise ValueError(f"a rule of the kind {self.kind} takes no {wrong[0]}, but {' or '.join(needs)}")
        if len(given) != 1:
            raise ValueError(f"a rule of the kind {self.kind} needs {' or '.join(needs)}" + ", not both" * bool(given))
        if self.kind == "no_worse_group" and (self.attribute is None or self.group is not None):
            raise ValueError("a rule of the kind no_worse_group needs attribute, such as sex, and no group")
        if self.kind != "no_worse_group" and self.attribute is not None:
            raise ValueError(f"a rule of the kind {self.kind} takes no attribute, but group, such as sex=female")
        if self.target is not None and self.kind != "target":
            raise ValueError("target belongs to rules of the kind target")
        if self.metric is None and self.task != OVERALL:
            raise ValueError("needs a metric beside its task")
        if self.group is not None:
            SampleGroup.parse(self.group)
        return self


class Policy(BaseModel):
    """Rules, and how sure the gate has to be.

    `confidence` is that of each one-sided bound. More than `largest_invalid_share` of samples that can't be used is an
    ERROR. A run of which less than the share `smallest_decided` of the rules is decided doesn't pass. `tasks` pins what
    was measured when the policy was written: `suite/task` and at least eight digits of the digest of its prompts; a run
    of anything else is an ERROR. `path` and `sha256` are those of the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1]
    name: str = Field(min_length=1, max_length=200)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    inconclusive: Inconclusive = "block"
    smallest_n: int = Field(default=30, ge=1)
    smallest_decided: float = Field(default=0.0, ge=0, le=1)
    largest_invalid_share: float = Field(default=0.01, ge=0, le=1)
    tasks: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]] = Field(default_factory=dict)
    rules: list[Rule] = Field(min_length=1)
    path: str = Field(default="", exclude=True)
    sha256: str = Field(default="", exclude=True)
    lines: list[int] = Field(default_factory=list, exclude=True)

    @property
    def needs_baseline(self) -> str | None:
        """The first rule that is against a baseline, by its title."""
        kinds = ("non_inferior", "no_worse_group")
        return next((rule.title for rule in self.rules if rule.kind in kinds and rule.required), None)

    def repinned(self, rule: Rule, made_of: Collection[str], prompts: Mapping[str, str]) -> str | None:
        """The first task that a rule's number is `made_of` and that was pinned with other prompts than these.

        Tasks are `suite/task`; a headline is made of all that are pinned of its suite.
        """
        whole = rule.task == OVERALL
        return next(
            (
                name
                for name, pinned in self.tasks.items()
                if name in made_of or (whole and name.startswith(f"{rule.suite}/"))
                if not prompts.get(name, "").startswith(pinned)
            ),
            None,
        )


def templates() -> dict[str, Path]:
    """The policies that come with the harness, by name."""
    folder = files("harness.decision") / "policies"
    return {path.stem: path for path in sorted(map(Path, map(str, folder.iterdir()))) if path.suffix == ".yaml"}


def read_policy(name: str) -> Policy:
    """The policy in the file, or the template, of that name.

    Raises `InputError` that names the file and the line or field, for unknown keys with the one that was meant.
    """
    known = templates()
    path = known[name] if name in known else Path(name)
    if name not in known and not is_file(path) and path.suffix not in (".yaml", ".yml"):
        raise UnknownName("policy file or template", name, known)
    try:
        value = read_yaml(path)
    except HarnessError as error:
        raise InputError(error.problem, place=error.place, fix=error.fix) from error
    content = path.read_bytes()
    lines = _lines(content.decode("utf-8-sig"))
    for key in ("path", "sha256", "lines"):
        if key in value:
            raise InputError(UnknownName("key", key, _keys(Policy)).problem, place=path)
    try:
        policy = Policy.model_validate(
            {**value, "path": str(path), "sha256": hashlib.sha256(content).hexdigest(), "lines": lines}
        )
    except ValidationError as error:
        raise _fault(error.errors()[0], path, lines) from error
    _check_contradictions(policy)
    return policy


def _lines(text: str) -> list[int]:
    """The line of each rule, from 1."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = [node for key, node in root.value if key.value == "rules"] if isinstance(root, yaml.MappingNode) else []
    if not entries or not isinstance(entries[0], yaml.SequenceNode):
        return []
    return [node.start_mark.line + 1 for node in entries[0].value]


def _fault(details: Any, path: Path, lines: list[int]) -> InputError:
    where, message, fix = details["loc"], details["msg"], None
    in_rule = len(where) > 1 and where[0] == "rules"
    if details["type"] == "extra_forbidden":
        message = UnknownName("key", str(where[-1]), _keys(Rule if in_rule else Policy)).problem
    elif details["type"] == "literal_error" and where[-1] == "kind":
        message = UnknownName("kind of rule", str(details["input"]), KINDS).problem
    elif details["type"] == "missing":
        message = "is missing"
        fix = "`harness policy init RUN` writes a whole policy"
    elif details["type"] == "value_error":
        message = str(details["ctx"]["error"])
    else:
        message = message.replace("Input should", "must").replace("valid ", "")
    field = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")
    line = f", line {lines[where[1]]}" if in_rule and where[1] < len(lines) else ""
    return InputError(message, place=f"{path}{line}: {field}" if field else path, fix=fix)


def _keys(model: type[BaseModel]) -> list[str]:
    return [name for name in model.model_fields if name not in ("path", "sha256", "lines")]


def _check_contradictions(policy: Policy) -> None:
    """Raises `InputError` where two rules can't both hold, or say the same thing twice."""
    before: list[Rule] = []
    for rule, line in zip(policy.rules, policy.lines, strict=True):
        place = f"{policy.path}, line {line}"
        if any(rule.title == one.title and (rule.name or one.name) for one in before):
            raise InputError(f"a second rule with the name {rule.title!r}", place=place, fix="Give it another name")
        for one in before:
            if one.place == rule.place:
                _check_pair(one, rule, place)
        before.append(rule)


def _check_pair(first: Rule, second: Rule, place: str) -> None:
    """Raises `InputError` for two rules on the same number that don't go together."""
    by_kind = {rule.kind: rule for rule in (first, second)}
    floor, ceiling = by_kind.get("floor"), by_kind.get("ceiling")
    if floor and ceiling and (floor.bound or 0) > (ceiling.bound or 0):
        raise InputError(
            f"contradictory rules on {second.place}: at least {floor.bound:g} and at most {ceiling.bound:g}",
            place=place,
            fix="Lower the floor or raise the ceiling",
        )
    if first.kind != second.kind:
        return
    if first.severity == second.severity:
        raise InputError(
            f"a second rule of the kind {second.kind} on {second.place}",
            place=place,
            fix="Keep one, or let the stricter one have `severity: warn`",
        )
    warns, blocks = sorted((first, second), key=lambda rule: rule.severity == "block")
    if _is_no_stricter(warns, blocks):
        raise InputError(
            f"the warning on {second.place} is not stricter than the blocking rule, so it can never warn first",
            place=place,
            fix="Make it stricter, or leave it out",
        )


def _is_no_stricter(warns: Rule, blocks: Rule) -> bool:
    """Whether whatever meets the rule that blocks meets the warning too; False where they can't be told apart."""
    for name, tighter in (
        ("bound", 1.0 if warns.kind == "floor" else -1.0),
        ("margin", -1.0),
        ("margin_percent", -1.0),
    ):
        soft, hard = getattr(warns, name), getattr(blocks, name)
        if soft is not None and hard is not None:
            return warns.target == blocks.target and tighter * (soft - hard) <= 0
    return False
