"""Talks HTTP to an OpenAI-compatible server: patient with a busy one, silent about the key, clear when it fails."""

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx2 as httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter, wait_random

from harness.checkpoints.served.allowance import ACCEPTED, Allowance, UnfitError
from harness.checkpoints.served.congestion import CongestionWindow
from harness.checkpoints.served.said import parse_said, plain_text
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError, ModelError, UnavailableError
from harness.core.process.secrets import keep_secret
from harness.core.text.display import elided

__all__ = ["Patience", "RefusedError", "ServerClient", "UnfitAnswerError"]

BUSY = frozenset({429, 503})
FAILING = frozenset({408, 425, 500, 502, 504, 529})
OVERLOADED = frozenset({*BUSY, 408, 504, 529})
"""Of these, what says that the server has too much to do."""
LEAST_LIMIT_BYTES, MOST_LIMIT_BYTES = 2**20, 2**25
BYTES_A_TOKEN = 256
"""Bytes of JSON that a server may take to speak of one byte that was asked, or of one token to be written."""
LISTING_BYTES = 2**23
"""For the list of a server's models, of which some have hundreds, each with its description."""
LONGEST_MESSAGE = 200
LONGEST_ASKED_S = 1e9
"""A longer wait, which some write with hundreds of digits, is this one."""
AGAIN = "See that the server runs there; the same command goes on from here once it answers"


class RefusedError(ModelError):
    """The server answered one request with an error of its own, with the HTTP `status`."""

    def __init__(self, status: int, problem: str, *, place: str) -> None:
        self.status = status
        super().__init__(problem, place=place)


class UnfitAnswerError(ModelError):
    """What the server sent to one request is more than it may be, or can't be read within limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a request is sent before the run gives up, by what went wrong, and the first pause between two.

    Each pause is twice as long as the one before, and longer by chance by up to `pause_s`, so that what failed together
    isn't sent again together. A server's own Retry-After wins over it, up to `longest_wait_s`.
    """

    busy: int = 8
    unreachable: int = 4
    timeouts: int = 3
    pause_s: float = 0.5
    longest_wait_s: float = 300.0


class _StumbleError(Exception):
    """An attempt failed in a way that another one may not; the server may have `asked_s` to wait for it."""

    def __init__(
        self, what: Literal["busy", "unreachable", "timeouts"], problem: str, asked_s: float | None = None
    ) -> None:
        self.what, self.problem, self.asked_s = what, problem, asked_s
        super().__init__(problem)


