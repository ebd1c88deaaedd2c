"""Which of the parameters of OpenAI's chats a server takes, for newer models refuse some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Dialect"]

_UNFIT = (400, 422)
"""HTTP errors for parameters that a server doesn't take."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a chat is asked for: under which name the number of tokens goes, and whether a temperature may."""

    budget: str = "max_tokens"
    takes_temperature: bool = True

    def body(self, model: str, messages: Sequence[Mapping[str, Any]], max_tokens: int) -> dict[str, Any]:
        """The request for the answer to a chat, whose turns have a role and a content; greedy where that can be asked.

        It holds no stop strings: a server looks for them in a model's thoughts, too.
        """
        body = {"model": model, "messages": [dict(message) for message in messages], self.budget: max_tokens}
        return body | {"temperature": 0} if self.takes_temperature else body

    def after(self, status: int, refusal: str) -> "Dialect | None":
        """What to try once the server has refused this one in these words; None where they are about something else."""
        if status not in _UNFIT:
            return None
        if self.budget == "max_tokens" and ("max_tokens" in refusal or "max_completion_tokens" in refusal):
            return replace(self, budget="max_completion_tokens")
        return replace(self, takes_temperature=False) if self.takes_temperature and "temperature" in refusal else None
