"""Keys and passwords of this process, hidden wherever they come back, however they are written."""

import base64
import binascii
import html
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import getproxies

__all__ = ["HIDDEN", "WITHHELD", "hidden", "keep_secret", "keep_secrets_of_url"]

HIDDEN = "[key]"
WITHHELD = "[withheld: it held a key in another writing]"
SHORTEST_SECRET = 8
"""Characters from which a secret is hidden; shorter ones are words such as EMPTY, for no lock."""

_LEAST_TOKEN = 16
"""Characters from which a user's name without a password is taken for a token; `postgres` is none."""
_LEAST_BARE = 12
"""Letters and digits from which a secret is known without its signs, and so with others between its parts."""
_LEAST_GROUPED = 10
"""Digits in base 85 from which a secret is known: two groups."""
_LETS_IN = re.compile("key|token|secret|passw|credential|signature", re.IGNORECASE)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")

_LAYERS = 3
"""Writings one in the other that are undone, such as a percent sign that is itself an escape."""

_secrets: dict[str, re.Pattern[str]] = {}


def keep_secret(value: str | None) -> None:
    """From here on `hidden` hides this text, unless it is too short to be one."""
    if value is not None and len(value) >= SHORTEST_SECRET:
        _secrets.setdefault(value, re.compile(re.escape(value), re.IGNORECASE))


def keep_secrets_of_url(url: str) -> None:
    """From here on `hidden` hides what in the URL lets somebody in: user and password, and keys of its query."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        user, password, query = parts.username or "", parts.password, parse_qsl(parts.query)
    except ValueError:  # what can't be taken apart is no address of anything
        return
    keep_secret(password)
    keep_secret(unquote(password or ""))
    if password is None and len(user) >= _LEAST_TOKEN:
        keep_secret(user)
    if "@" in parts.netloc and password is not None:
        userinfo = f"{parts.netloc.rpartition('@')[0]}@"
        _secrets.setdefault(userinfo, re.compile(re.escape(userinfo)))
    for name, value in query:
        if _LETS_IN.search(name):
            keep_secret(value)


@cache
def _keep_what_was_given() -> None:
    """The secrets in URLs of this process's arguments and environment, such as a proxy's or a database's."""
    for given in (*sys.argv, *os.environ.values(), *getproxies().values()):
        if "@" in given or "?" in given:
            for url in _URL.findall(given) or given.split():
                keep_secrets_of_url(url)


def hidden(text: str) -> str:
    """The text without secrets: where one stands as it is, `HIDDEN` does instead.

    What holds one in another writing, or in several, is `WITHHELD` whole: percent signs, escapes of JSON and of
    programs, of HTML and of mails, base64, base32, base85, uuencode, hexadecimal and decimal numbers, in upper or lower
    case, with signs in between that hide or only part it, as those of a list. A writing of somebody's own invention
    isn't found.
    """
    _keep_what_was_given()
    if not any(len(text) >= len(secret) for secret in _secrets):
        return text
    for pattern in _secrets.values():
        text = pattern.sub(HIDDEN, text)
    # What was hidden before and behind it must not come together.
    views = set(_views(text.replace(HIDDEN, "\0" * 2)))
    needles = [needle for secret in _secrets for needle in _needles(secret)]
    return WITHHELD if any(needle in view for view in views for needle in needles) else text


@cache
def _needles(secret: str) -> tuple[str, ...]:
    """The secret, and the digits that it has in whatever holds it, without those that its neighbours take part in."""
    if len(secret) < SHORTEST_SECRET:
        return ()
    content = secret.encode()
    percent = "".join(f"%{byte:02x}" for byte in content).encode()
    found = [secret, content.hex(), "".join(map(str, content))]
    bare = _SIGNS.sub("", secret.casefold())
    found += [bare] if len(bare) >= _LEAST_BARE else []
    for one in (content, secret.encode("utf-16-le"), percent, percent.upper(), base64.b64encode(content).rstrip(b"=")):
        found += [_inner(base64.b64encode(b" " * before + one), 6, before, len(one)) for before in range(3)]
    found += [_inner(base64.b32encode(b" " * before + content), 5, before, len(content)) for before in range(5)]
    found += [_inner(_uuencoded(b" " * before + content), 6, before, len(content)) for before in range(3)]
    for encode in _IN_BASE_85:
        grouped = [_groups(encode, content, before) for before in range(4)]
        found += [digits for digits in grouped if len(digits) >= _LEAST_GROUPED]
    return tuple(dict.fromkeys(one.casefold() for one in found))


_IN_BASE_85: tuple[Callable[[bytes], bytes], ...] = (base64.b85encode, base64.a85encode)


def _uuencoded(content: bytes) -> bytes:
    """In lines of 45 bytes, whose lengths and ends are left out."""
    lines = [binascii.b2a_uu(content[start : start + 45]) for start in range(0, len(content), 45)]
    return b"".join(line[1:].rstrip(b"\n") for line in lines)


def _groups(encode: Callable[[bytes], bytes], content: bytes, before: int) -> str:
    """The digits in base 85 of those groups of four bytes that hold nothing else, with `before` others first."""
    start = -before % 4
    return encode(content[start : start + (len(content) - start) // 4 * 4]).decode()


def _inner(digits: bytes, bits: int, before: int, length: int) -> str:
    """Of digits of so many bits those that stand for nothing but the `length` bytes that have `before` others first."""
    return digits[-(-8 * before // bits) : 8 * (before + length) // bits].decode()


def _views(text: str) -> Iterator[str]:
    """What the text says once its writings are undone, layer by layer."""
    view = text
    for _ in range(_LAYERS):
        before = view
        for undo in _UNDOING:
            view = undo(view)
            digits = view.casefold().replace("-", "+").replace("_", "/")
            yield from (view.casefold(), digits, _PARTED.sub("", digits), _SIGNS.sub("", view.casefold()))
        if view == before:
            return


_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
"""Characters that nobody sees, each of which stands for one that everybody does."""
_INKLESS = re.compile(r"[^!-~]+")
_SIGNS = re.compile(r"[^a-z0-9]+")
_PARTED = re.compile(r"0x|[:,;+]")
_ESCAPE = re.compile(r"\\+(?:u\{0*([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))")
_OCTAL = re.compile(r"\\+([0-3]?[0-7]{2})")
_BACKSLASH = re.compile(r"\\+(?=[!-/:-@\[-`{-~])")
_QUOTED = re.compile(r"=(?:([0-9A-Fa-f]{2})|\r?\n)")


def _inked(text: str) -> str:
    """Without what hides or parts, and with one form of each letter: a key has neither spaces nor wide letters."""
    text = text.translate(_TAGS)
    return _INKLESS.sub("", unicodedata.normalize("NFKC", text))


def _unescaped(text: str) -> str:
    """As JSON and programs mean it."""
    if "\\" not in text:
        return text
    text = _ESCAPE.sub(lambda found: _character(next(filter(None, found.groups())), 16), text)
    text = _OCTAL.sub(lambda found: _character(found[1], 8), text)
    return _BACKSLASH.sub("", text)


def _unquoted(text: str) -> str:
    """As mails mean it (quoted-printable)."""
    return _QUOTED.sub(lambda found: _character(found[1], 16) if found[1] else "", text) if "=" in text else text


def _character(digits: str, base: int) -> str:
    code = int(digits, base)
    return chr(code) if code < 0x110000 else ""


_UNDOING: tuple[Callable[[str], str], ...] = (html.unescape, unquote, _unescaped, _unquoted, _inked)
