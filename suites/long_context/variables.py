"""Variables that get their values from each other, scattered over a long text."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from typing_extensions import override

from harness.core.tasks import Sample
from harness.tasks.extraction import Extracted
from suites.long_context.haystack import Haystack, filler, spread

__all__ = ["VariableTracking"]

HOPS = 4
CHAINS = 2
_VARIABLE = re.compile(r"\b[A-Z]{5}\b")


class VariableTracking(Haystack):
    """Names the variables that hold a value, each having it from the one before, all over a long text.

    What it measures. Two chains of five assignments (`VAR QWERT = 48172`, `VAR ASDFG = VAR QWERT`) stand in a text in
    order; the model is asked which variables hold the value of each. Right is the answer that names all five and none
    of the other chain. It is RULER's variable tracking (Hsieh et al., 2024) with a second chain, which a model that
    lists all variables falls for.

    Why it matters. To follow a reference to a reference is what reading a contract or a program takes; finding a single
    sentence isn't enough.

    Limits. As those of `needles`. An example of the form is given, with another chain. Small models name the first
    variable alone: they score 0.
    """

    name = "variable_tracking"
    max_tokens = 48
    default_limit = 6

    @override
    def asked(self, rng: Random, words: int) -> Iterator[tuple[str, str, Sequence[str], str]]:
        names: list[str] = []
        while len(names) < (HOPS + 1) * (CHAINS + 1):
            name = "".join(rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(5))
            names += [] if name in names else [name]
        values = [str(rng.randrange(10**4, 10**5)) for _ in range(CHAINS + 1)]
        chains = [names[at * (HOPS + 1) : (at + 1) * (HOPS + 1)] for at in range(CHAINS + 1)]
        example, *real = zip(chains, values, strict=True)
        places = [sorted(rng.random() for _ in range(HOPS + 1)) for _ in real]
        hidden = [
            (place, line)
            for (chain, value), at in zip(real, places, strict=True)
            for place, line in zip(at, _lines(chain, value), strict=True)
        ]
        shown = f"{' '.join(_lines(*example))}\n{_question(example[1])} {', '.join(example[0])}"
        text = spread(filler(rng, words), hidden)
        for number, (chain, value) in enumerate(real, 1):
            yield f"{shown}\n\n{text}\n{_question(value)}", "", chain, f"chain-{number}"

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The names of variables, each once, in order of the alphabet."""
        found = sorted(set(_VARIABLE.findall(text)))
        return Extracted(", ".join(found), "names of variables") if found else None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return answer.split(", ") == sorted(sample.fields["right"])


def _lines(chain: Sequence[str], value: str) -> list[str]:
    sources = [value, *(f"VAR {name}" for name in chain)]
    return [f"VAR {name} = {source}." for name, source in zip(chain, sources, strict=False)]


def _question(value: str) -> str:
    return f"Question: Which variables hold the value {value}? Answer:"
