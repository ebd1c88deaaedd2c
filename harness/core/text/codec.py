"""Immutable values as JSON values and back, for records that anybody may have written."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AfterValidator, BeforeValidator, ConfigDict, InstanceOf, Strict, TypeAdapter
from typing_extensions import TypedDict

from harness.core.text.reasons import Reason
from harness.core.text.values import field_values

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["REASON", "Codec", "Form"]

T = TypeVar("T", bound="DataclassInstance")

_SCALARS = (str, int, float, bool)


class Form:
    """How one field stands in JSON, where it isn't as it is: `wrap` makes that of its value, `unwrap` the value.

    What `unwrap` gives is checked to be of the field's type, or of `kind` where that is given.
    """

    def __init__(self, wrap: Callable[[Any], Any], unwrap: Callable[[Any], Any], kind: Any = None) -> None:
        self.wrap, self.unwrap, self.kind = wrap, unwrap, kind


def _reworded(said: Any) -> Any:
    return Reason.from_json(said) if isinstance(said, dict) else said


# pydantic would make a plain text of a reason.
REASON = Form(lambda said: said.to_json() if isinstance(said, Reason) else said, _reworded, InstanceOf[str] | None)
"""A reason, which keeps its template; a plain text stands as it is."""


class Codec(Generic[T]):
    """Values of one dataclass, and of those in its fields, as JSON values; `forms` are of fields that differ there.

    Reading is strict: no unknown field at any depth, no text for a number, no number for a flag. A whole number stands
    for a float, since canonical JSON writes it so, and a list for a tuple. What has a default may be missing, so that
    records of earlier versions are read.
    """

    def __init__(self, kind: type[T], **forms: Form) -> None:
        self._forms = forms
        self._adapter: TypeAdapter[T] = TypeAdapter(_read_as(kind, forms))

    def encode(self, value: T) -> dict[str, Any]:
        """The value as `canonical_json` takes it."""
        written = field_values(value)
        for name, form in self._forms.items():
            if written[name] is not None:
                written[name] = form.wrap(written[name])
        return written

    def decode(self, value: Any) -> T:
        """The value that `encode` made this of. Raises `ValueError` or `TypeError` for anything else."""
        return self._adapter.validate_python(value)


def _read_as(kind: type["DataclassInstance"], forms: Mapping[str, Form]) -> Any:
    hints = get_type_hints(kind)
    read = {one.name: _of_field(one, hints[one.name], forms.get(one.name)) for one in fields(kind)}
    # What is read has the dataclass's name in messages.
    form = TypedDict(kind.__name__, read)  # type: ignore[misc]
    form.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    return Annotated[form, AfterValidator(lambda found: kind(**found))]


def _of_field(one: "Field[Any]", hint: Any, form: Form | None) -> Any:
    read = _strict(hint)
    if form is not None:
        unwrap = form.unwrap
        read = read if form.kind is None else form.kind
        read = Annotated[read, BeforeValidator(lambda value: None if value is None else unwrap(value))]
    optional = one.default is not MISSING or one.default_factory is not MISSING
    return NotRequired[read] if optional else read


def _strict(hint: Any) -> Any:
    """The type of a field as it is read of JSON values: its scalars strictly, and its lists as tuples."""
    if hint in _SCALARS:
        return Annotated[hint, Strict()]
    if isinstance(hint, type) and is_dataclass(hint):
        return _nested(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal:
        return hint
    read = tuple(part if part is Ellipsis else _strict(part) for part in parts)
    return Union[read] if origin in (Union, UnionType) else origin[read]  # noqa: UP007 - made of a tuple


@cache
def _nested(kind: type["DataclassInstance"]) -> Any:
    return _read_as(kind, {})
