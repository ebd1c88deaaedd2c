"""The data sets that are known by name: ours, and those of installed packages."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core import registry
from harness.core.datasets import DataSet
from harness.core.errors import DataError, HarnessError, PluginError, UnavailableError, UnknownName
from harness.core.text.hashing import file_digest
from harness.data.builtin import BUILTIN
from harness.data.loading import LoadedData, load_data

__all__ = ["ENTRY_POINTS", "Verification", "all_datasets", "fetch", "find", "verify"]

ENTRY_POINTS = "harness.datasets"
"""The entry-point group of third parties' data sets: each a `DataSet`, or a callable that returns several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the cached copy of a data set is what the catalogue says.

    `ok` is None where there is no copy to verify. `found_sha256` is None there too, or where it can't be read;
    `reason` says why wherever `ok` is not True.
    """

    name: str
    ok: bool | None
    found_sha256: str | None
    reason: str | None = None


def all_datasets() -> list[DataSet]:
    """Every data set of the catalogue, by name.

    Raises `PluginError` if a package's data sets can't be imported, are of the wrong kind, or take another's name.
    """
    known: dict[str, DataSet] = {}
    for dataset in [*BUILTIN, *_third_party()]:
        if dataset.name in known:
            raise PluginError("two data sets have this name", place=dataset.name, fix="Uninstall one of the packages")
        known[dataset.name] = dataset
    return [known[name] for name in sorted(known)]


def find(name: str) -> DataSet:
    """The data set of that name. Raises `UnknownName`, or `PluginError` as `all_datasets` does."""
    known = {dataset.name: dataset for dataset in all_datasets()}
    if name not in known:
        raise UnknownName("data set", name, known)
    return known[name]


def fetch(name: str) -> LoadedData:
    """Fetch a data set into the cache where it isn't yet, and check it. Raises as `find` and `load` do."""
    return load_data(find(name))


def verify(name: str) -> list[Verification]:
    """Read and check the cached copy of one data set, or of `all`, without the network.

    Raises only `UnknownName` or `PluginError`: what is wrong with a copy is in its `Verification`.
    """
    return [_verified(dataset) for dataset in (all_datasets() if name == "all" else [find(name)])]


def _verified(dataset: DataSet) -> Verification:
    try:
        return Verification(name=dataset.name, ok=True, found_sha256=load_data(dataset, offline=True).sha256)
    except UnavailableError as error:
        return Verification(name=dataset.name, ok=None, found_sha256=None, reason=str(error))
    except DataError as error:
        return Verification(name=dataset.name, ok=False, found_sha256=_found(dataset), reason=str(error))


def _found(dataset: DataSet) -> str | None:
    try:
        return file_digest(dataset.source.fetch(offline=True))
    except (HarnessError, OSError):
        return None  # the reason for it is already that of the verification


def _third_party() -> Sequence[DataSet]:
    return [dataset for name in registry.names(ENTRY_POINTS) for dataset in registry.several(ENTRY_POINTS, name)]
