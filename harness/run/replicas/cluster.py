"""The connection to a cluster of Ray, quiet and off the network: an address of the user's, or this machine alone."""

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.core.errors import InputError, ModelError, UnavailableError
from harness.core.process.network import NetworkRefused

__all__ = ["cluster_error", "connected", "require_ray"]

_EXTRA = "Install it: pip install 'responsible-eval-harness[ray]'"
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_raylet_start_wait_time_s": "120",
}
"""Nothing is told to anybody, and no environment is made anew for a worker. A busy machine may take its time."""
_ADDRESSES = "Give auto, HOST:PORT or ray://HOST:PORT"
_BEGIN = "Start one there with `ray start --head`, or leave --ray-address out to use this machine alone"
KNOCK_S = 10.0
_LONGEST_FOLDER = 40
"""Sockets in Ray's folder have names of 60 characters more, and no system takes one of more than 107."""


def require_ray() -> None:
    """Raises `InputError` where it isn't installed."""
    if find_spec("ray") is None:
        raise InputError("needs Ray, which isn't installed", place="--workers", fix=_EXTRA)


def _imported() -> Any:
    """Ray's library, which reads its settings once, from the environment."""
    require_ray()
    os.environ.update({name: os.environ.get(name, value) for name, value in _SETTINGS.items()})
    return import_module("ray")


@contextmanager
def connected(address: str | None, processors: int) -> Iterator[Any]:
    """Ray's library, connected to the cluster at the address; None starts one with so many processors, and ends it.

    Raises `UnavailableError` for an address that doesn't answer, `InputError` for one that is none.
    """
    ray = _imported()
    if ray.is_initialized():  # by whoever calls from Python, and stays as it is
        yield ray
        return
    with _folder() as folder:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if address is None:
            options |= {"num_cpus": processors, "include_dashboard": False, "_temp_dir": str(folder)}
        with _own_signals():
            _begin(ray, address, options)
        try:
            yield ray
        finally:
            _leave(ray)


def _begin(ray: Any, address: str | None, options: dict[str, Any]) -> None:
    place = "--workers" if address is None else f"--ray-address {address}"
    _hush(ray)
    try:
        if address is not None and address != "auto":
            _knock(address)
    except ValueError as error:
        raise InputError(f"can't be used ({_line(error)})", place=place, fix=_ADDRESSES) from error
    except OSError as error:
        raise UnavailableError(f"no cluster of Ray answers ({_line(error)})", place=place, fix=_BEGIN) from error
    try:
        ray.init(address=address or "local", **options)
    except (ValueError, ImportError) as error:
        _leave(ray)
        raise InputError(f"can't be used ({_line(error)})", place=place, fix=_ADDRESSES) from error
    except Exception as error:  # Ray raises errors of its own, of gRPC and of the system for one and the same
        _leave(ray)
        raise UnavailableError(f"no cluster of Ray answers ({_line(error)})", place=place, fix=_BEGIN) from error


def _leave(ray: Any) -> None:
    with suppress(Exception):  # whatever a cluster that is gone raises where one leaves it
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises `OSError` where nobody listens, which Ray itself takes minutes to find; `ValueError` for no address."""
    place = urlsplit(address if "://" in address else f"ray://{address}")
    if place.scheme != "ray" or not place.hostname or place.port is None:
        raise ValueError("it is no address")
    with suppress(NetworkRefused):  # what is off the network by choice may still have a cluster
        socket.create_connection((place.hostname, place.port), timeout=KNOCK_S).close()


def cluster_error(error: Exception) -> ModelError:
    """What went wrong in the cluster, in one line of ours."""
    name = type(error).__name__
    if name in ("ObjectStoreFullError", "OutOfDiskError"):
        return ModelError(
            "the object store of the cluster is full, and so is the disk that it spills to",
            place="--workers",
            fix="Free disk space, or start the cluster with a larger --object-store-memory; the same command then goes "
            "on where it stopped",
        )
    return ModelError(
        f"a worker failed ({name}: {_line(error)})",
        place="--workers",
        fix="The same command goes on where it stopped; without --workers it does so in one process",
    )


def _line(error: Exception) -> str:
    """The last line of what Ray says, which is the cause: the rest is a traceback of another process."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__


def _hush(ray: Any) -> None:
    """Keep the terminal, and standard output, for what the harness says: it tells of what is lost by itself."""
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    worker: Any = getattr(getattr(ray, "_private", None), "worker", None)
    if worker is not None and hasattr(worker, "print_to_stdstream"):
        # No option of Ray's is for what its own processes say of a worker that died.
        worker.print_to_stdstream = lambda *_said, **_options: None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray would end this process by itself at a SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for a cluster's sockets and logs, gone with it."""
    usual = tempfile.gettempdir()
    place = usual if len(usual) <= _LONGEST_FOLDER else "/tmp"
    folder = tempfile.mkdtemp(prefix="ray-", dir=place)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
