"""What a suite brings to the places where people read: its worries, its figures, and how its samples are shown.

A suite names its `SuiteReport` by `Suite.report`. It is loaded when a report or the leaderboard is made, no earlier, so
it may import charts and `harness.report`. No score and no run id depends on it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from harness.core.scores import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PERFORMANCE", "Drawing", "Evidence", "ReportedRun", "SuiteReport", "Weight", "Wording", "Worry"]


class Weight(IntEnum):
    """How much a worry weighs, the heaviest first."""

    DECIDED = 0
    """By a gate, or against a baseline."""
    UNUSABLE = 1
    """What was measured is not all that was asked."""
    SHOWN = 2
    """A test tells it."""
    OPEN = 3
    """The data can't tell."""
    NOTE = 4
    """About how it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worry:
    """One sentence; of what a test tells, `p_value` is the test's."""

    text: str
    weight: Weight
    p_value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure before anyone decides where it is shown.

    `draw` is called with `theme` and `language`, and gives a chart of `harness.charts` or another of Altair, with a
    title; its arguments hold all that it shows. `rows` are the estimates in it, for those who can't see it; `table` is
    what it shows where that is no estimates. `width` is its share of a page's width. The leaderboard shows every
    drawing, a report those that are worth `paper`.
    """

    draw: "partial[Any]"
    caption: str
    rows: Sequence[Estimate] = ()
    table: "pd.DataFrame | None" = None
    width: float = 1.0
    paper: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Towards which provisions a suite's scores are evidence, and because of what.

    `nist` names subcategories of the NIST AI Risk Management Framework 1.0, `ai_act` articles of Regulation (EU)
    2024/1689. Scores are evidence towards a provision; they never show that a system complies with it.
    """

    nist: str
    ai_act: str
    why: str


PERFORMANCE = Evidence(
    nist="MEASURE 2.3, 2.5", ai_act="Art. 15(1), 15(3), 13(3)(b)(ii)", why="declared levels of performance"
)
"""What any suite is evidence towards that measures how well a model does its work."""


class Wording(Protocol):
    """Says things in the reader's language: by the catalogue of the suite, then by those of the harness."""

    @property
    def language(self) -> str:
        """Its code, such as `zh`."""
        ...

    def __call__(self, sentence: str, **fields: object) -> str:
        """The sentence in this language, its `{name}` places filled; in English where no catalogue has it."""
        ...

    def reason(self, text: str) -> str:
        """Why a score is absent, or how its interval was made."""
        ...

    def metric(self, name: str) -> str:
        """What people call a metric; the name by which records know it where there is no other."""
        ...

    def task(self, suite: str, name: str) -> str:
        """What people call a task of a suite; the name by which records know it where there is no other."""
        ...

    def attribute(self, name: str) -> str:
        """What people call that by which samples are grouped, such as `sex`, or a crossing of several."""
        ...

    def interval(self, low: float | None, high: float | None) -> str:
        """Both ends of an interval; empty where there is none."""
        ...


class ReportedRun(Protocol):
    """A run, as a suite may look at it."""

    @property
    def model(self) -> str:
        """What people call the checkpoint."""
        ...

    @property
    def estimates(self) -> Sequence[Estimate]:
        """All estimates of the run, in its order."""
        ...

    @property
    def scores(self) -> "pd.DataFrame":
        """One row a sample and metric; no row where the record is not at hand."""
        ...

    @property
    def samples(self) -> "pd.DataFrame":
        """One row a request; no row where the record is not at hand."""
        ...


class SuiteReport:
    """What a suite brings to reports and to the leaderboard. By default nothing, and the harness shows its groups."""

    order: ClassVar[int] = 100
    """Where it stands among the suites of a list, the lowest first, then by name."""
    evidence: ClassVar[Evidence | None] = None
    """Towards which provisions its scores are evidence."""
    samples_are_its_own: ClassVar[bool] = True
    """Whether its samples are shown; not where they are those of another suite, which shows them already."""
    note_on_samples: ClassVar[str] = ""
    """What a reader should know before samples are shown."""

    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:  # noqa: ARG002
        """What a reader should worry about, in the whole run: tasks of its kind may stand in any suite.

        Asked of every installed suite, also where a run has no task of it.
        """
        return iter(())

    @property
    def has_own_figures(self) -> bool:
        """Whether it draws something else than its groups."""
        return type(self).figures is not SuiteReport.figures

    def figures(self, run: ReportedRun, words: Wording) -> Iterable[Drawing] | None:  # noqa: ARG002
        """What is drawn of its scores; None for bars of its groups."""
        return None

    def beside(self, run: ReportedRun, words: Wording) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """What it says of tasks of other suites, as a task's name and a text that stands beside its scores there."""
        return iter(())

    def first_page(self, run: ReportedRun, words: Wording) -> Iterable[Drawing]:  # noqa: ARG002
        """What a hurried reader should see of its scores, on the first page of a report; nothing by default."""
        return ()
