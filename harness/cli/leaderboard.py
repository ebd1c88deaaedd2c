"""`harness leaderboard`: the pages that people look at."""

import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cli.console import output
from harness.cli.options import with_options
from harness.cli.process.progress_bar import progress_bar
from harness.core import registry
from harness.core.errors import InputError
from harness.core.options import option
from harness.core.process.paths import is_folder
from harness.core.reports.boards import BoardWriter
from harness.core.text.counts import numbered

__all__ = ["leaderboard"]

_GROUP, _BOARDS, _NAME = "harness.apps", "harness.boards", "leaderboard"
_LOOPBACK = "127.0.0.1"
_NAME_OF_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9a-fA-F:.]+\]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOptions:
    """Which runs the pages show, and where they are to be seen."""

    store: str | None = option(None, "SQLite file or postgresql:// URL. [default: index.sqlite in the folder of runs]")
    records: Path | None = option(None, "The folder of runs; it is indexed first. [default: runs]")
    port: int = option(8501, "Port to listen on.", min=1, max=65535)
    address: str = option(_LOOPBACK, "Address to listen on; the default is reachable from this machine only.")
    host: tuple[str, ...] = option((), "Another host name that it is reached by, such as a proxy's. May be repeated.")
    index: bool = option(True, "Index the runs before starting.", "--index/--no-index")
    export: Path | None = option(None, "Write the board into this folder as files that open without a server, and end.")
    samples: bool = option(True, "With --export: prompts and answers are among the files.", "--samples/--no-samples")

    @property
    def folder(self) -> Path:
        """The folder of runs."""
        return Path("runs") if self.records is None else self.records


@with_options(BoardOptions, "asked")
def leaderboard(*, asked: BoardOptions) -> None:
    """Browse runs: ranks, trade-offs, single runs and samples, comparisons, history. Nothing is changed.

    [bold]Examples[/bold]

    harness leaderboard

    harness leaderboard --export board

    harness leaderboard --store postgresql://team@db/harness --records /data/runs --port 8600
    """
    if asked.export is not None:
        _export(asked, asked.export)
        return
    if not asked.samples:
        raise InputError("only says what files are written", place="--no-samples", fix="Give --export and a folder too")
    package = _package()
    for name in asked.host:
        if not _NAME_OF_HOST.fullmatch(name):
            raise InputError("is not a host name", place=f"--host {name}", fix="Give a name without port and path")
    _expect_free(asked.address, asked.port)
    if asked.records is not None and not is_folder(asked.records):
        raise InputError("is not a folder", place=asked.records, fix="Give the folder that holds the runs")
    _prepare(asked)
    environment = {**os.environ, "HARNESS_RECORDS": str(asked.folder.absolute())}
    environment |= {"HARNESS_ADDRESS": asked.address, "HARNESS_HOSTS": ",".join(asked.host)}
    if asked.store is not None:
        environment["HARNESS_STORE"] = asked.store
    arguments = [sys.executable, "-m", package]
    arguments += [part for name, value in _settings(asked).items() for part in (f"--{name}", str(value))]
    sys.stdout.flush()
    # The server takes the place of this process, so that signals reach it.
    os.execve(sys.executable, arguments, environment)


def _settings(asked: BoardOptions) -> dict[str, object]:
    """What Streamlit is told."""
    return {
        "server.address": asked.address,
        "server.port": asked.port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": asked.address,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": "false",
        "theme.light.primaryColor": "#0072B2",
        "theme.dark.primaryColor": "#56B4E9",
    }


def _export(asked: BoardOptions, folder: Path) -> None:
    """Write the board as files, by whatever package brings one."""
    if not is_folder(asked.folder) and not (asked.store or os.environ.get("HARNESS_STORE")):
        raise InputError(
            "is not a folder", place=asked.folder, fix="Give the folder that holds the runs with --records"
        )
    writer: BoardWriter = registry.make(_BOARDS, _NAME)
    _prepare(asked)
    with progress_bar() as progress:
        written = writer.write(asked.store, asked.folder, folder, samples=asked.samples, progress=progress)
    size = f"{numbered(written.file_count, 'file')}, {written.size_bytes / 1e6:.1f} MB"
    told = f"{numbered(written.run_count, 'run')}, {size}: open {folder / 'index.html'}"
    output.print(told, markup=False, soft_wrap=True)


def _prepare(asked: BoardOptions) -> None:
    """Bring the store up to date with the records, or see that one that is named by itself can be read."""
    from harness.store import VARIABLE, Store, fill, locate

    place = locate(asked.store, asked.folder)
    if asked.index and is_folder(asked.folder):
        with progress_bar() as progress:
            progress.phase("verifying")
            fill(place, asked.folder, progress)
    elif asked.store or os.environ.get(VARIABLE):
        Store(place, create=False).close()


def _expect_free(address: str, port: int) -> None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        raise InputError(
            f"can't listen there: {error.strerror}", place=f"{address}:{port}", fix="Give another --port or --address"
        ) from error


def _package() -> str:
    """The package of the app that Streamlit runs, found without importing it."""
    if _NAME not in registry.names(_GROUP):
        raise InputError("isn't installed", place="the leaderboard", fix="Install the harness again")
    return registry.package(_GROUP, _NAME)
