"""Loads the data set of an lm-eval task that may run no code: from where it may read, and as plain values.

The `datasets` library opens whatever a task names: any file of this machine, any address, archives, databases, other
file systems. It makes images, sounds and documents into objects whose methods act, and opens the files that their rows
name. Here patterns are checked before they are looked up, the files that they stand for before they are read, and
nothing is decoded.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import takewhile
from pathlib import Path
from typing import Any, overload

import datasets
import pyarrow as pa
from lm_eval.api.task import ConfigurableTask
from typing_extensions import override

from harness.core.errors import TaskError, UnavailableError
from harness.core.process.network import no_network
from harness.core.process.time_limit import OverLimit, time_limit
from harness.data.bombs import RATIO, refuse_data_bomb
from harness.lm_eval.files import TASK_CODE
from harness.lm_eval.places import Places
from harness.lm_eval.plain import Opaque, plain_copy

__all__ = ["PlainRows", "load_task_data"]

_FORMATS = frozenset({"csv", "json", "parquet", "text"})
_SETTINGS = frozenset(
    {
        "column_names", "columns", "comment", "data_dir", "data_files", "decimal", "delimiter", "download_mode",
        "encoding", "encoding_errors", "escapechar", "field", "header", "keep_default_na", "keep_linebreaks",
        "lineterminator", "na_filter", "na_values", "names", "quotechar", "quoting", "revision", "sample_by", "sep",
        "skipinitialspace", "skiprows", "split", "thousands", "usecols", "verification_mode",
    }
)  # fmt: skip
"""Of `dataset_kwargs`: which data, and how a text file is written. Others may make the library connect, or write."""
_OF_LOADING = frozenset({"split", "verification_mode"})
_HUB = "hf://datasets/"
LOADING_BYTES = 1 << 30
LOADING_CPU_S, CPU_S_A_BYTE = 5.0, 2e-6
"""Two seconds a megabyte, of which pandas and pyarrow need a twentieth, and some more."""


def load_task_data(task: ConfigurableTask, places: Places, *, offline: bool) -> Any:
    """The data set that a task's file names, a mapping from splits to `PlainRows`, or the rows of its one split.

    Raises `TaskError` for what the file may not name or read, `UnavailableError` for what would be fetched while
    `offline`, `DataError` for a data file that stands for much more than it holds, and whatever the library raises.
    """
    name = f"lm-eval:{task.task_name}"
    settings = {key: one for key, one in (task.config.dataset_kwargs or {}).items() if key != "trust_remote_code"}
    path = str(task.DATASET_PATH)
    _refuse_settings(settings, path, name)
    for pattern in _texts([path, settings.get("data_files"), settings.get("data_dir")]):
        _refuse_pattern(pattern, places, name, offline=offline)
    local = path in _FORMATS or Path(path).exists()
    base = Path() if path in _FORMATS else Path(path)
    if local and base != Path():
        places.refuse_elsewhere(base, name, "reads")
    patterns = list(_texts([settings.get("data_files"), settings.get("data_dir")]))
    for pattern in patterns:
        if "://" not in pattern and (local or Path(pattern).is_absolute()):  # others lie in the hub's repository
            places.refuse_elsewhere(base / _fixed(pattern), name, "reads")
    remote = any("://" in pattern for pattern in patterns)
    away = no_network("its data are on this machine", "Name them in the task's file", allowed=())
    with away if local and not remote else nullcontext():
        builder = datasets.load_dataset_builder(
            path, task.DATASET_NAME, **{key: one for key, one in settings.items() if key not in _OF_LOADING}
        )
        sizes = [_checked_size(file, places, name, offline=offline) for file in _texts(builder.config.data_files)]
        if local and (found := _format(builder)) not in _FORMATS:
            raise TaskError(f"its data are of the format {found}, not {', '.join(sorted(_FORMATS))}", place=name)
        with _borne_out(sum(sizes)) if local and not remote else nullcontext():
            return _prepared(builder, settings)


@contextmanager
def _borne_out(size_bytes: int) -> Iterator[None]:
    """No more time and memory than files of so many bytes need, however they are to be taken apart.

    A row of a table takes room for all columns that any row has, and a separator may be a pattern. Raises `OverLimit`.
    """
    limit_bytes = LOADING_BYTES + RATIO * size_bytes
    try:
        with time_limit(LOADING_CPU_S + size_bytes * CPU_S_A_BYTE, limit_bytes):
            yield
    except OverLimit as error:
        raise OverLimit(f"to load its data {error}") from error
    except (datasets.exceptions.DatasetGenerationError, pa.ArrowMemoryError) as error:
        if isinstance(error, pa.ArrowMemoryError) or isinstance(error.__cause__, MemoryError):
            raise OverLimit(f"to load its data takes more than {limit_bytes / 2**20:,.0f} MB of memory") from error
        raise


def _prepared(builder: Any, settings: Mapping[str, Any]) -> Any:
    split = settings.get("split")
    builder.download_and_prepare(
        download_mode=settings.get("download_mode"), verification_mode=settings.get("verification_mode")
    )
    found = builder.as_dataset(split=split)
    if isinstance(found, datasets.Dataset):
        return PlainRows(found)
    return {name: PlainRows(rows) for name, rows in found.items()}


def _refuse_settings(settings: Mapping[str, Any], path: str, name: str) -> None:
    unknown = sorted(str(key) for key in settings if key not in _SETTINGS)
    if unknown:
        raise TaskError(
            f"dataset_kwargs.{unknown[0]} is not among the settings that only read", place=name, fix=TASK_CODE
        )
    if not isinstance(path, str) or path in _packaged() - _FORMATS:
        raise TaskError(
            f"dataset_path {path} is no plain format ({', '.join(sorted(_FORMATS))})", place=name, fix=TASK_CODE
        )
    revision = str(settings.get("revision") or "")
    if ".." in revision or revision.startswith("/"):
        raise TaskError(f"the revision {revision} leads elsewhere", place=name)


def _packaged() -> frozenset[str]:
    from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES

    return frozenset(_PACKAGED_DATASETS_MODULES)


def _format(builder: Any) -> str:
    modules = (base.__module__.split(".") for base in type(builder).__mro__)
    return next((parts[2] for parts in modules if parts[:2] == ["datasets", "packaged_modules"]), "unknown")


def _refuse_pattern(pattern: str, places: Places, name: str, *, offline: bool) -> None:
    """What a pattern names must be a path, or an address that is read without another file system's code."""
    if pattern.startswith(_HUB) and "::" not in pattern:
        return
    scheme, _, _ = pattern.partition("://")
    if "::" in pattern or ("://" in pattern and scheme not in ("http", "https")):
        raise TaskError(
            f"reads {pattern}, which is neither a path nor an address on the web or the hub",
            place=name,
            fix="Unpack the file, and name it by its path",
        )
    if "://" not in pattern:
        return
    if offline:
        raise UnavailableError(
            f"its data would be fetched from {pattern}, and offline", place=name, fix="Leave --offline out"
        )
    if not places.holds_url(pattern):
        raise TaskError(
            f"fetches {pattern}, which you didn't name",
            place=name,
            fix=f"Add --task-data {pattern} if the task may fetch it",
        )


