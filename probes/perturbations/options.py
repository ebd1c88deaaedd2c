"""The options of a question in another order."""

import re
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from random import Random

from typing_extensions import override

from harness.core.perturbations import MAX_SEVERITY, SamplePerturbation
from harness.core.requests import Loglikelihood, Request
from harness.core.tasks import Sample
from probes.perturbations.edits import checked

__all__ = ["OptionOrder"]

_LINE = re.compile(r"(?m)^(?P<before>[ \t]*\(?)(?P<letter>[A-Z])(?P<after>[.):][ \t]+)(?P<text>\S.*)$")
_ANSWER = re.compile(r"(?P<before>\s*\(?)(?P<letter>[A-Z])(?P<after>[.)]?\s*)")


class OptionOrder(SamplePerturbation):
    """The lettered options of a question change places; the letters stay in order, and an answer follows its option.

    A model that reads the options chooses the same one in any order; one that likes a letter or a place does not
    (Pezeshkpour and Hruschka, 2024; Zheng et al., 2024). From two options at severity 1 to all of them at 5 stand
    elsewhere. It applies where a question lists its choices in lines that begin with A, B and so on.
    """

    name = "option_order"
    on_embeddings = False

    @override
    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        pairs = [request for request in asked if isinstance(request, Loglikelihood)]
        contexts = {pair.context for pair in pairs}
        if not checked(severity) or len(pairs) < max(len(asked), 2) or len(contexts) > 1:
            return asked
        context = contexts.pop()
        lines = _options(context, sample.question_start, len(pairs))
        places = [_place(pair.continuation, lines) for pair in pairs]
        if None in places or len(set(places)) < len(lines):
            return asked
        moved = rng.sample(range(len(lines)), len(lines))[: max(2, ceil(severity * len(lines) / MAX_SEVERITY))]
        new_place = dict(zip(moved, [*moved[1:], moved[0]], strict=True))
        text = context
        for at, line in reversed(list(enumerate(lines))):
            source = next((old for old, new in new_place.items() if new == at), at)
            text = text[: line.start("text")] + lines[source]["text"] + text[line.end("text") :]
        return [
            replace(pair, context=text, continuation=_renamed(pair.continuation, lines, new_place.get(place, place)))
            for pair, place in zip(pairs, places, strict=True)
            if place is not None
        ]


def _options(context: str, start: int, count: int) -> list[re.Match[str]]:
    """The last lines in a question that are its options: as many as there are answers, lettered from A on."""
    blocks: list[list[re.Match[str]]] = []
    for line in _LINE.finditer(context, start):
        if line["letter"] == "A":
            blocks.append([line])
        elif blocks and blocks[-1][-1].end() + 1 == line.start() and ord(line["letter"]) == ord("A") + len(blocks[-1]):
            blocks[-1].append(line)
    return next((block for block in reversed(blocks) if len(block) == count), [])


def _place(continuation: str, lines: Sequence[re.Match[str]]) -> int | None:
    """Which option an answer names, by its letter or in its words."""
    named = _ANSWER.fullmatch(continuation)
    for at, line in enumerate(lines):
        if (named["letter"] == line["letter"]) if named else (continuation.strip() == line["text"].strip()):
            return at
    return None


def _renamed(continuation: str, lines: Sequence[re.Match[str]], place: int) -> str:
    """The answer by the letter that its option has now; in words, it is the same as ever."""
    named = _ANSWER.fullmatch(continuation)
    return f"{named['before']}{lines[place]['letter']}{named['after']}" if named else continuation
