"""Pictures and sounds that the rows of a user's data file name."""

from collections.abc import Sequence
from pathlib import Path

from harness.core.datasets import DataSet
from harness.core.errors import DataError
from harness.core.media import IMAGE, MediaType, Medium
from harness.core.tasks import Sample
from harness.data.sources import FileSource
from harness.media.admission import admit

__all__ = ["PATH", "with_files"]

PATH = "path"
"""The field of a sample that holds what the data file says of its medium's file."""


def with_files(
    samples: Sequence[Sample], data: DataSet | str | None, media_type: MediaType
) -> list[tuple[Sample, Medium]]:
    """Each sample with the medium that its field `PATH` names, all read together; one that several name is read once.

    Names are told from the data file's folder. Raises `DataError` naming the first that can't be used.
    """
    paths = {sample.fields[PATH]: _place(sample.fields[PATH], data, media_type) for sample in samples}
    found = dict(zip(paths, admit(list(paths.values()), media_type), strict=True))
    for name, medium in found.items():
        if not isinstance(medium, Medium):
            kind, plain = ("picture", "PNG") if media_type == IMAGE else ("sound", "WAV")
            raise DataError(
                medium, place=paths[name], fix=f"Give a plain {kind}, such as {plain}, or leave the row out"
            )
    return [(sample, medium) for sample in samples if isinstance(medium := found[sample.fields[PATH]], Medium)]


def _place(name: str, data: DataSet | str | None, media_type: MediaType) -> Path:
    """The file of that name below the data file's folder, where alone a data file may lead."""
    kind = "picture" if media_type == IMAGE else "sound"
    if not isinstance(data, DataSet) or not isinstance(data.source, FileSource):
        raise DataError("is a data set of the catalogue", place=str(data), fix=f"Name a file of yours with its {kind}s")
    folder = data.source.path.parent.resolve()
    path = None if "\0" in name else (folder / name).resolve()
    if path is None or not path.is_relative_to(folder):
        raise DataError(
            f"names the {kind} {name[:200]!r}, which lies outside of its folder",
            place=data.source.path,
            fix=f"Put the {kind}s beside the data file, or below",
        )
    return path
