"""A view's address: what is chosen on a page stands in its URL, so that the view can be sent to a colleague."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from harness.core.errors import UnknownName

__all__ = ["as_in_address", "choose_many", "choose_one", "in_address", "is_new", "part_in_address", "put"]

T = TypeVar("T")


def in_address(key: str, default: T, parse: Callable[[str], T | None]) -> T:
    """What the URL says of `key`, else `default`; `parse` gives None where it makes no sense."""
    raw = st.query_params.get(key)
    parsed = None if raw is None else parse(raw)
    return default if parsed is None else parsed


def as_in_address(key: str, default: T, parse: Callable[[str], T | None]) -> dict[str, Any]:
    """The arguments `key` and `value` of a widget: as the URL says where it was opened or followed, else as left."""
    value, followed = _held(key, default, parse)
    return _arguments(key, value, {"value": value}, followed=followed)


def part_in_address(key: str, value: Any, *, of: str) -> dict[str, Any]:
    """The arguments `key` and `value` of one of several widgets that the URL's key `of` stands for.

    `value`, which is what the URL says of this one, at first and where a link was followed, else as left.
    """
    raw, there = st.query_params.get(of), key in st.session_state
    followed = there and st.session_state.get(f"address of {of}", raw) != raw
    held = st.session_state[key] if there and not followed else value
    return _arguments(key, held, {"value": held}, followed=followed)


def is_new(key: str) -> bool:
    """Whether the URL says something of `key` that no widget has taken up yet: it was opened, or a link followed."""
    return key in st.query_params and st.query_params[key] != st.session_state.get(f"address of {key}")


def _held(key: str, default: T, parse: Callable[[str], T | None]) -> tuple[T, bool]:
    """What a widget holds, and whether a link says so that was followed while the widget was there."""
    raw, mark = st.query_params.get(key), f"address of {key}"
    there = key in st.session_state
    if there and raw == st.session_state.get(mark):
        value: T = st.session_state[key]
        return value, False
    st.session_state[mark] = st.session_state[_asked(key)] = raw
    return in_address(key, default, parse), there


def _arguments(key: str, value: Any, as_usual: dict[str, Any], *, followed: bool) -> dict[str, Any]:
    """A widget's key, and its value `as_usual`, or where a link was `followed` set behind its back.

    A popover's widgets come to life when it is opened. What was set in an earlier run is lost by then, and they would
    begin, and be believed to be, as in the call that makes them: so that says in each run what they hold.
    """
    if followed:
        st.session_state[key] = value
        return {"key": key}
    return {"key": key, **as_usual}


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
    named, followed = _held(key, first, str)
    unknown = named not in options and named in (None, st.session_state.get(_asked(key)))
    value = None if unknown else named if named in options else first
    gone = key in st.session_state and value != named
    place_of = {"index": None if value is None else options.index(value)}
    arguments = {**_arguments(key, value, place_of, followed=followed or gone), **({"index": None} if unknown else {})}
    chosen: str | None = place.selectbox(label, options, format_func=shown, **arguments, **more)
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
    listed, followed = _held(key, usual, lambda raw: [one for one in raw.split(",") if one in options])
    value = [one for one in listed if one in options]
    gone = key in st.session_state and value != listed
    arguments = _arguments(key, value, {"default": value}, followed=followed or gone)
    chosen: list[str] = place.multiselect(label, options, format_func=shown, **arguments, **more)
    named = [one for one in (st.session_state.get(_asked(key)) or "").split(",") if one]
    unknown = [one for one in named if one not in options]
    if unknown and chosen == [one for one in named if one in options]:
        raise _unknown(key, unknown, options)
    put(key, None if chosen == usual else ",".join(chosen))
    return chosen


def _unknown(key: str, named: Sequence[str], options: Sequence[str]) -> UnknownName:
    return UnknownName(f"{key} here", ", ".join(named), [one for one in options if one])
