"""What has the form of personal data and isn't: marks of steps and times, outlines, versions, counts, decimals."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from itertools import pairwise

__all__ = ["RULES", "mistaken"]

RULES: Mapping[str, str] = {
    "what names an outline or a version": r"(?:\b(?:versions?|ver|release|build|sections?|sec|chapters?|ch|clauses?|"
    r"articles?|figures?|fig|tables?|steps?|paragraphs?|para|appendix|exercises?|macos|os|ios|android|kernel|firmware|"
    r"python|windows)[.:]?|[§v])\s*$",
    "what names an identifier": r"(?:\b(?:id|ids|isbn|issn|doi|pmid|upc|ean|sku|asin|order|invoice|serial|ticket|case|"
    r"ref|reference|tracking|barcode|timestamp|epoch|patent|item|part|lot|batch)(?:\s+(?:no|nr|number|code))?[.:]?"
    r"|[#$€£¥=])\s*[#:]?\s*$",
}
"""Regular expressions, matched without regard to case against what stands before a find."""

_NOT_AN_ADDRESS, _NOT_A_PHONE = (re.compile(rule, re.IGNORECASE) for rule in RULES.values())
_DECIMAL = re.compile(r"\d*[.,]\d+")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_FEWEST_GROUPS, _LARGEST_STEP = 3, 10


def mistaken(kind: str, text: str, start: int, end: int) -> bool:
    """Whether the find of a kind between two places of a text is no such thing, by what it is and stands behind."""
    rule = _BY_KIND.get(kind)
    return rule is not None and rule(text, start, end)


def _no_address(text: str, start: int, end: int) -> bool:
    before, found = text[:start], text[start:end]
    try:
        address = ipaddress.ip_interface(found.partition("%")[0]).ip
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return _no_host(address, found)
        address = address.ipv4_mapped
    part_of_more = re.match(r"\.\d", text[end:]) or re.search(r"\d\.$", before)
    return bool(part_of_more or _NOT_AN_ADDRESS.search(before)) or _of_nobody(address)


def _no_host(address: ipaddress.IPv6Address, found: str) -> bool:
    """Of nobody, a network, or so short that it is likelier a ratio, a time or a name of C++ (`2::30`, `a::b`)."""
    groups = [group for group in re.split("[:/%]", found) if group]
    return _of_nobody(address) or found.endswith(":") or len(groups) < (2 if address.is_link_local else 3)


def _of_nobody(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    in_first_eighth = address.version == 4 and int(address) >> 24 == 0
    return (
        address.is_reserved or address.is_multicast or address.is_loopback or address.is_unspecified or in_first_eighth
    )


def _no_phone(text: str, start: int, end: int) -> bool:
    before, found = text[:start], text[start:end]
    groups = re.findall(r"\d+", found)
    return bool(
        _DECIMAL.fullmatch(found)
        or re.search(r"\d[.,]$", before)
        or (found.isdigit() and _NOT_A_PHONE.search(before))
        or (len(groups) >= _FEWEST_GROUPS and (all(map(_YEAR.fullmatch, groups)) or _counts(groups)))
    )


def _counts(groups: list[str]) -> bool:
    """Whether each number is as much more than the one before it, and hardly so, as in 02 04 06 08 10."""
    steps = {int(second) - int(first) for first, second in pairwise(groups)}
    return len(steps) == 1 and abs(*steps) <= _LARGEST_STEP


_BY_KIND: Mapping[str, Callable[[str, int, int], bool]] = {"IP_ADDRESS": _no_address, "PHONE_NUMBER": _no_phone}
