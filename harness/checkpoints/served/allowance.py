"""What a server's answer may take: bytes on the wire, bytes once decompressed, and time from first to last."""

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx

__all__ = ["ACCEPTED", "Allowance", "UnfitError"]

ACCEPTED = "gzip, deflate"
"""Encodings whose output can be counted before it is made."""

_OVERHEAD_BYTES = 256 * 1024
"""Headers, and what chunks cost beside their content."""
_AT_ONCE_BYTES = 64 * 1024


class UnfitError(Exception):
    """What a server sends can't be taken: it is too much, or compressed in a way that can't be limited."""


class Allowance(threading.local):
    """What is left of the request that this thread has under way; a client `bound` by it can't take more."""

    def __init__(self) -> None:
        self._most = self._bytes_left = 0
        self._until = 0.0

    def bind(self, client: httpx.Client) -> None:
        """Count whatever the client's connections read, headers and a proxy's answers among it.

        httpx has a time limit between two bytes alone, and none of size, so a byte a minute has no end.
        """
        for transport in {client._transport, *filter(None, client._mounts.values())}:
            assert isinstance(transport, httpx.HTTPTransport)
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend, self)

    @contextmanager
    def granted(self, most_bytes: int, seconds: float) -> Iterator[None]:
        """The block may read an answer of so many bytes, for so long. Raises `UnfitError` and httpx's timeouts."""
        self._most, self._bytes_left = most_bytes, 2 * most_bytes + _OVERHEAD_BYTES
        self._until = time.monotonic() + seconds
        yield

    def seconds_left(self) -> float:
        """Until the answer must be there, above 0. Raises httpx's `ReadTimeout`."""
        if (left := self._until - time.monotonic()) > 0:
            return left
        raise httpx.ReadTimeout("the answer takes too long")

    def take(self, count: int) -> None:
        """So many bytes came. Raises `UnfitError`."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise self._oversized()

    def body(self, response: httpx.Response) -> bytes:
        """The decompressed content of a response. Raises `UnfitError` and httpx's timeouts."""
        inflate = _inflater(response.headers.get("Content-Encoding", "identity").strip().lower())
        content = bytearray()
        for sent in response.iter_raw():
            self.seconds_left()
            # One byte more than may be, to see whether there is one.
            content += inflate(sent, self._most + 1 - len(content))
            if len(content) > self._most:
                raise self._oversized()
        return bytes(content)

    def _oversized(self) -> UnfitError:
        return UnfitError(f"sends more than {self._most:,} bytes, the limit for an answer to this request")


class _Inflate:
    """Decompresses gzip, zlib, and what some servers call deflate, which lacks zlib's head."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)
        self._may_lack_head = window_bits == zlib.MAX_WBITS

    def __call__(self, sent: bytes, most: int) -> bytes:
        if self._stream.eof or not sent:
            return b""
        try:
            content = self._stream.decompress(sent, most)
        except zlib.error as error:
            if not self._may_lack_head:
                raise UnfitError("sends data that is not compressed as it says") from error
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            self._may_lack_head = False
            return self(sent, most)
        self._may_lack_head = False
        return content


def _inflater(encoding: str) -> Callable[[bytes, int], bytes]:
    if encoding in ("", "identity"):
        return lambda sent, _most: sent
    if encoding in ("gzip", "x-gzip"):
        return _Inflate(16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return _Inflate(zlib.MAX_WBITS)
    raise UnfitError(f"answers in another encoding than those asked for ({ACCEPTED})")


class _Backend:
    """A network backend of httpcore whose streams are counted."""

    def __init__(self, inner: Any, allowance: Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> "_Stream":
        least = _least(self._allowance, timeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout=least, **more), self._allowance)

    def connect_unix_socket(self, path: str, timeout: float | None = None, **more: Any) -> "_Stream":
        least = _least(self._allowance, timeout)
        return _Stream(self._inner.connect_unix_socket(path, timeout=least, **more), self._allowance)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(min(seconds, self._allowance.seconds_left()))


class _Stream:
    """A connection of httpcore that reads no more, and no longer, than is allowed."""

    def __init__(self, inner: Any, allowance: Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content: bytes = self._inner.read(max_bytes, timeout=_least(self._allowance, timeout))
        self._allowance.take(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _AT_ONCE_BYTES):
            part = buffer[start : start + _AT_ONCE_BYTES]
            self._inner.write(part, timeout=_least(self._allowance, timeout))

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: float | None = None) -> "_Stream":
        secured = self._inner.start_tls(ssl_context, server_hostname, _least(self._allowance, timeout))
        return _Stream(secured, self._allowance)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _least(allowance: Allowance, timeout: float | None) -> float:
    left = allowance.seconds_left()
    return left if timeout is None else min(left, timeout)
