"""`harness leaderboard`: the pages that people look at."""

import os
import re
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import output
from harness.cli.process.progress_bar import progress_bar
from harness.core import registry
from harness.core.errors import InputError
from harness.core.process.paths import is_folder
from harness.core.reports.boards import BoardWriter

__all__ = ["leaderboard"]

_GROUP, _BOARDS, _NAME = "harness.apps", "harness.boards", "leaderboard"
_LOOPBACK = "127.0.0.1"
_NAME_OF_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9a-fA-F:.]+\]?")


def leaderboard(
    store: Annotated[
        str | None,
        typer.Option(help="SQLite file or postgresql:// URL. \\[default: index.sqlite in the folder of runs]"),
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="The folder of runs; it is indexed first. \\[default: runs]")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen on; the default is reachable from this machine only.")
    ] = _LOOPBACK,
    host: Annotated[
        list[str] | None,
        typer.Option(help="Another host name that it is reached by, such as a proxy's. May be repeated."),
    ] = None,
    index: Annotated[bool, typer.Option(help="Index the runs before starting.")] = True,
    export: Annotated[
        Path | None,
        typer.Option(help="Write the board into this folder as files that open without a server, and end."),
    ] = None,
    samples: Annotated[bool, typer.Option(help="With --export: prompts and answers are among the files.")] = True,
) -> None:
    """Browse runs: ranks, trade-offs, single runs and samples, comparisons, history. Nothing is changed.

    [bold]Examples[/bold]

    harness leaderboard

    harness leaderboard --export board

    harness leaderboard --store postgresql://team@db/harness --records /data/runs --port 8600
    """
    if export is not None:
        _export(store, Path("runs") if records is None else records, export, index=index, samples=samples)
        return
    if not samples:
        raise InputError("only says what files are written", place="--no-samples", fix="Give --export and a folder too")
    package = _package()
    for name in host or ():
        if not _NAME_OF_HOST.fullmatch(name):
            raise InputError("is not a host name", place=f"--host {name}", fix="Give a name without port and path")
    _expect_free(address, port)
    folder = Path("runs") if records is None else records
    if records is not None and not is_folder(records):
        raise InputError("is not a folder", place=records, fix="Give the folder that holds the runs")
    _prepare(store, folder, index and is_folder(folder))
    environment = {**os.environ, "HARNESS_RECORDS": str(folder.absolute())}
    environment |= {"HARNESS_ADDRESS": address, "HARNESS_HOSTS": ",".join(host or ())}
    if store is not None:
        environment["HARNESS_STORE"] = store
    options = {
        "server.address": address,
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": address,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": "false",
        "theme.light.primaryColor": "#0072B2",
        "theme.dark.primaryColor": "#56B4E9",
    }
    arguments = [sys.executable, "-m", package]
    arguments += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    sys.stdout.flush()
    # The server takes the place of this process, so that signals reach it.
    os.execve(sys.executable, arguments, environment)


def _export(store: str | None, records: Path, folder: Path, *, index: bool, samples: bool) -> None:
    """Write the board as files, by whatever package brings one."""
    if not is_folder(records) and not (store or os.environ.get("HARNESS_STORE")):
        raise InputError("is not a folder", place=records, fix="Give the folder that holds the runs with --records")
    writer: BoardWriter = registry.make(_BOARDS, _NAME)
    _prepare(store, records, index and is_folder(records))
    with progress_bar() as progress:
        written = writer.write(store, records, folder, samples=samples, progress=progress)
    runs = "1 run" if written.run_count == 1 else f"{written.run_count:,} runs"
    size = f"{written.file_count:,} files, {written.size_bytes / 1e6:.1f} MB"
    output.print(f"{runs}, {size}: open {folder / 'index.html'}", markup=False, soft_wrap=True)


def _prepare(store: str | None, records: Path, index: bool) -> None:
    """Bring the store up to date with the records, or see that one that is named by itself can be read."""
    from harness.store import VARIABLE, Store, fill, locate

    place = locate(store, records)
    if index:
        with progress_bar() as progress:
            progress.phase("verifying")
            fill(place, records, progress)
    elif store or os.environ.get(VARIABLE):
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
