"""What every task that a suite file declares is made from: its place in the file, its data and its metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from harness import data
from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError, HarnessError, TaskError, UnknownName
from harness.core.metrics import Metric
from harness.core.tasks import Sample, TaskSettings
from harness.suitefiles.declaration import Declaration
from harness.tasks.gold import refuse_doubt
from harness.tasks.options import TaskOptions
from harness.tasks.rows import RowTask, cluster_of
from harness.tasks.templates import cell_text

__all__ = ["EVALUATE", "DeclarationContext", "Declared", "WithoutData"]

EVALUATE = "evaluate:"
DATA_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".conll")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationContext:
    """Where a declaration stands, and what the user allows."""

    path: Path
    where: str
    options: TaskOptions
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """The `Task.definition` of a recorded run that the task is made from; empty where it is made from a file."""

    def place(self, field: str) -> str:
        """A field of the declaration, as errors name it."""
        return f"{self.path}: {self.where}.{field}"

    def data(self, declaration: Declaration, columns: Sequence[str]) -> DataSet | str:
        """The file that the declaration names, with the columns that it needs, or a built-in data set's name."""
        if not declaration.data.lower().endswith(DATA_SUFFIXES):
            try:
                return data.find(declaration.data).name
            except UnknownName as error:
                raise TaskError(
                    f"{error.place}: {error.problem}",
                    place=self.place("data"),
                    fix=f"Or name a file ending in {', '.join(DATA_SUFFIXES)}",
                ) from error
        file = self.path.parent / Path(declaration.data).expanduser()
        if not file.is_file():
            raise DataError(f"no such file: {file}", place=self.place("data"))
        return DataSet(
            name=declaration.name,
            title=str(file),
            source=data.FileSource(file),
            licence="the user's own",
            citation="",
            homepage="",
            columns=tuple(dict.fromkeys([*columns, *_optional(declaration)])),
        )

    def metrics(self, references: Sequence[str], allowed: Mapping[str, Metric]) -> tuple[Metric, ...]:
        """The metrics that the declaration lists: of those `allowed`, or from the library `evaluate`."""
        found: dict[str, Metric] = {}
        for index, reference in enumerate(references):
            metric = self._metric(reference, allowed, field := f"metrics[{index}]")
            if metric.name in found:
                raise TaskError(f"a metric named {metric.name} is listed already", place=self.place(field))
            found[metric.name] = metric
        return tuple(found.values())

    def _metric(self, reference: str, allowed: Mapping[str, Metric], field: str) -> Metric:
        if reference in allowed:
            return allowed[reference]
        if not reference.startswith(EVALUATE):
            unknown = UnknownName("metric for this type of task", reference, allowed)
            raise TaskError(f"{reference}: {unknown.problem}", place=self.place(field))
        # The library behind it takes seconds to import, which few suite files need.
        from harness.metrics.evaluate import load_metric

        try:
            return load_metric(
                self.located(reference),
                trust_metric_code=self.options.trust_metric_code,
                offline=self.options.offline,
            )
        except HarnessError as error:
            raise type(error)(error.problem, place=f"{self.place(field)}: {error.place}", fix=error.fix) from error

    def located(self, reference: str) -> str:
        """The reference without its prefix; a script's path is told from the suite file's folder."""
        bare, mark, key = reference.removeprefix(EVALUATE).partition("#")
        return f"{self.path.parent / bare}{mark}{key}" if bare.endswith(".py") else f"{bare}{mark}{key}"

    def refuse_exemplars(self, declaration: Declaration, what: str) -> None:
        """Raises `TaskError` where a task that takes no exemplars declares some."""
        if declaration.num_fewshot:
            raise TaskError(f"{what} takes no exemplars", place=self.place("num_fewshot"), fix="Leave it out")

    def definition(self, declaration: Declaration) -> dict[str, Any]:
        """What decides the scores beside the data and the code of its metrics."""
        return {"declaration": declaration.model_dump(mode="json", exclude={"description", "limit", "num_fewshot"})}


class WithoutData(DeclarationContext):
    """For a task that is not to be run: its data file needn't be there."""

    @override
    def data(self, declaration: Declaration, columns: Sequence[str]) -> DataSet | str:
        return declaration.data


class Declared(RowTask):
    """What every kind of declared task takes from its declaration."""

    _declaration: Declaration
    _repeated: frozenset[str] = frozenset()

    def __init__(self, declaration: Declaration) -> None:
        self.name = declaration.name
        self._declaration = declaration

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """A gold column that can be read in two ways is refused, whichever rows are asked.

        Rows of a file that are alike in all that is read of them share a cluster, as asking twice tells nothing more.
        """
        counts = Counter(() if self._declaration.cluster else map(self._read_of, rows))
        self._repeated = frozenset(text for text, count in counts.items() if text and count > 1)
        if getattr(self._declaration, "gold_is", "text") is None:
            for index, row in enumerate(rows):
                self._refuse_doubt(row, f"{self._origin}, row {index + 1}")
        return super().samples(rows, settings)

    def gold_cells(self, row: Row) -> tuple[Sequence[Any], Sequence[str]]:  # noqa: ARG002
        """What of a row names right choices, and the choices; nothing by default."""
        return (), ()

    def _refuse_doubt(self, row: Row, place: str) -> None:
        try:
            cells, choices = self.gold_cells(row)
        except (DataError, KeyError):  # told where the row is asked
            return
        for cell in cells:
            try:
                refuse_doubt(cell, choices, getattr(self._declaration, "gold", ""))
            except DataError as error:
                raise DataError(error.problem, place=place, fix=error.fix) from error

    @override
    def sample_id(self, index: int, row: Row) -> str:
        column = self._declaration.id
        return cell_text(row, column) if column else str(index)

    @override
    def cluster(self, row: Row) -> str | None:
        if column := self._declaration.cluster:
            return cluster_of(cell_text(row, column))
        return cluster_of(text) if (text := self._read_of(row)) in self._repeated else None

    def _read_of(self, row: Row) -> str:
        """What is read of a file's row, but for its id; empty where the data are not a file of the user's."""
        columns = self.data.columns if isinstance(self.data, DataSet) else ()
        return repr([row.get(column) for column in columns if column != self._declaration.id]) if columns else ""


def _optional(declaration: Declaration) -> list[str]:
    return [column for column in (declaration.id, declaration.cluster) if column]
