"""A view's address: what is chosen on a page stands in its URL, so that the view can be sent to a colleague."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from harness.core.errors import UnknownName

__all__ = ["choose_many", "choose_one", "put", "read_query"]

T = TypeVar("T")


def read_query(key: str, default: T, parse: Callable[[str], T | None]) -> None:
    """Prepare the widget `key`: as the URL says where it was opened or followed, else as it was left, else `default`.

    `parse` turns the URL's text into a value, or into None where it makes no sense.
    """
    raw = st.query_params.get(key)
    mark = f"address of {key}"
    if key not in st.session_state or raw != st.session_state.get(mark):
        parsed = None if raw is None else parse(raw)
        st.session_state[key] = default if parsed is None else parsed
        st.session_state[_asked(key)] = raw
    st.session_state[mark] = raw


def _asked(key: str) -> str:
    """Where it stands what an address that was opened says of `key`, until something is chosen."""
    return f"asked of {key}"


def put(key: str, value: str | None) -> None:
    """Let the URL say `value` for `key`; None takes the key out of it."""
    if value is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = value
    st.session_state[f"address of {key}"] = value
    st.session_state.pop(_asked(key), None)


def choose_one(
    place: Any,
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str | None = None,
    shown: Callable[[str], str] = str,
    always: bool = False,
    **more: Any,
) -> str:
    """A select box whose choice stands in the URL, the usual one only if `always`; `options` must not be empty.

    Raises `UnknownName` where the URL names what isn't among them, until the reader chooses: nothing is shown in its
    place. What was chosen in the app and is no longer among them gives way to the usual one.
    """
    first = options[0] if default is None or default not in options else default
    read_query(key, first, str)
    named = st.session_state[key]
    unknown = named not in options and named in (None, st.session_state.get(_asked(key)))
    st.session_state[key] = None if unknown else named if named in options else first
    chosen: str | None = place.selectbox(
        label, options, key=key, format_func=shown, **({"index": None} if unknown else {}), **more
    )
    if chosen is None:
        raise _unknown(key, [str(st.session_state.get(_asked(key)))], options)
    put(key, None if chosen == first and not always else chosen)
    return chosen


def choose_many(
    place: Any,
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: Sequence[str] = (),
    shown: Callable[[str], str] = str,
    **more: Any,
) -> list[str]:
    """A multiple choice that stands in the URL, parted by commas. Raises `UnknownName` as `choose` does."""
    usual = [one for one in default if one in options]
    read_query(key, usual, lambda raw: [one for one in raw.split(",") if one in options])
    st.session_state[key] = [one for one in st.session_state[key] if one in options]
    chosen: list[str] = place.multiselect(label, options, key=key, format_func=shown, **more)
    named = [one for one in (st.session_state.get(_asked(key)) or "").split(",") if one]
    unknown = [one for one in named if one not in options]
    if unknown and chosen == [one for one in named if one in options]:
        raise _unknown(key, unknown, options)
    put(key, None if chosen == usual else ",".join(chosen))
    return chosen


def _unknown(key: str, named: Sequence[str], options: Sequence[str]) -> UnknownName:
    return UnknownName(f"{key} here", ", ".join(named), [one for one in options if one])
