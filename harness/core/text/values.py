"""Immutable values as dictionaries."""

from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["field_values"]


def field_values(value: "DataclassInstance") -> dict[str, Any]:
    """A dataclass's fields by name, the values themselves; `dataclasses.asdict` copies each to the bottom, and is slow.

    A field that is a dataclass becomes a dictionary, too; those in a field's sequence don't.
    """
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {
        name: asdict(one) if is_dataclass(one) and not isinstance(one, type) else one for name, one in found.items()
    }
