"""Which numbers of a text say how many: telephone numbers, dates, postcodes, codes, labels and names don't."""

import re

__all__ = ["is_long_quantity", "is_quantity"]

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_LABEL = (
    r"(?:step|chapter|section|part|figure|fig|table|pages?|pp?|room|nos?|nr|number|article|clause|lines?|level|grade|"
    r"question|exercise|version|route|highway|flight|gate|platform|channel|volume|vol|issue|psalm|verse|act|scene|size|"
    r"type|class|apartment|apt|unit|box|bus|track|lesson|item|option|model|series|season|episode|isbn|id)"
)
_CODE = (
    r"(?:call(?:s|ed|ing)?|dial(?:s|led|ling)?|phone|telephone|tel|mobile|fax|text|hotline|zip|zipcode|postcode|postal|"
    r"code|pin|account|acct|order|invoice|serial|ticket|case|ref|reference|tracking|card|passport|patent|iban|isbn|id)"
)

_LINE_LABEL = re.compile(r"(?:\A|\n)[ \t]*\d+[.):]\Z")
_BEFORE = re.compile(
    rf"\d[ \u00a0\u202f.()]+\Z|[\d)]-\Z|[#+@*^_'\"(\[=]\Z|(?i:\b{_LABEL})[.:]?\s*\Z|\b{_MONTH}\s*(?:the\s+)?\Z"
    r"|[a-z,;]\s+[A-Z][\w.-]*\s+\Z"
)
"""What stands before a number that is no quantity: figures, a mark, a label, a month, a name within a sentence."""
_AFTER = re.compile(
    rf"[ \u00a0\u202f]*(?:[(-]?\d|%|(?:of\s+)?{_MONTH}(?!\w)|o'clock|[ap]\.?m\b)|[°'\"\u2032\u2033)\]=^]"
)  # fmt: skip
"""What stands behind one: figures, a part of a hundred, a month, a time, a mark."""

_CODED = re.compile(rf"(?i:\b{_CODE}\b[^.!?;\n]*)\Z|\b[A-Z]{{2,}}\s+\Z")
_COUNTED = re.compile(
    r"\s+(?!(?:and|but|for|from|with|when|before|after|until|now|today|the|please|instead|again)\b)[a-z]{3,}"
)
_MOST_DIGITS = 9


def is_quantity(text: str, start: int, end: int) -> bool:
    """Whether the whole number between two places of a text says how many there are of something."""
    before, after = text[:start], text[end:]
    labelled = _LINE_LABEL.search(text[: end + 1])
    return not (labelled or _BEFORE.search(before) or _AFTER.match(after))


def is_long_quantity(text: str, start: int, end: int) -> bool:
    """The same of five figures or more without a comma, which may be a code: what is counted must stand behind it."""
    before, after = text[:start], text[end:]
    named = before.endswith(("€", "£", "¥")) or _COUNTED.match(after)
    coded = end - start > _MOST_DIGITS or _CODED.search(before)
    return bool(named and not coded) and is_quantity(text, start, end)
