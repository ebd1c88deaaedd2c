"""Data sets of a test's own files."""

from pathlib import Path
from typing import Any

from harness.core.datasets import DataSet
from harness.data import FileSource


def dataset_of(path: Path, **fields: Any) -> DataSet:
    """A data set that is this file."""
    described = {
        "name": "mine",
        "title": "Mine",
        "source": FileSource(path),
        "licence": "MIT",
        "citation": "Me (2026), Mine, here",
        "homepage": "https://example.org",
    }
    return DataSet(**{**described, **fields})


def file_of(folder: Path, name: str, content: bytes) -> DataSet:
    """A data set of one new file with that content."""
    path = folder / name
    path.write_bytes(content)
    return dataset_of(path)
