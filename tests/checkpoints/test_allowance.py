"""Servers that never come to an end, byte by byte: raw sockets, since no honest server would write so."""

import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.checkpoints.served.client import Patience, ServerClient, UnfitAnswerError
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import HarnessError, ModelError, UnavailableError

OK = b"HTTP/1.1 200 OK\r\n"
KEY = "sk-a-key-of-the-allowance-1"
HASTY = Patience(busy=2, unreachable=2, timeouts=2, pause_s=0.001)
LIMIT = "sends more than 1,0"


def endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def bomb(window_bits: int) -> Iterator[bytes]:
    """Zeros without end, a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    while True:
        yield packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)


def dripped(content: bytes) -> Iterator[bytes]:
    for byte in content:
        time.sleep(0.05)
        yield bytes([byte])


def answer(body: bytes, *headers: str, status: bytes = OK) -> bytes:
    head = "".join(f"{header}\r\n" for header in (f"Content-Length: {len(body)}", "Connection: close", *headers))
    return status + head.encode() + b"\r\n" + body


@contextmanager
def speaking(pieces: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server that sends these pieces to whoever connects."""

    def speak(connection: socket.socket) -> None:
        with connection:
            try:
                asked = b""
                while b'"x"' not in asked:
                    asked += connection.recv(65536)
                for piece in pieces():
                    connection.sendall(piece)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=speak, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)


def asked(pieces: Callable[[], Iterator[bytes]], monkeypatch: pytest.MonkeyPatch, timeout_s: float = 5.0):
    monkeypatch.setenv("A_KEY", KEY)
    with speaking(pieces) as url:
        client = ServerClient(url, EndpointOptions(timeout_s=timeout_s, api_key_env="A_KEY"), HASTY)
        return client.post("/completions", {"max_tokens": 16, "prompt": "x"})


@pytest.mark.parametrize(
    ("pieces", "error", "words"),
    [
        (lambda: itertools.chain([OK, b"\r\n"], endless(b"x" * 65536)), UnfitAnswerError, LIMIT),
        (
            lambda: itertools.chain([OK, b"Content-Length: 10000000000\r\n\r\n"], endless(b" " * 65536)),
            UnfitAnswerError,
            LIMIT,
        ),
        (lambda: itertools.chain([OK, b"Content-Encoding: gzip\r\n\r\n"], bomb(31)), UnfitAnswerError, LIMIT),
        (lambda: itertools.chain([OK, b"Content-Encoding: deflate\r\n\r\n"], bomb(15)), UnfitAnswerError, LIMIT),
        (lambda: itertools.chain([OK, b"Content-Encoding: deflate\r\n\r\n"], bomb(-15)), UnfitAnswerError, LIMIT),
        (lambda: [answer(b"\x81" * 99, "Content-Encoding: br")], UnfitAnswerError, "another encoding"),
        (
            lambda: [answer(gzip.compress(gzip.compress(b"{}")), "Content-Encoding: gzip, gzip")],
            UnfitAnswerError,
            "another encoding",
        ),
        (lambda: [answer(b"{}", "Content-Encoding: gzip")], UnfitAnswerError, "not compressed as it says"),
        (
            lambda: itertools.chain([b"HTTP/1.1 500 no\r\nContent-Encoding: gzip\r\n\r\n"], bomb(31)),
            UnfitAnswerError,
            LIMIT,
        ),
        (lambda: itertools.chain([OK, b"X: "], endless(b"a" * 65536)), UnavailableError, "can't be reached"),
        (lambda: itertools.chain([OK], endless(b"X: a\r\n" * 9999)), UnavailableError, "can't be reached"),
        (
            lambda: itertools.chain([OK, b"Transfer-Encoding: chunked\r\n\r\n1;"], endless(b"a" * 65536)),
            UnavailableError,
            "can't be reached",
        ),
        (lambda: [answer(b"[" * 99_999 + b"]" * 99_999)], ModelError, "not JSON"),
        (lambda: [answer(b'{"a":' * 99 + b"1" + b"}" * 99)], ModelError, "not JSON"),
        (lambda: [b"HTTP/1.1 200 OK\r\nbad line " + KEY.encode() + b"\r\n\r\n"], UnavailableError, "illegal header"),
        (lambda: [answer(b"no", f"Content-Type: text/{KEY}")], ModelError, "not JSON .text/.key., 2 bytes"),
        (lambda: [answer(b"", f"Location: /{KEY}", status=b"HTTP/1.1 302 x\r\n")], ModelError, "HTTP 302"),
    ],
)
def test_an_answer_without_end_or_form_is_one_error_of_one_line(pieces, error, words, monkeypatch):
    with pytest.raises(error, match=words) as raised:
        asked(pieces, monkeypatch)
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "pieces",
    [
        lambda: itertools.chain([OK, b"Content-Length: 999\r\n\r\n"], dripped(b" " * 999)),
        lambda: dripped(OK + b"X: " + b"a" * 999),
        lambda: itertools.chain([OK, b"Transfer-Encoding: chunked\r\n\r\n"], dripped(b"1\r\n \r\n" * 99)),
        lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 9),
    ],
)
def test_bytes_that_drip_in_are_given_up_when_the_time_for_the_whole_answer_is_over(pieces, monkeypatch):
    with pytest.raises(UnavailableError, match=r"gave no answer in 0\.3 s"):
        asked(pieces, monkeypatch, timeout_s=0.3)


def test_a_proxys_answer_has_the_same_limits(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    with speaking(lambda: itertools.chain([OK, b"\r\n"], endless(b"x" * 65536))) as url:
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/v1"))
        client = ServerClient("http://server.invalid/v1", EndpointOptions(), HASTY)
        with pytest.raises(UnfitAnswerError, match=LIMIT):
            client.post("/completions", {"max_tokens": 16, "prompt": "x"})


@pytest.mark.parametrize(
    "sent",
    [
        answer(b'{"a": 1}'),
        answer(b'\xef\xbb\xbf{"a": 1}', "Content-Type: application/json; charset=zlib"),
        answer(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip"),
        answer(zlib.compress(b'{"a": 1}'), "Content-Encoding: deflate"),
        answer(zlib.compress(b'{"a": 1}', wbits=-15), "Content-Encoding: deflate"),
        OK + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n',
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b'{"a": 1}'),
    ],
)
def test_what_servers_and_proxies_in_use_send_is_read(sent, monkeypatch):
    assert asked(lambda: [sent], monkeypatch) == {"a": 1}


@pytest.mark.parametrize(
    ("retry_after", "words"),
    [
        ("Thu, 26 Nov 2026 18:00:00 -0000", "keeps answering HTTP 429"),
        ("Thu, 26 Nov 2026 18:00:00", "keeps answering HTTP 429"),
        ("-5", "keeps answering HTTP 429"),
        ("nan", "keeps answering HTTP 429"),
        ("-inf", "keeps answering HTTP 429"),
        ("1, 2", "keeps answering HTTP 429"),
        ("Fri, 99 Foo 99999999999 23:59:59 +99999999", "keeps answering HTTP 429"),
        ("9" * 400, "asks to wait for 1,000,000,000 s"),
        ("Fri, 31 Dec 9999 23:59:59", "asks to wait for 2"),
    ],
)
def test_a_time_to_wait_that_makes_no_sense_ends_with_one_line(retry_after, words, monkeypatch):
    busy = answer(b"", f"Retry-After: {retry_after}", status=b"HTTP/1.1 429 no\r\n")
    with pytest.raises(HarnessError, match=words):
        asked(lambda: [busy], monkeypatch)
