"""Bytes that were sound until something happened to them."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.corpus.conftest import IS_FRESH

__all__ = ["fuzzed", "mutated"]

TOKENS = [
    *(b"NaN", b"Infinity", b"null", b"true", b"-1", b"0", b"1e999", b"9" * 30, b"9" * 5000, b'""', b"[]", b"{}"),
    *(b"\0", b"\xff", b"\xed\xa0\x80", b'"\\ud800"', "\u2028".encode(), b"\r", b"\n", b"\t", b" ", b"\\", b"#", b"%"),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"'",
        b",",
        b":",
        b": ",
        b"- ",
        b"|",
        b">",
        b"&a",
        b"*a",
        b"<<: ",
        b"---",
        b"!!int",
    ),
    *(b"!!python/object/apply:os.system ['true']", b"!function x.y", b"../", b"[" * 3000, b'{"a":' * 3000, b"~", b"="),
]
_edit = st.tuples(
    st.floats(0, 1), st.sampled_from(["put", "replace", "drop", "repeat"]), st.integers(1, 40), st.sampled_from(TOKENS)
)
_long = IS_FRESH
fuzzed = settings(
    max_examples=1000 if _long else 50,
    derandomize=not _long,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
"""The same examples each time, and few; many new ones with `make corpus`."""


def mutated(sound: bytes) -> st.SearchStrategy[bytes]:
    """The bytes after a few edits; seldom, bytes of no form at all."""
    edited = st.lists(_edit, min_size=1, max_size=4).map(lambda edits: _edited(sound, edits))
    return st.one_of(edited, edited, edited, st.binary(max_size=80))


def _edited(content: bytes, edits: list[tuple[float, str, int, bytes]]) -> bytes:
    for share, how, length, token in edits:
        at = int(share * len(content))
        before, there, behind = content[:at], content[at : at + length], content[at + length :]
        match how:
            case "put":
                content = before + token + there + behind
            case "replace":
                content = before + token + behind
            case "drop":
                content = before + behind
            case _:
                content = before + there * 3 + behind
    return content