def _fixed(pattern: str) -> Path:
    """What a pattern begins with, up to the first part that may stand for several: whole disks aren't searched."""
    return Path(*takewhile(lambda part: not set(part) & set("*?["), Path(pattern).parts))


def _checked_size(file: str, places: Places, name: str, *, offline: bool) -> int:
    """The bytes of a file that the patterns stand for; 0 for one that is fetched. Raises `TaskError`, `DataError`."""
    if "://" in file or "::" in file:
        _refuse_pattern(file, places, name, offline=offline)
        return 0
    places.refuse_elsewhere(Path(file), name, "reads")
    refuse_data_bomb(Path(file))
    return Path(file).stat().st_size


def _texts(value: Any) -> Iterator[str]:
    """The texts in a setting that is one, or a list or mapping of them."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


@dataclasses.dataclass(frozen=True)
class _Unopened:
    """A feature whose values stay what nobody opens."""

    kind: str

    def decode_example(self, value: object, token_per_repo_id: object = None) -> Opaque:  # noqa: ARG002
        """What a row holds: that there is one of the kind."""
        return Opaque(self.kind)


class PlainRows(Sequence[dict[str, Any]]):
    """The rows of a data set as plain values; images, sounds and documents stay the bytes that nobody opens."""

    def __init__(self, rows: datasets.Dataset) -> None:
        self.features = datasets.Features({name: _undecoded(one) for name, one in rows.features.items()})
        self._rows = rows.with_format("arrow")

    @override
    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    @override
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        with time_limit():
            (row,) = self._rows[index].to_pylist()
            return self._plain(row)

    @override
    def __iter__(self) -> Iterator[dict[str, Any]]:
        for table in self._rows.iter(batch_size=64):
            with time_limit():
                rows = [self._plain(row) for row in table.to_pylist()]
            yield from rows

    def _plain(self, row: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = plain_copy(self.features.decode_example(row))
        return found


def _undecoded(feature: Any) -> Any:
    """A feature, and those in it, without the step that makes an object of a value."""
    if isinstance(feature, Mapping):
        return {name: _undecoded(one) for name, one in feature.items()}
    if isinstance(feature, list | tuple):
        return [_undecoded(one) for one in feature]
    if not dataclasses.is_dataclass(feature) or isinstance(feature, type):
        return feature
    if hasattr(feature, "decode") and type(feature).__name__ != "Json":  # whose values are plain
        return _Unopened(type(feature).__name__)
    return dataclasses.replace(feature, feature=_undecoded(feature.feature)) if hasattr(feature, "feature") else feature
