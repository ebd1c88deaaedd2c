"""What tasks over rows share: which rows are asked, which serve as exemplars, and how both become a prompt."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from typing_extensions import override

from harness.core.datasets import DataSet
from harness.core.errors import DataError, TaskError
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose
from harness.core.text.hashing import SHORT, digest
from harness.tasks.exemplars import after_exemplars

__all__ = ["RowTask", "choose_evenly", "cluster_of", "sample_of"]


class RowTask(Task):
    """A task whose samples are rows, each read on its own.

    Exemplars are the same for every sample, so that all prompts of a task begin alike. `excluded` lists rows of a
    pinned data set that can't be scored, by index from 0, with the reason.
    """

    excluded: Mapping[int, str] = MappingProxyType({})

    @abstractmethod
    def sample(self, row: Row) -> Sample:
        """The row as a sample without exemplars, its id left empty. Raises `DataError` where it can't be scored."""

    def answer(self, sample: Sample) -> str:  # noqa: ARG002
        """The right answer, as an exemplar shows it. Raises `TaskError` where the task takes no exemplars."""
        raise TaskError("takes no exemplars", place=self.name, fix="Leave num_fewshot at 0")

    def sample_id(self, index: int, row: Row) -> str:  # noqa: ARG002
        """The id of a row's sample: its index."""
        return str(index)

    def cluster(self, row: Row) -> str | None:  # noqa: ARG002
        """What the row shares with others, such as its passage. None where it stands alone."""
        return None

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The chosen rows as samples, exemplars in front.

        Raises `DataError` naming the row that can't be used, `TaskError` where exemplars leave none to evaluate.
        """
        usable = [index for index in range(len(rows)) if index not in self.excluded]
        if not usable:
            raise DataError("has no row to evaluate", place=self._origin)
        shown, asked = choose(len(usable), settings, salt=self.name)
        if not asked:
            raise TaskError(
                f"{settings.num_fewshot} exemplars leave none of its {len(usable)} rows to evaluate",
                place=self.name,
                fix="Ask for fewer exemplars",
            )
        exemplars = [self._read(usable[rank], rows) for rank in shown]
        samples = [self._read(usable[rank], rows) for rank in asked]
        self._refuse_equal_ids(samples)
        return after_exemplars([(one.prompt, self.answer(one)) for one in exemplars], samples, settings)

    def _read(self, index: int, rows: Sequence[Row]) -> Sample:
        row, place = rows[index], f"{self._origin}, row {index + 1}"
        try:
            return replace(self.sample(row), id=self.sample_id(index, row), cluster=self.cluster(row))
        except KeyError as error:
            raise DataError(f"has no field {error.args[0]!r}", place=place, fix=f"It has {', '.join(row)}") from error
        except DataError as error:
            raise DataError(error.problem, place=place, fix=error.fix) from error

    @property
    def _origin(self) -> str:
        return self.data.title if isinstance(self.data, DataSet) else self.name

    def _refuse_equal_ids(self, samples: Sequence[Sample]) -> None:
        seen: set[str] = set()
        for sample in samples:
            if sample.id in seen:
                raise DataError(
                    f"two rows have the id {sample.id!r}", place=self._origin, fix="Give each row its own id"
                )
            seen.add(sample.id)


def sample_of(task: RowTask, row: Row) -> Sample:
    """A row of the task's data set as the task reads it, for whoever looks at all of them.

    Raises `DataError` as the task does, and `TaskError` for one that asks about rows which it makes of those.
    """
    try:
        return task.sample(row)
    except KeyError as error:
        raise TaskError(
            f"rows of its data set are looked at, and one has no field {error.args[0]!r}: the task makes rows of its "
            "own, or the data are damaged",
            place=task.name,
            fix="Use another task",
        ) from error


def cluster_of(*shared: str) -> str:
    """A short name for texts that samples share, such as a passage: equal texts, equal name."""
    return digest(shared)[:SHORT]


def choose_evenly(classes: Sequence[str], settings: TaskSettings, *, salt: str) -> list[int]:
    """Indices of rows to evaluate, in order: as many of each class as the limit allows, as `choose` ranks them.

    `classes` has the class of each row. What a small class lacks is not made up by others, and a larger limit contains
    a smaller one.
    """
    names = sorted(set(classes))
    chosen: list[int] = []
    for rank, name in enumerate(names):
        members = [index for index, one in enumerate(classes) if one == name]
        limit = settings.limit
        if limit is not None:
            limit = limit // len(names) + (rank < limit % len(names))
        _, kept = choose(len(members), replace(settings, limit=limit, num_fewshot=0), salt=f"{salt}:{name}")
        chosen += (members[index] for index in kept)
    return sorted(chosen)
