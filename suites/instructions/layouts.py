"""Instructions on how a text looks: brackets, quotation marks, lists, lines, templates."""

import re
from itertools import pairwise
from string import digits, punctuation

from suites.instructions.texts import Arguments, Verifier, bare, sentences_of, tokens_of, without_punctuation

__all__ = ["LAYOUTS"]

_CLOSING = {")": "(", "]": "[", "}": "{"}
_DEEP_BRACKETS = 5
_DEEP_QUOTES = 3
_TEMPLATE = ("My Answer:", "My Conclusion:", "Future Outlook:")
_LETTERED = re.compile(r"\W*[aA]\W*[bB]\W*[cC]\W*")
_EMOJI = r"[\p{Emoji}--[#*0-9\U0001F1E6-\U0001F1FF]]"
"""A character that is an emoji by itself; digits and the letters of flags are none."""


def _nested_brackets(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Five levels are open and the innermost closes; a bracket that closes another kind begins anew."""
    opened: list[str] = []
    deepest = 0
    for sign in text:
        if sign in "([{":
            opened.append(sign)
            deepest = max(deepest, len(opened))
        elif sign in _CLOSING:
            if not opened or opened.pop() != _CLOSING[sign]:
                opened, deepest = [], 0
            elif deepest >= _DEEP_BRACKETS:
                return True
    return False


def _nested_quotes(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Three levels of alternating plain marks, of which so many close again; an apostrophe is such a mark, too."""
    opened: list[str] = []
    deepest = 0
    for sign in text:
        if opened and sign == opened[-1]:
            opened.pop()
            if deepest - len(opened) >= _DEEP_QUOTES:
                return True
        elif sign in "\"'":
            opened.append(sign)
            deepest = max(deepest, len(opened))
    return False


def _options(text: str, told: Arguments) -> bool:
    """One of the options and nothing else; to the letter where they are `a), b), c)`."""
    listed = str(told["options"])
    separator = next((one for one in ("/", "or") if one in listed), ",")
    options = [option.strip() for option in listed.split(separator)]
    if _LETTERED.match(listed):
        return text in options
    return bare(text).lower() in {bare(option).lower() for option in options}


def _word_a_line(text: str, told: Arguments) -> bool:  # noqa: ARG001
    text = without_punctuation(text).strip()
    return len([line for line in text.split("\n") if line]) == len(text.split())


def _emoji_behind_sentences(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """The last sign but punctuation, or the last but one, or the first of the next sentence."""
    import regex  # knows what is an emoji

    is_emoji = regex.compile(_EMOJI, regex.V1).fullmatch
    parts = [without_punctuation(sentence).strip() for sentence in sentences_of(text)]
    return all(
        part and any(map(is_emoji, part[-2:] + later[:1])) for part, later in zip(parts, [*parts[1:], ""], strict=True)
    )


def _stairs(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Each line further in than the one before it; of several empty lines in a row some count as lines.

    So they do for the publisher, whose check changes a list while it goes through it.
    """
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            lines.remove(lines[place])
        place += 1
    depths = [len(line) - len(line.lstrip(" ")) for line in lines]
    return all(later > earlier for earlier, later in pairwise(depths))


def _explained_quotes(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """No quotation stands next to another, and none at the end."""
    text = text.replace("“", '"').replace("”", '"').replace("'\"'", "")
    text = "".join(text.split())
    return '""' not in text and text.strip(digits + punctuation.replace('"', ""))[-1:] not in ("", '"')


def _own_bullets(text: str, told: Arguments) -> bool:
    """The sign for items stands there twice, wherever."""
    return text.count(str(told["sep"])) >= 2


def _italic_thesis(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Something in italics as HTML has them, and something behind it."""
    start = next((place for tag in ("<i>", "<em>") if (place := text.find(tag)) >= 0), None)
    if start is None:
        return False
    text = text[start:]
    end = next((place for tag in ("</i>", "</em>") if (place := text.find(tag)) >= 0), None)
    return end is not None and bool(text[3:end].strip() and text[end + 4 :].strip())


def _sub_bullets(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """A `-` behind each `*`, if there is any."""
    return all("-" in behind for behind in text.split("*")[1:])


def _sentences_then_bullets(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Two sentences or more, then two lines or more that begin with `*`; an empty line is one where sentences end."""
    before = bullets = 0
    open_for_sentences = True
    for line in map(str.strip, text.split("\n")):
        if line.startswith("*"):
            open_for_sentences = False
            bullets += 1
            if before < 2:
                return False
        elif not open_for_sentences:
            return False
        else:
            found = len(sentences_of(line))
            before, open_for_sentences = before + found, found > 0
    return bullets >= 2


def _title_case(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """No word that begins small and goes on in one case, as far as it is of letters; `n't` counts as such a word."""
    return not any(token[0].islower() and (token[1:].islower() or token[1:].isupper()) for token in tokens_of(text))


def _template(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return all(part in text for part in _TEMPLATE)


def _no_space(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return not any(map(str.isspace, text))


LAYOUTS: dict[str, Verifier] = {
    "format:parentheses": _nested_brackets,
    "format:quotes": _nested_quotes,
    "format:options": _options,
    "format:newline": _word_a_line,
    "format:emoji": _emoji_behind_sentences,
    "format:line_indent": _stairs,
    "format:quote_unquote": _explained_quotes,
    "format:list": _own_bullets,
    "format:thesis": _italic_thesis,
    "format:sub-bullets": _sub_bullets,
    "format:no_bullets_bullets": _sentences_then_bullets,
    "format:title_case": _title_case,
    "format:output_template": _template,
    "format:no_whitespace": _no_space,
}
