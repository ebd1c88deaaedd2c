"""What a server says of how much it read and wrote, held against what it was asked."""

from typing import Any, NamedTuple

from harness.core.text.reasons import Reason

__all__ = ["Usage", "read_usage", "refusal_of_length"]

LONGEST_TOKEN = 256
"""Characters of the longest tokens in use: runs of spaces and signs."""

_OWN_TOKENS = 100_000
"""Tokens that a server may put around a prompt, for a template or a system prompt of its own."""
_END = 1
"""Some count the token that ends a text, too."""


class Usage(NamedTuple):
    """Tokens read, written in all, and written as thoughts; 0 where the server doesn't tell."""

    read: int = 0
    written: int = 0
    thought: int = 0


def read_usage(answer: Any, *, prompt_bytes: int, max_tokens: int, thought_bytes: int = 0) -> Usage | str:
    """The tokens of an answer, or what is wrong with its counts.

    No tokenizer makes more tokens of a text than it has bytes. Of written tokens there are no more than were allowed;
    some servers allow for thoughts beside them.
    """
    usage = answer.get("usage")
    if usage is None:
        return Usage()
    if not isinstance(usage, dict):
        return "the server reports its token counts in an unknown form"
    details = usage.get("completion_tokens_details")
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    counts.append(details.get("reasoning_tokens") if isinstance(details, dict) else None)
    read, wrote, thought = (0 if count is None else count for count in counts)
    for count in (read, wrote, thought):
        if type(count) is not int:
            return "the server reports its token counts in an unknown form"
        if count < 0:
            return Reason("the server counts {count} tokens", count=f"{count:,}")
    if read > prompt_bytes + _OWN_TOKENS:
        return Reason(
            "the server reports {read} tokens read, but the prompt has only {size} bytes",
            read=f"{read:,}",
            size=f"{prompt_bytes:,}",
        )
    if wrote > max_tokens + _END + max(thought, thought_bytes):
        return Reason(
            "the server reports {wrote} tokens written, but only {most} were allowed",
            wrote=f"{wrote:,}",
            most=f"{max_tokens:,}",
        )
    return Usage(read, wrote, thought)


def refusal_of_length(text: str, max_tokens: int) -> str | None:
    """Why a text can't be what so many tokens say; None where it can."""
    if len(text) <= LONGEST_TOKEN * (max_tokens + _END):
        return None
    return Reason(
        "the server wrote {wrote} characters, but only {most} tokens were allowed",
        wrote=f"{len(text):,}",
        most=f"{max_tokens:,}",
    )
