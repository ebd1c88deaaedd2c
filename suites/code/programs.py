"""The program that an answer stands for: the beginning of a function with what was written behind it, or a block."""

import re
from textwrap import dedent, indent

from harness.tasks.extraction import Extracted, fenced

__all__ = ["completion", "program_in"]


def completion(beginning: str, text: str) -> Extracted:
    """What goes on where `beginning` ends, as a base model writes."""
    return Extracted(answer=beginning + text, by="completion")


def program_in(beginning: str, name: str, text: str) -> Extracted | None:
    """The program in an answer of a chat: the last fenced block that defines the function `name`.

    Else the last block, or a text without any, as the function's body; a text that defines it needs no fence. What
    stands in `beginning`, such as imports, is there for all of them. None where there is no code.
    """
    blocks = [dedent(block) for block in fenced(text)]
    whole = [block for block in blocks or [text] if _defines(block, name)]
    if whole:
        return Extracted(answer=f"{beginning}\n{whole[-1]}", by="fenced function" if blocks else "function")
    bodies = [block for block in blocks if block.strip()]
    if bodies:
        return Extracted(answer=beginning + indent(bodies[-1], "    "), by="fenced body")
    if not blocks and text.startswith(("    ", "\t")):
        return completion(beginning, text)
    return None


def _defines(block: str, name: str) -> bool:
    """By its lines: no stranger's text is parsed outside of the sandbox."""
    return bool(re.search(rf"^(?:(?:async\s+)?def\s+{re.escape(name)}\b|{re.escape(name)}\s*=)", block, re.MULTILINE))
