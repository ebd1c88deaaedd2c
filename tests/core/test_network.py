"""A process without a network: whoever connects or looks up a name is told so, but for what the user named."""

import asyncio
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from harness.core.process.network import NetworkRefused, no_network, offline_if

ELSEWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737), where nobody is."""


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "connect": lambda: socket.create_connection((ELSEWHERE, 80)),
    "by IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "by mapped IPv6": lambda: socket.socket(socket.AF_INET6).connect((f"::ffff:{ELSEWHERE}", 80)),
    "connect_ex": lambda: socket.socket().connect_ex((ELSEWHERE, 80)),
    "an address as a number": lambda: socket.socket().connect(("3221225985", 80)),
    "look-up": lambda: socket.getaddrinfo("example.invalid", 443),
    "old look-up": lambda: socket.gethostbyname("example.invalid"),
    "look-up of an address": lambda: socket.gethostbyaddr(ELSEWHERE),
    "datagram": lambda: _datagram().sendto(b"x", (ELSEWHERE, 53)),
    "message": lambda: _datagram().sendmsg([b"x"], [], 0, (ELSEWHERE, 53)),
    "urllib": lambda: urllib.request.urlopen(f"ftp://{ELSEWHERE}/x"),
    "httpx": lambda: httpx.get(f"http://{ELSEWHERE}"),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(ELSEWHERE, 80)),
    "this machine": lambda: socket.create_connection(("127.0.0.1", 9)),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_every_way_out_is_refused_and_the_host_named(attempt: Callable[[], Any]) -> None:
    with (
        no_network("--offline was given", "Leave --offline out"),
        pytest.raises(Exception, match=r"was to be reached, and --offline was given\. Leave") as caught,
    ):
        attempt()
    assert isinstance(caught.value, NetworkRefused | OSError | httpx.ConnectError)


def test_libraries_and_programs_are_told_and_untold() -> None:
    before = dict(os.environ)
    with no_network("no", "no"):
        assert {os.environ[name] for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "PIP_NO_INDEX")} == {"1"}
        ours, theirs = socket.socketpair()  # files are no network
        with ours, theirs:
            ours.sendall(b"x")
            assert theirs.recv(1) == b"x"
    assert dict(os.environ) == before


@pytest.fixture
def url() -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_on_this_machine_is_reached_where_the_user_named_it(url: str) -> None:
    with offline_if(True, None, "org/name", f"openai:{url}/v1#model"):
        assert httpx.get(url).status_code == 204
        with pytest.raises(httpx.ConnectError, match="offline"):
            httpx.get("http://localhost:9")
    with offline_if(True, "openai:http://localhost:9/v1"), pytest.raises(httpx.ConnectError, match="offline"):
        httpx.get(url)
    with offline_if(False):
        assert httpx.get(url).status_code == 204
