"""Tasks that ask another task's questions of a model and of a reference."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self, TypeVar

from typing_extensions import override

from harness.core.errors import RecordError
from harness.core.tasks import Task
from harness.tasks.wrapped import WrappedTask

__all__ = ["FIDELITY", "ReferredTask"]

FIDELITY = "fidelity"
"""What stands before the colon: `fidelity:piqa`."""

_REFERENCE = "reference"
"""The reference's fingerprint in the definition."""

Asked = TypeVar("Asked", bound=Task)


class ReferredTask(WrappedTask[Asked]):
    """A task around `inner` whose scores hang on a reference (`UsesReference`), which is a part of its definition."""

    def __init__(self, inner: Asked) -> None:
        super().__init__(FIDELITY, inner)
        self.reference = ""
        own = {"inner": dict(inner.definition)} if inner.definition else {}
        self.definition: Mapping[str, Any] = MappingProxyType(own)

    def use_reference(self, fingerprint: str) -> None:
        """Ask about this reference from here on."""
        self.reference = fingerprint
        self.definition = MappingProxyType({**self.definition, _REFERENCE: fingerprint})

    @override
    def as_recorded(self, definition: Mapping[str, Any]) -> Self:
        fingerprint = definition.get(_REFERENCE)
        if not isinstance(fingerprint, str):
            raise RecordError("its definition names no reference", place=self.name)
        self.use_reference(fingerprint)
        return self