class ServerClient:
    """JSON over HTTP to the server at `url`; may be used by several threads.

    The key comes from the environment variable that the options name, and is in no error, nor in anything returned: a
    server that repeats it has it hidden (`harness.core.process.secrets`). An answer has a limit of bytes, by what was
    asked, before and after decompression, and of time, from the first byte sent to the last that came. A busy server
    (429, 503) makes all threads wait, and of those that ask at once as many as it keeps up with go on
    (`CongestionWindow`). Raises `InputError` for a key that can't be sent or is refused,
    `UnavailableError` for a server that can't be reached, stays busy or doesn't answer in time, `RefusedError` for any
    other HTTP error, `UnfitAnswerError` for what goes beyond the limits, and `ModelError` for an answer that is no
    JSON.
    """

    def __init__(self, url: str, options: EndpointOptions, patience: Patience | None = None) -> None:
        self.url = url
        self.patience = patience or Patience()
        self._options = options
        self._key = _key(options.api_key_env)
        self._free_at = 0.0
        self._lock = threading.Lock()
        self.window = CongestionWindow(options.concurrency)
        self._http = httpx.Client(
            headers={"Accept-Encoding": ACCEPTED, **({"Authorization": f"Bearer {self._key}"} if self._key else {})},
            timeout=httpx.Timeout(options.timeout_s, connect=min(options.timeout_s, 10.0)),
            limits=httpx.Limits(max_connections=options.concurrency),
        )
        self._allowance = Allowance()
        self._allowance.bind(self._http)

    @property
    def has_key(self) -> bool:
        """Whether a key is sent."""
        return self._key is not None

    def get(self, path: str, *, patient: bool = True) -> Any:
        """The JSON that the server gives for a path below its URL."""
        return self._json(*self._ask("GET", path, None, patient=patient))

    def text(self, path: str) -> str:
        """The text that the server gives for a path below its URL, such as its metrics."""
        return self._ask("GET", path, None, patient=False)[1].decode(errors="replace")

    def post(self, path: str, body: Mapping[str, Any], *, patient: bool = True) -> Any:
        """The JSON that the server answers to `body`. One that isn't `patient` takes a failure (500) for an answer."""
        return self._json(*self._ask("POST", path, body, patient=patient))

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, patient: bool
    ) -> tuple[httpx.Response, bytes]:
        """The answer and its content, once there is one that isn't an error."""
        failures = Counter[str]()

        def attempt() -> tuple[httpx.Response, bytes]:
            try:
                return self._attempt(method, path, body, patient=patient)
            except _StumbleError as stumble:
                failures[stumble.what] += 1
                raise

        def is_over(state: RetryCallState) -> bool:
            stumble = _stumble(state)
            too_long = stumble.asked_s is not None and stumble.asked_s > self.patience.longest_wait_s
            return too_long or failures[stumble.what] >= getattr(self.patience, stumble.what)

        attempts = Retrying(
            retry=retry_if_exception_type(_StumbleError),
            stop=is_over,
            wait=self._pause_s,
            before_sleep=self._hold_others,
            reraise=True,
        )
        try:
            return attempts(attempt)
        except _StumbleError as stumble:
            problem = stumble.problem
            if failures[stumble.what] < getattr(self.patience, stumble.what):
                problem = f"{problem}, and asks to wait for {stumble.asked_s:,.0f} s"
            raise UnavailableError(problem, place=self.url, fix=AGAIN) from stumble.__cause__

    def _attempt(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, patient: bool
    ) -> tuple[httpx.Response, bytes]:
        """One request, as soon as the server may be asked. Raises `_StumbleError` where it may be asked again."""
        with self.window.place() as place:
            time.sleep(max(0.0, self._free_at - time.monotonic()))
            try:
                response, content = self._exchange(method, path, body)
            except httpx.TimeoutException as error:
                place.kept_up = False
                raise _StumbleError("timeouts", f"gave no answer in {self._options.timeout_s:g} s") from error
            except httpx.HTTPError as error:
                raise _StumbleError("unreachable", f"can't be reached ({_reason(error)})") from error
            except UnfitError as error:
                raise UnfitAnswerError(str(error), place=self.url) from error
            status = response.status_code
            place.kept_up = False if status in OVERLOADED else True if status == 200 else None
        if status in BUSY or (patient and status in FAILING):
            asked_s = _seconds(response.headers.get("Retry-After"))
            raise _StumbleError("busy", f"keeps answering {_said(response, content)}", asked_s)
        self._refuse_errors(response, content)
        return response, content

    def _pause_s(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: what the server asks for, or twice as many as before, and a few by chance."""
        patience, asked_s = self.patience, _stumble(state).asked_s
        if asked_s is not None:
            return asked_s + wait_random(0, patience.pause_s)(state)
        return wait_exponential_jitter(
            multiplier=patience.pause_s, max=patience.longest_wait_s, jitter=patience.pause_s
        )(state)

    def _hold_others(self, state: RetryCallState) -> None:
        """While a server is busy, nobody asks it anything."""
        if _stumble(state).what == "busy" and state.next_action is not None:
            with self._lock:
                self._free_at = max(self._free_at, time.monotonic() + state.next_action.sleep)

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[httpx.Response, bytes]:
        """One request and its whole answer, within the limits of both."""
        request = self._http.build_request(method, f"{self.url}{path}", json=body)
        most_bytes = LISTING_BYTES
        if body is not None:
            written = max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0))
            most_bytes = LEAST_LIMIT_BYTES + BYTES_A_TOKEN * (len(request.content) + written)
        with self._allowance.granted(min(most_bytes, MOST_LIMIT_BYTES), self._options.timeout_s):
            response = self._http.send(request, stream=True)
            with closing(response):
                return response, self._allowance.body(response)

    def _refuse_errors(self, response: httpx.Response, content: bytes) -> None:
        if response.status_code in (401, 403):
            name = self._options.api_key_env
            raise InputError(
                f"refuses {f'the key in {name}' if self._key else 'to answer without a key'} "
                f"(HTTP {response.status_code})",
                place=self.url,
                fix=f"Set the environment variable {name} to a key of that server, or name another with --api-key-env",
            )
        if response.status_code != 200:
            raise RefusedError(response.status_code, f"answers {_said(response, content)}", place=self.url)

    def _json(self, response: httpx.Response, content: bytes) -> Any:
        try:
            return parse_said(content)
        except ValueError as error:
            kind = elided(plain_text(response.headers.get("Content-Type", "no content type")))
            raise ModelError(
                f"answers with something that is not JSON ({kind}, {len(content):,} bytes)",
                place=self.url,
                fix="Check that the address is that of an OpenAI-compatible API; it mostly ends in /v1",
            ) from error


def _stumble(state: RetryCallState) -> _StumbleError:
    """How the last attempt failed."""
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _StumbleError)
    return error


def _key(name: str) -> str | None:
    key = os.environ.get(name, "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        raise InputError(
            "holds characters that no key has", place=f"the environment variable {name}", fix="Copy the key again"
        )
    keep_secret(key)
    return key or None


def _said(response: httpx.Response, content: bytes) -> str:
    """The status of an answer, and the server's own words on it in one line."""
    words = elided(plain_text(_message(content)), LONGEST_MESSAGE)
    return f"HTTP {response.status_code}" + (f" ({words})" if words else "")


def _message(content: bytes) -> str:
    """The message in the body of an error, where it has the usual form."""
    try:
        said = parse_said(content)
    except ValueError:
        return ""
    for field in ("error", "detail", "message"):
        if isinstance(said, dict) and field in said:
            said = said[field]
    # FastAPI lists the fields that it doesn't take, each with where it stands.
    faults = [fault for fault in said if isinstance(fault, dict)] if isinstance(said, list) else []
    listed = "; ".join(f"{fault.get('loc', '')} {fault.get('msg', '')}".strip() for fault in faults)
    return said if isinstance(said, str) else listed


def _reason(error: Exception) -> str:
    return elided(plain_text(str(error)), LONGEST_MESSAGE) or type(error).__name__


def _seconds(retry_after: str | None) -> float | None:
    """What a Retry-After header asks for: seconds, or a date, in UTC unless it says otherwise (RFC 9110).

    None where it can't be understood, as with a number below 0.
    """
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", retry_after.strip()):
        return min(float(retry_after), LONGEST_ASKED_S)
    try:
        until = parsedate_to_datetime(retry_after)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
