"""Tasks and suites: what is asked, how answers are scored, and which dimension of judgement they serve."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from harness.core.checkpoints import Checkpoint
from harness.core.datasets import DataSet, Row
from harness.core.meters import Window
from harness.core.metrics import Metric
from harness.core.requests import Request, Response
from harness.core.scores import Estimate, Score

__all__ = [
    "AdaptWay",
    "Adapts",
    "Aggregate",
    "Disturbed",
    "Results",
    "Row",
    "Sample",
    "Suite",
    "Task",
    "TaskSettings",
    "Trains",
    "UsesCorpus",
    "UsesReference",
    "choose",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """How much of a task to run: `limit` samples (None: all), `num_fewshot` exemplars, and the run's seed.

    `multiturn` asks for exemplars that are turns of a chat (see `Sample.exemplars`). A task that doesn't know how
    leaves them in its prompts.
    """

    limit: int | None
    num_fewshot: int
    seed: int
    multiturn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One item of a task, ready to be asked.

    `id` is unique in its task and stable while the data are. `prompt` is the whole context with its exemplars, which
    end before the character `question_start`; `choices` the continuations to compare, without their leading space;
    `gold` the index of the right choice or the reference text. `cluster` names what the sample shares with others.
    `fields` holds whatever else the task needs to score it. `exemplars` are pairs of question and answer that stand
    before all that is asked about the sample, as turns of a chat; the prompt has none then, and its question starts it.
    """

    id: str
    prompt: str
    question_start: int = 0
    choices: tuple[str, ...] = ()
    gold: int | str | None = None
    cluster: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    exemplars: tuple[tuple[str, str], ...] = ()


AdaptWay: TypeAlias = Literal["lora"]
"""How a model can be trained on rows: by a small adapter."""


class Aggregate(Protocol):
    """What sums up several tasks of a run, such as a group of lm-eval's."""

    @property
    def suite(self) -> str:
        """That of its tasks."""
        ...

    @property
    def name(self) -> str:
        """Under which its estimates stand, where a task's name would."""
        ...

    @property
    def definition_sha256(self) -> str:
        """Digest of the tasks that it sums up, and how."""
        ...

    def estimates(self, planned: "Sequence[Task]", estimates: Sequence[Estimate], signature: str) -> Sequence[Estimate]:
        """What it makes of the estimates of all planned tasks; absent ones, with the reason, where it makes nothing."""
        ...


class Task(ABC):
    """One measurement on one data set: `samples`, the `requests` of a sample, and its `score`.

    The docstring of a task says what it measures, why it matters and where its limits are; it is shown by
    `harness tasks`. `version` goes up whenever a change of the code can change a score.
    """

    name: str
    version: int = 1
    data: DataSet | str | None = None
    """The data set whose rows `samples` gets, or its name in the catalogue; None for a task that brings its own."""
    languages: Sequence[str] = ("en",)
    data_digest: str | None = None
    """SHA-256 of what `samples` read, for a task that brings its own data; set by `samples`."""
    default_limit: int = 100
    default_num_fewshot: int = 0
    supports_fewshot: bool = True
    """Whether exemplars mean anything to the task; where not, `--num-fewshot` leaves it alone."""
    definition: Mapping[str, Any] = MappingProxyType({})
    """What decides the scores beside name and version, as JSON values; for tasks that a file declares."""
    metrics: Sequence[Metric] = ()
    aggregates: Sequence[Aggregate] = ()
    """What sums it up with the tasks that it was named together with."""
    asks: Sequence[type[Request]] = ()
    """The classes of its requests: what a model must be able to answer for the task to be defined for it."""
    executes_code: bool = False
    """Whether its scores come of running what the model wrote, which the user has to allow; see `harness.sandbox`."""

    @property
    def code(self) -> Sequence[type]:
        """The classes whose source files decide what is asked and how it is scored: its own, by default.

        A task that is made of others names theirs too.
        """
        return (type(self),)

    @property
    def scripts(self) -> Sequence[Path]:
        """Python files beside those of `code` that decide the scores and that the user named: of its metrics."""
        return [script for metric in self.metrics for script in metric.scripts]

    def refusal(self, checkpoint: Checkpoint) -> str | None:  # noqa: ARG002
        """Why the task has no meaning for a checkpoint whose kind can answer it, such as its labels; None if it has.

        Asked before any data are read, and never of a checkpoint that can't answer the requests of `asks`.
        """
        return None

    def suited(self, checkpoint: Checkpoint) -> "Task":  # noqa: ARG002
        """The task as this checkpoint is asked it, such as without a prompt that is made for others; itself by default.

        Asked before any data are read. `has_chat_template` says here whether prompts go through the template.
        """
        return self

    def as_recorded(self, definition: Mapping[str, Any]) -> "Task":  # noqa: ARG002
        """The task as a run with this `definition` asked it, where user or checkpoint had a say; itself by default.

        Called on a task that nobody else has. Raises `RecordError` for a definition that makes no sense.
        """
        return self

    @abstractmethod
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples to run. Raises `DataError` for rows that lack what the task needs."""

    @abstractmethod
    def requests(self, sample: Sample) -> Sequence[Request]:
        """What to ask the model about a sample."""

    def follow_up(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Request]:  # noqa: ARG002
        """What to ask next about a sample, given the responses to all that was asked so far; nothing by default.

        Asked again after each answer, until it gives nothing. It hangs on sample and responses alone.
        """
        return ()

    def variant(self, sample: Sample, position: int) -> str:  # noqa: ARG002
        """How the sample was changed for its request at this position, in a few words; empty for the sample as it is.

        It stands beside the request in the record, for people to lay variants side by side.
        """
        return ""

    @abstractmethod
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The scores of a sample from the responses to its requests, follow-ups last, in the order of the requests."""


