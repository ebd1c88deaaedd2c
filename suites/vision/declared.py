"""Questions about a user's own pictures, which a suite file declares."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from typing_extensions import override

from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError
from harness.core.media import IMAGE, OBJECT, Medium
from harness.core.metrics import Metric
from harness.core.requests import MultimodalGenerateUntil, Request, with_media
from harness.core.tasks import Sample, TaskSettings
from harness.data.sources import FileSource
from harness.media.admission import admit
from harness.media.pictures import image_of
from harness.suitefiles.declaration import ChoiceFields, Text, WrittenFields
from harness.suitefiles.declared import DeclaredChoice
from harness.suitefiles.declared_written import DeclaredWritten
from harness.suitefiles.declaring import DeclarationContext
from harness.suitefiles.task_types import TaskType
from harness.tasks.templates import cell_text
from suites.vision.looking import Looking, grey, looked_metrics

__all__ = ["VISUAL_CHOICE", "VISUAL_WRITTEN", "DeclaredVisualChoice", "DeclaredVisualWritten"]


class VisualChoiceDeclaration(ChoiceFields):
    """`type: visual_choice`. `image` is the column with the name of a picture's file, told from the data file's folder.

    The picture stands before the prompt.
    """

    type: Literal["visual_choice"]
    image: Text


class VisualWrittenDeclaration(WrittenFields):
    """`type: visual_written`. `image` is as in `visual_choice`."""

    type: Literal["visual_written"]
    image: Text


class DeclaredVisualChoice(Looking, DeclaredChoice):
    """A multiple-choice task of a suite file about pictures; each question is asked with a grey picture, too."""

    offered: ClassVar[Sequence[Metric]] = looked_metrics()

    def __init__(self, declaration: VisualChoiceDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration, context)
        self._image = declaration.image
        context.refuse_exemplars(declaration, "a question about a picture")

    @override
    def sample(self, row: Row) -> Sample:
        return _with_path(super().sample(row), cell_text(row, self._image))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """With their pictures. Raises `DataError` naming the first that can't be used."""
        return [
            replace(sample, fields={"picture": medium, "grey": grey(image_of(medium).size), "groups": {}})
            for sample, medium in _with_pictures(super().samples(rows, settings), self.data)
        ]


class DeclaredVisualWritten(DeclaredWritten):
    """A task of a suite file about pictures whose answers are written."""

    asks: Sequence[type[Request]] = (MultimodalGenerateUntil,)
    supports_fewshot = False

    def __init__(self, declaration: VisualWrittenDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration, context)
        self._image = declaration.image
        context.refuse_exemplars(declaration, "a question about a picture")

    @override
    def sample(self, row: Row) -> Sample:
        return _with_path(super().sample(row), cell_text(row, self._image))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """With their pictures. Raises `DataError` naming the first that can't be used."""
        return [
            replace(sample, fields={"picture": medium})
            for sample, medium in _with_pictures(super().samples(rows, settings), self.data)
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[MultimodalGenerateUntil]:
        """One for each draw, with the picture."""
        return [with_media(one, [sample.fields["picture"]]) for one in super().requests(sample)]


def _with_path(sample: Sample, path: str) -> Sample:
    return replace(sample, prompt=f"{OBJECT}\n{sample.prompt}", fields={"path": path})


def _with_pictures(samples: Sequence[Sample], data: DataSet | str | None) -> list[tuple[Sample, Medium]]:
    """Each sample with its picture, all read together; a picture that several name is read once."""
    paths = {sample.fields["path"]: _place(sample.fields["path"], data) for sample in samples}
    found = dict(zip(paths, admit(list(paths.values()), IMAGE), strict=True))
    for name, medium in found.items():
        if not isinstance(medium, Medium):
            raise DataError(medium, place=paths[name], fix="Give a plain picture, such as PNG, or leave the row out")
    return [(sample, medium) for sample in samples if isinstance(medium := found[sample.fields["path"]], Medium)]


def _place(name: str, data: DataSet | str | None) -> Path:
    """The file of that name below the data file's folder, where alone a data file may lead."""
    if not isinstance(data, DataSet) or not isinstance(data.source, FileSource):
        raise DataError("is a data set of the catalogue", place=str(data), fix="Name a file of yours with its pictures")
    folder = data.source.path.parent.resolve()
    path = None if "\0" in name else (folder / name).resolve()
    if path is None or not path.is_relative_to(folder):
        raise DataError(
            f"names the picture {name[:200]!r}, which lies outside of its folder",
            place=data.source.path,
            fix="Put the pictures beside the data file, or below",
        )
    return path


VISUAL_CHOICE = TaskType(declaration=VisualChoiceDeclaration, build=DeclaredVisualChoice)
VISUAL_WRITTEN = TaskType(declaration=VisualWrittenDeclaration, build=DeclaredVisualWritten)
