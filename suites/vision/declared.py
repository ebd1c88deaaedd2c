"""Questions about a user's own pictures, which a suite file declares."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from typing_extensions import override

from harness.core.datasets import Row
from harness.core.media import IMAGE, OBJECT
from harness.core.metrics import Metric
from harness.core.requests import MultimodalGenerateUntil, Request, with_media
from harness.core.tasks import Sample, TaskSettings
from harness.media.pictures import image_of
from harness.suitefiles.declaration import ChoiceFields, Text, WrittenFields
from harness.suitefiles.declared import DeclaredChoice
from harness.suitefiles.declared_written import DeclaredWritten
from harness.suitefiles.declaring import DeclarationContext
from harness.suitefiles.media import PATH, with_files
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
            for sample, medium in with_files(super().samples(rows, settings), self.data, IMAGE)
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
            for sample, medium in with_files(super().samples(rows, settings), self.data, IMAGE)
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[MultimodalGenerateUntil]:
        """One for each draw, with the picture."""
        return [with_media(one, [sample.fields["picture"]]) for one in super().requests(sample)]


def _with_path(sample: Sample, path: str) -> Sample:
    return replace(sample, prompt=f"{OBJECT}\n{sample.prompt}", fields={PATH: path})


VISUAL_CHOICE = TaskType(declaration=VisualChoiceDeclaration, build=DeclaredVisualChoice)
VISUAL_WRITTEN = TaskType(declaration=VisualWrittenDeclaration, build=DeclaredVisualWritten)
