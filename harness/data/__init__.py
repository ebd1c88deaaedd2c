"""Data sets: where they come from, under which licence, and their rows, checked against a pinned digest."""

from harness.data.catalogue import Verification, all_datasets, fetch, find, verify
from harness.data.loading import LoadedData, load_data
from harness.data.sources import FileSource, HubSource, WheelSource

__all__ = [
    "FileSource",
    "HubSource",
    "LoadedData",
    "Verification",
    "WheelSource",
    "all_datasets",
    "fetch",
    "find",
    "load_data",
    "verify",
]
