"""Answers only to the names by which it is meant to be asked, so that no page of another site reads it.

A site whose name suddenly stands for this machine (DNS rebinding) is the same origin to a browser, and its pages could
read everything here. But its requests carry its name. Nothing here asks the network what a name stands for.
"""

import ipaddress
import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ADDRESS", "HOSTS", "NamedHosts"]

ADDRESS, HOSTS = "HARNESS_ADDRESS", "HARNESS_HOSTS"
"""The environment variables by which `harness leaderboard` tells the address to listen on, and names (by commas)."""

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_REFUSED = (
    "The leaderboard doesn't answer to this name. Ask for it by the address that it was started with, or start it with "
    "--host and the name.\n"
)


class NamedHosts:
    """Lets requests and websockets through whose host is this machine's loopback, the address listened on, or named.

    Where every address is listened on, so is any that is a number: no name stands in for it. A page that asks must be
    of the same host and port, or of a named one, as behind a proxy that asks by another name.
    """

    def __init__(self, app: ASGIApp, address: str, hosts: Iterable[str]) -> None:
        self._app = app
        self._named = frozenset(map(_plain, hosts))
        self._known = self._named | {"localhost", _plain(address)}
        self._is_everywhere = _is_wildcard(address)

    @classmethod
    def told(cls, app: ASGIApp) -> "NamedHosts":
        """With what the environment says."""
        return cls(app, os.environ.get(ADDRESS, "localhost"), filter(None, os.environ.get(HOSTS, "").split(",")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        hosts, origins = _headers(scope, b"host"), _headers(scope, b"origin")
        if self._is_known(hosts, origins):
            # Behind a proxy Streamlit would take its own readers for those of another site.
            host = (b"host", urlsplit(origins[0]).netloc.encode("latin-1") if origins else hosts[0].encode("latin-1"))
            rest = [header for header in scope["headers"] if header[0] != b"host"]
            await self._app({**scope, "headers": [host, *rest]}, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(_REFUSED, status_code=421)(scope, receive, send)

    def _is_known(self, hosts: list[str], origins: list[str]) -> bool:
        if len(hosts) != 1 or len(origins) > 1 or not self._answers_to(hosts[0]):
            return False
        return all(self._may_ask(origin, hosts[0]) for origin in origins)

    def _answers_to(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = _plain(found["name"])
        if name in self._known:
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return False
        return number.is_loopback or self._is_everywhere

    def _may_ask(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
            return parts.netloc.lower() == host.lower() or _plain(parts.hostname or "-") in self._named
        except ValueError:
            return False


def _plain(name: str) -> str:
    return name.strip().lower().strip("[]").removesuffix(".")


def _is_wildcard(address: str) -> bool:
    try:
        return ipaddress.ip_address(_plain(address)).is_unspecified
    except ValueError:
        return False


def _headers(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
