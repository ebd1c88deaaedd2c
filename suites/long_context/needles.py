"""Numbers that are hidden in a long text, one of which is asked for."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Sample
from harness.metrics.written import by_groups
from harness.tasks.extraction import Extracted
from suites.long_context.haystack import PLACE, Haystack, filler, spread

__all__ = ["Needles"]

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_NAMES = ("Alva", "Boris", "Chen", "Dara", "Emil", "Fatima", "Goran", "Hana", "Ivo", "Jamal", "Kaia", "Liang", "Mona")
_NUMBER = re.compile(r"(?<!\d)\d(?:[.,'\s]?\d){6}(?!\d)")
"""Seven digits, with separators of thousands or without."""
_ANY = re.compile(r"\d+")


class Needles(Haystack):
    """Finds the number of one person in a long text that names the numbers of five.

    What it measures. Five sentences (`The secret number of Hana is 4817263.`) stand in a text of others, at its
    beginning, at its end and between; the model is asked for each. It is the needle in a haystack with several keys of
    RULER (Hsieh et al., 2024, after Kamradt, 2023). `accuracy_all` by `length` and `depth` says where it loses them.

    Why it matters. A window that is declared is not a window that is used: models lose what stands in the middle, or
    beyond the length that they were trained on.

    Limits. Made-up sentences, so nothing of it is in any training data, and nothing of it is like a real document. To
    find a number is the least that can be asked of a long text. Lengths are nominal: 0.85 words for a token.
    """

    name = "needles"
    metrics: Sequence[Metric] = by_groups(("length", "depth", PLACE))

    @override
    def asked(self, rng: Random, words: int) -> Iterator[tuple[str, str, Sequence[str], str]]:
        names = rng.sample(_NAMES, len(DEPTHS))
        numbers = [str(rng.randrange(10**6, 10**7)) for _ in names]
        hidden = [
            (depth, f"The secret number of {name} is {number}.")
            for depth, name, number in zip(DEPTHS, names, numbers, strict=True)
        ]
        text = spread(filler(rng, words), hidden)
        for depth, name, number in zip(DEPTHS, names, numbers, strict=True):
            question = f"Question: In the text above, what is the secret number of {name}?"
            prompt = f"{text}\n\n{question}\nAnswer: The secret number of {name} is"
            yield prompt, f"{depth * 100:.0f} %", (number,), name

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The first number of seven digits, or else the first."""
        found = _NUMBER.search(text) or _ANY.search(text)
        return Extracted(re.sub(r"\D", "", found[0]), "first number") if found else None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return answer in sample.fields["right"]
