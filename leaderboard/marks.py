"""Where two texts differ, marked in plain text. Pure."""

import re
from difflib import SequenceMatcher

__all__ = ["marked"]

_MOST = 4_000
"""Words beyond which texts are shown without marks: comparing takes time that grows with their square."""


def marked(first: str, second: str) -> tuple[str, str]:
    """Both texts, the words that only one of them has between ⟦ and ⟧."""
    one, other = _words(first), _words(second)
    if max(len(one), len(other)) > _MOST:
        return first, second
    ours, theirs = [], []
    for kind, start, end, begin, stop in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        mine, yours = "".join(one[start:end]), "".join(other[begin:stop])
        ours.append(mine if kind == "equal" or not mine else f"⟦{mine}⟧")
        theirs.append(yours if kind == "equal" or not yours else f"⟦{yours}⟧")
    return "".join(ours), "".join(theirs)


def _words(text: str) -> list[str]:
    """Words, Han characters one by one, and what stands between them."""
    return re.findall(r"[\u4e00-\u9fff]|\s+|[^\s\u4e00-\u9fff]+", text)
