"""Entities in a sequence of tags, by the conventions of conlleval and seqeval."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Entity", "entities", "entity_type"]

_OUTSIDE = "O"
_PREFIXES = ("B", "I", "E", "S", "L", "U")


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of a type: the words from `start` up to and not including `end`."""

    type: str
    start: int
    end: int


def entity_type(tag: str) -> str | None:
    """The type that a tag is of, None outside of entities: `PER` of `B-PER`; of a tag without prefix, itself."""
    return None if tag == _OUTSIDE else _split(tag)[1]


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of a sentence, in its order.

    IOB1, IOB2 and IOBES (and its other name, BILOU) are read by one rule, that of the CoNLL shared tasks (Tjong Kim
    Sang and De Meulder, 2003) and of seqeval's default (Nakayama, 2018): an entity goes on over tags of one type until
    a prefix begins another one or ends it. So a tag that its scheme forbids, such as I- after O in IOB2, begins an
    entity instead of being lost.
    """
    found: list[Entity] = []
    start, previous = 0, (_OUTSIDE, "")
    for index, tag in enumerate([*tags, _OUTSIDE]):
        current = _split(tag)
        begins = current[0] != _OUTSIDE and (
            current[0] in "BS" or previous[0] in ("E", "S", _OUTSIDE) or previous[1] != current[1]
        )
        if previous[0] != _OUTSIDE and (begins or current[0] == _OUTSIDE):
            found.append(Entity(previous[1], start, index))
        if begins:
            start = index
        previous = current
    return found


def _split(tag: str) -> tuple[str, str]:
    """Prefix and type; BILOU's prefixes under the names of IOBES."""
    prefix, dash, type_ = tag.partition("-")
    if tag == _OUTSIDE:
        return _OUTSIDE, ""
    if not dash or prefix not in _PREFIXES:
        return "I", tag
    return {"L": "E", "U": "S"}.get(prefix, prefix), type_
