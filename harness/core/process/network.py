"""Keeps this process off the network: by what Python itself does to connect, not library by library."""

import ipaddress
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from harness.core.errors import UnavailableError

__all__ = ["NetworkRefused", "no_network", "offline_if"]

_SWITCHES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TRANSFORMERS_OFFLINE", "PIP_NO_INDEX")
"""Read by libraries whose native code isn't seen here, and by programs that are started."""
_ASKED: Mapping[str, Callable[[tuple[Any, ...]], tuple[Any, Any]]] = MappingProxyType(
    {
        "socket.getaddrinfo": lambda told: (told[0], told[1]),
        "socket.gethostbyname": lambda told: (told[0], None),
        "socket.gethostbyaddr": lambda told: (told[0], None),
        "socket.getnameinfo": lambda told: told[0][:2],
        "socket.connect": lambda told: told[1][:2] if isinstance(told[1], tuple) else (None, None),
        "socket.sendto": lambda told: told[1][:2] if isinstance(told[1], tuple) else (None, None),
        "socket.sendmsg": lambda told: told[1][:2] if isinstance(told[1], tuple) else (None, None),
    }
)
"""Host and port in what Python tells an audit hook; sockets of this machine's own files have none."""

_PORTS: Mapping[str, int] = MappingProxyType({"https": 443, "postgresql": 5432, "postgres": 5432})

_blocks: list["_Block"] = []
_watching = False


class NetworkRefused(UnavailableError, ConnectionError):  # noqa: N818 - reads as what happened
    """A connection, or the look-up of a name, that was refused; an `OSError` too, as libraries expect of one."""


class _Block:
    """Why there is no network, what allows it, and what is allowed nevertheless: hosts with their ports."""

    def __init__(self, why: str, fix: str, allowed: frozenset[tuple[str, int]]) -> None:
        self.why, self.fix, self.allowed = why, fix, allowed

    def check(self, host: Any, port: Any) -> None:
        name = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
        port = int(port) if str(port).isdecimal() else port
        if name in (None, ""):
            return
        # A name is looked up before anybody connects: for this machine's own that asks nobody.
        if _is_loopback(name) and (port is None or any(_is_loopback(one) and port == at for one, at in self.allowed)):
            return
        if (name, port) in self.allowed:
            return
        shown = name if port is None else f"{name}:{port}"
        raise NetworkRefused(f"was to be reached, and {self.why}", place=shown, fix=self.fix)


@contextmanager
def no_network(why: str, fix: str, *, allowed: Iterable[str] = ()) -> Iterator[None]:
    """Within the block, whoever connects or looks up a name gets `NetworkRefused`, which says `why`, and the `fix`.

    `allowed` are URLs that the user named; where one is on this machine, its port is open by each of its names.
    Sockets that are files are no network. What this can't see is native code that opens sockets by itself: such
    libraries are told by their own switches, in the environment.
    """
    global _watching
    if not _watching:
        sys.addaudithook(_heard)  # for good: Python takes no hook back
        _watching = True
    block = _Block(why, fix, frozenset(_named(allowed)))
    before = {name: os.environ.get(name) for name in _SWITCHES}
    os.environ.update(dict.fromkeys(_SWITCHES, "1"))
    _blocks.append(block)
    try:
        yield
    finally:
        _blocks.remove(block)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def offline_if(chosen: bool, *references: str | None) -> AbstractContextManager[None]:
    """What `--offline` means: no network but for a served model on this machine that the user named."""
    urls = [one.partition(":")[2] for one in references if one]
    return no_network("--offline was given", "Leave --offline out", allowed=urls) if chosen else nullcontext()


def _heard(event: str, told: tuple[Any, ...]) -> None:
    if not _blocks or event not in _ASKED:
        return
    host, port = _ASKED[event](told)
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and _address(host) is not None:
        return  # nobody is asked for what is an address already
    for block in _blocks:
        block.check(host, port)


def _named(urls: Iterable[str]) -> Iterator[tuple[str, int]]:
    for url in urls:
        with suppress(ValueError):  # what is no address allows none
            parts = urlsplit(url)
            if parts.hostname:
                yield parts.hostname, parts.port or _PORTS.get(parts.scheme, 80)


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host.casefold() == "localhost" if address is None else address.is_loopback


def _address(host: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host) if isinstance(host, str) else None
    except ValueError:
        return None
