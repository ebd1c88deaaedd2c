"""Stop strings: whether one stands in what a model wrote, and what is in front of it."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from harness.core.requests import Stop
from harness.engine.writing.replies import ENDED_IN_THOUGHTS, THOUGHTS_TOO_LONG
from harness.engine.writing.thoughts import answer_start, opened_by

__all__ = ["StopSpelling", "cut_at_stop"]


def cut_at_stop(text: str, until: Sequence[str]) -> str:
    """The text before the first of the stop strings."""
    return min((text.split(stop, 1)[0] for stop in until if stop), key=len, default=text)


_NEAR = 8
"""Tokens in front of those that may spell a stop string: a text that is cut may be spelled another way at its start."""
_LAST = 16
"""Tokens of a prompt among which a marker at its end is looked for."""

_CALL_MARKS = (
    *("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<|python_tag|>", "<|python_start|>"),
    *(
        "<\uff5ctool\u2581call\u2581begin\uff5c>",
        "<\uff5ctool\u2581sep\uff5c>",
        "<\uff5ctool\u2581call\u2581end\uff5c>",
    ),
)
"""Tokens without which a call couldn't be told from other text."""


class StopSpelling:
    """How one tokenizer spells the tokens that a model wrote.

    Special tokens are left out of a text, but stop strings may be spelled with them (`<|im_end|>`), and so may what
    ends a model's thoughts: both are looked for where all tokens are shown. A stop string in thoughts is none.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._words = len(tokenizer)
        special = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._special = {*special, *tokenizer.all_special_ids}
        self._marks = {number for number, token in special.items() if token in _CALL_MARKS}

    def text(self, token_ids: Sequence[int]) -> str:
        """The text of the tokens, special ones left out but for those that mark the calls of functions."""
        if self._marks.isdisjoint(token_ids):
            return str(self._tokenizer.decode(list(token_ids), skip_special_tokens=True))
        kept = [one for one in token_ids if one in self._marks or one not in self._special]
        return str(self._tokenizer.decode(kept, skip_special_tokens=False))

    def opened_by(self, prompt: Sequence[int]) -> str | None:
        """The marker by which a prompt has the model begin inside its thoughts; None where it has none."""
        # A token with noise bears a number of its own, beyond all words.
        return opened_by(self._shown([token for token in prompt[-_LAST:] if token < self._words]))

    def stopped(self, token_ids: Sequence[int], until: Sequence[str], opened: str | None = None) -> bool:
        """Whether one of the stop strings stands in the answer, special tokens shown; `opened` is of the prompt."""
        if not any(until):
            return False
        shown = self._shown(token_ids)
        start = answer_start(shown, opened)
        return start is not None and any(stop in shown[start:] for stop in until if stop)

    def just_stopped(self, token_ids: Sequence[int], until: Sequence[str], opened: str | None = None) -> bool:
        """As `stopped`, of tokens that were not stopped without the last: most often seen by the last few alone."""
        near = max((len(stop.encode()) for stop in until), default=0) + _NEAR
        if len(token_ids) > near:
            last, before = self._shown(token_ids[-near:]), self._shown(token_ids[-near:-1])
            if not any(last.count(stop) > before.count(stop) for stop in until if stop):
                return False
        return self.stopped(token_ids, until, opened)

    def reply(
        self, token_ids: Sequence[int], until: Sequence[str], stop: Stop, opened: str | None = None
    ) -> dict[str, Any]:
        """The fields of a `Response` that say what was written: the answer without thoughts, and how it ended."""
        shown = self._shown(token_ids)
        start = answer_start(shown, opened)
        if start == 0:
            return {"text": self.before_stop(token_ids, until), "stop": stop}
        told = {"raw_text": shown, "stop": stop}
        if start is None:
            reason = THOUGHTS_TOO_LONG if stop == "length" else ENDED_IN_THOUGHTS
            return {**told, "thinking_token_count": len(token_ids), "invalid": reason}
        head, places = shown[:start], range(len(token_ids) + 1)
        count = bisect_left(places, True, key=lambda end: self._shown(token_ids[:end]).startswith(head))
        if self._shown(token_ids[:count]) == head:
            text = self.before_stop(token_ids[count:], until)
        else:
            # A token ends the thoughts and begins the answer, maybe in the middle of a character.
            while not head.startswith(self._shown(token_ids[:count])):
                count -= 1
            whole, rest = self.text(token_ids[count:]), shown[len(self._shown(token_ids[:count])) : start]
            text = cut_at_stop(whole.removeprefix(rest) if whole.startswith(rest) else whole.lstrip(), until)
        return {**told, "text": text, "thinking_token_count": count}

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