@runtime_checkable
class Disturbed(Protocol):
    """A task with noise in its questions, which a suite file may choose."""

    def configured(
        self, *, severities: Sequence[int] | None = None, perturbations: Sequence[str] | None = None
    ) -> Task:
        """The task with these severities (1 to 5) and registered perturbations only; None leaves them as they are."""
        ...


@runtime_checkable
class UsesCorpus(Protocol):
    """A task that looks for its questions in a corpus of the user's."""

    def use_corpus(self, folder: Path) -> None:
        """Look in this folder from here on. Raises `InputError` where there is nothing to look in."""
        ...


@runtime_checkable
class UsesReference(Protocol):
    """A task that holds the model against a second one, the reference."""

    def use_reference(self, fingerprint: str) -> None:
        """Ask about the reference with this fingerprint from here on; it is a part of the task's definition."""
        ...


@runtime_checkable
class Adapts(Protocol):
    """A task that shows a model rows before it asks, and that can train it on them instead."""

    def adapted(self, way: AdaptWay) -> Task:
        """A task with the same questions and rows, for a model that is trained on the rows in this way."""
        ...


@runtime_checkable
class Trains(Protocol):
    """A task that has the model trained before it asks; `told_by` names the suite that tells what training costs."""

    told_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What is known once every task has been scored; suites derive further estimates from it."""

    scores: Mapping[tuple[str, str], Sequence[Score]]
    """Scores by (suite, task)."""
    estimates: Sequence[Estimate]
    windows: Sequence[Window]
    signature: str
    request_counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many requests each (suite, task) asks in all rounds, those that it shares with other tasks among them."""


class Suite(ABC):
    """One dimension of judgement: a list of tasks, and what can be derived from all results together.

    The docstring says what the suite measures and where its limits are; it is shown by `harness suites`.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    """What people call it, in English; its name where that is empty.

    `locale/LANGUAGE.yaml` beside the suite's module says it in another language, and whatever else the suite says.
    """
    report: ClassVar[str | None] = None
    """Its `harness.core.reports.SuiteReport`, as `module:Class`; None for that of any suite."""
    concerns_people: ClassVar[bool] = False
    """Whether a model card tells its score under ethical considerations, or that it wasn't measured."""
    tasks: ClassVar[Sequence[str]]
    """Names of tasks, each registered in the entry-point group `harness.tasks`."""
    headline: ClassVar[Sequence[tuple[str, str]]] = ()
    """Task and metric, for each task that enters the suite's one score, all of one unit; empty where a suite has none.

    See `harness.core.headlines`.
    """
    earlier_headlines: ClassVar[Sequence[Sequence[tuple[str, str]]]] = ()
    """What the headline was made of in earlier versions: records of theirs are still told whole by it."""

    derived: ClassVar[Mapping[tuple[str, ...], str]] = MappingProxyType({})
    """What the metrics that `derive` gives mean, by the names of those that share a text."""

    derives_of_tasks: ClassVar[bool] = False
    """Whether `derive` has something to say only where tasks of its dimension were asked, and not of any run."""

    repeated: ClassVar[str | None] = None
    """Its task that is answered again after all else, for the energy of a token alone; see `harness.run.metering`."""

    def further_metrics(self) -> "Sequence[tuple[str, Sequence[Metric]]]":
        """Metrics of its dimension that tasks beside its own can have, for its page, by what brings them."""
        return ()

    def brief(self, estimates: Sequence[Estimate]) -> Sequence[Estimate] | None:  # noqa: ARG002
        """Those of its estimates with a value that are told where there is little room; None for one a task."""
        return None

    def derive(self, results: Results) -> Sequence[Estimate]:  # noqa: ARG002
        """Estimates that need more than one task's scores, such as energy. None by default."""
        return ()


def choose(count: int, settings: TaskSettings, *, salt: str) -> tuple[list[int], list[int]]:
    """Which of `count` rows serve as exemplars, and which are evaluated, in the order of the data.

    Rows are ranked by a digest of the seed, `salt` (the task's name) and their index: the first `num_fewshot` are
    exemplars, the next `limit` are evaluated. So a larger limit contains a smaller one, no exemplar is ever
    evaluated, and nothing depends on how the data are sorted.
    """
    ranked = sorted(
        range(count),
        key=lambda index: hashlib.sha256(f"{settings.seed}:{salt}:{index}".encode()).digest(),
    )
    exemplars, rest = ranked[: settings.num_fewshot], ranked[settings.num_fewshot :]
    return exemplars, sorted(rest if settings.limit is None else rest[: settings.limit])
