"""Stop strings: whether one stands in what a model wrote, and what is in front of it."""

from collections.abc import Sequence
from typing import Any

__all__ = ["StopSpelling", "cut_at_stop"]


def cut_at_stop(text: str, until: Sequence[str]) -> str:
    """The text before the first of the stop strings."""
    return min((text.split(stop, 1)[0] for stop in until if stop), key=len, default=text)


class StopSpelling:
    """How one tokenizer spells the tokens that a model wrote.

    Special tokens are left out of a text, but stop strings may be spelled with them (`<|im_end|>`), so these are looked
    for where all tokens are shown.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def text(self, token_ids: Sequence[int]) -> str:
        """The text of the tokens, special ones left out."""
        return str(self._tokenizer.decode(list(token_ids), skip_special_tokens=True))

    def stopped(self, token_ids: Sequence[int], until: Sequence[str]) -> bool:
        """Whether one of the stop strings stands in the tokens, special ones shown."""
        if not any(until):
            return False
        shown = self._shown(token_ids)
        return any(stop in shown for stop in until if stop)

    def before_stop(self, token_ids: Sequence[int], until: Sequence[str]) -> str:
        """The text in front of the first of the stop strings, special tokens left out."""
        shown, text = self._shown(token_ids), self.text(token_ids)
        before = cut_at_stop(shown, until)
        if text == shown or before == shown:
            return cut_at_stop(text, until)
        whole = len(token_ids)
        while not before.startswith(self._shown(token_ids[:whole])):
            whole -= 1
        text = self.text(token_ids[:whole])
        # Of the token in which the stop string begins, what is in front of it; of a special one, nothing.
        rest = text + before[len(self._shown(token_ids[:whole])) :]
        partly = self.text(token_ids[: whole + 1])
        return cut_at_stop(rest if partly.startswith(rest) else text, until)

    def _shown(self, token_ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(token_ids), skip_special_tokens=False))
