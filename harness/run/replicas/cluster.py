"""The connection to a cluster of Ray, quiet and off the network: an address of the user's, or this machine alone."""

import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from harness.core.errors import InputError, ModelError, UnavailableError
from harness.run.replicas.folder import cluster_folder

__all__ = ["cluster_error", "connected", "require_ray"]

_EXTRA = "Install it: pip install 'responsible-eval-harness[ray]'"
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_worker_niceness": "0",
}
"""Nothing is told to anybody, and no environment is made anew for a worker. A busy machine may take its time, and gives
workers no less of it than a process without them has."""
_ADDRESSES = "Give auto, HOST:PORT or ray://HOST:PORT"
_BEGIN = "Start one there with `ray start --head`, or leave --ray-address out to use this machine alone"
_TOKEN = "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or the file ~/.ray/auth_token to the cluster's token"
KNOCK_S = 5.0
_HEALTH = "/grpc.health.v1.Health/Check"
_GUARDED = {False: "/ray.rpc.NodeInfoGcsService/GetClusterId", True: "/ray.rpc.RayletDriver/ClusterInfo"}
"""What a cluster tells those alone who have its token, on its own port and on that for clients."""
_ALIVE = ("OK", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED")
"""How something that speaks as Ray does answers the question of its health, whether it knows it or not."""


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
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with ExitStack() as stack:
        if address is None:
            folder = stack.enter_context(cluster_folder())
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
    known = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address  # as Ray itself takes it
    try:
        if known is not None and known != "auto":
            _knock(known, ray)
    except PermissionError as error:
        raise InputError(f"can't be used ({_line(error)})", place=place, fix=_TOKEN) from error
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


def _knock(address: str, ray: Any) -> None:
    """Raises `OSError` where no Ray answers, which Ray itself takes a minute to find; `ValueError` for no address.

    A cluster says that it is well; its port for clients, which is another, doesn't know the question. Raises
    `PermissionError` where it lets nobody in without a token that isn't at hand, of which Ray itself says nothing.
    """
    place = urlsplit(address if "://" in address else f"ray://{address}")
    if place.scheme != "ray" or not place.hostname or place.port is None:
        raise ValueError("it is no address")
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return  # whose certificates are Ray's to read
    grpc: Any = import_module("grpc")
    server = place.netloc.rpartition("@")[2]
    # A proxy for the web isn't asked, nor does Ray ask one.
    with grpc.insecure_channel(server, options=[("grpc.enable_http_proxy", 0)]) as channel:
        code, said = _asked(grpc, channel, _HEALTH)
        if code not in _ALIVE:
            raise ConnectionError(said.rpartition(": ")[2] if code == "UNAVAILABLE" else f"none within {KNOCK_S:g} s")
        for_clients = code == "UNIMPLEMENTED"
        if for_clients != ("://" in address) and code in ("OK", "UNIMPLEMENTED"):
            right = f"ray://{server}" if for_clients else server
            raise ValueError(f"that port is {'' if for_clients else 'not '}the one for clients: give {right}")
        token = _token(ray)
        if _asked(grpc, channel, _GUARDED[for_clients], token)[0] == "UNAUTHENTICATED":
            lack = "the one at hand isn't its" if token else "none is at hand"
            raise PermissionError(f"the cluster wants a token, and {lack}")


def _asked(grpc: Any, channel: Any, question: str, metadata: Sequence[tuple[str, str]] = ()) -> tuple[str, str]:
    """The code of what is answered, and the words of an error."""
    try:
        channel.unary_unary(question)(b"", timeout=KNOCK_S, metadata=tuple(metadata))
    except grpc.RpcError as error:
        return error.code().name, str(error.details())
    return "OK", ""


def _token(ray: Any) -> list[tuple[str, str]]:
    """What Ray shows to be let in; empty where it has nothing. Raises `PermissionError` where it should have."""
    loader = getattr(getattr(ray, "_raylet", None), "AuthenticationTokenLoader", None)
    if loader is None:  # a version that knows of no tokens
        return []
    try:
        found = loader.instance()
        return list(found.get_token_for_http_header().items()) if found.has_token() else []
    except ray.exceptions.AuthenticationError as error:
        raise PermissionError("RAY_AUTH_MODE asks for a token, and none is at hand") from error


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
