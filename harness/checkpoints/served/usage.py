"""What a server says of how much it read and wrote, held against what it was asked."""

from typing import Any

__all__ = ["read_usage", "refusal_of_length"]

LONGEST_TOKEN = 256
"""Characters of the longest tokens in use: runs of spaces and signs."""

_OWN_TOKENS = 100_000
"""Tokens that a server may put around a prompt, for a template or a system prompt of its own."""
_END = 1
"""Some count the token that ends a text, too."""


def read_usage(answer: Any, *, prompt_bytes: int, max_tokens: int, thought_bytes: int = 0) -> tuple[int, int] | str:
    """The tokens read and written, 0 where the server doesn't tell; or what is wrong with its counts.

    No tokenizer makes more tokens of a text than it has bytes. Of written tokens there are no more than were allowed;
    some servers allow for thoughts beside them.
    """
    usage = answer.get("usage")
    if usage is None:
        return 0, 0
    if not isinstance(usage, dict):
        return "the server's counts of tokens have an unknown form"
    details = usage.get("completion_tokens_details")
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    counts.append(details.get("reasoning_tokens") if isinstance(details, dict) else None)
    read, wrote, thought = (0 if count is None else count for count in counts)
    for count in (read, wrote, thought):
        if type(count) is not int:
            return "the server's counts of tokens have an unknown form"
        if count < 0:
            return f"the server counts {count:,} tokens"
    if read > prompt_bytes + _OWN_TOKENS:
        return f"the server says that it read {read:,} tokens, and the prompt has {prompt_bytes:,} bytes"
    if wrote > max_tokens + _END + max(thought, thought_bytes):
        return f"the server says that it wrote {wrote:,} tokens, and {max_tokens:,} were allowed"
    return read, wrote


def refusal_of_length(text: str, max_tokens: int) -> str | None:
    """Why a text can't be what so many tokens say; None where it can."""
    if len(text) <= LONGEST_TOKEN * (max_tokens + _END):
        return None
    return f"the server wrote {len(text):,} characters, and {max_tokens:,} tokens were allowed"
