"""How long work tells how far it is."""

from typing import Protocol

__all__ = ["Progress", "Quiet"]


class Progress(Protocol):
    """Gets told what is being done, how much there is, and what is finished."""

    def note(self, text: str) -> None:
        """Something worth a line."""
        ...

    def begin(self, total: int) -> None:
        """From here on there are `total` steps, those that are done among them."""
        ...

    def phase(self, name: str) -> None:
        """The steps that follow belong to `name`."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many steps are finished."""
        ...

    def foresee(self, seconds: float) -> None:
        """The steps that are left take about so long."""
        ...


class Quiet(Progress):
    """Says nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def begin(self, total: int) -> None:
        """Nothing."""

    def phase(self, name: str) -> None:
        """Nothing."""

    def advance(self, steps: int = 1) -> None:
        """Nothing."""

    def foresee(self, seconds: float) -> None:
        """Nothing."""
