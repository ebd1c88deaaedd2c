"""The words that a long list holds most often."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from typing_extensions import override

from harness.core.tasks import Sample
from harness.tasks.extraction import Extracted
from suites.long_context.haystack import Haystack

__all__ = ["CommonWords"]

COMMON, OFTEN, RARELY = 3, 12, 2
_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
_WORD = re.compile(r"[a-z]+")


class CommonWords(Haystack):
    """Names the three words that stand in a long list most often.

    What it measures. A list of made-up words, three of which stand in it at least six times as often as any other, in
    any order; the model is asked for the three. It is RULER's common words extraction (Hsieh et al., 2024), which asks
    for ten. Right is the answer that names the three and no other word of the list.

    Why it matters. It can't be answered by finding a place: the whole text has to be taken in.

    Limits. As those of `needles`. Made-up words are some four tokens each: by another tokenizer a list may be a third
    longer or shorter than its length says.
    """

    name = "common_words"
    max_tokens = 48
    default_limit = 4

    @override
    def asked(self, rng: Random, words: int) -> Iterator[tuple[str, str, Sequence[str], str]]:
        # Each word is some four tokens, with the comma behind it.
        length = max(words * 3 // 10, 60)
        common_share = max(OFTEN, length // 8)
        rare_count = max((length - COMMON * common_share) // RARELY, 10)
        made: set[str] = set()
        while len(made) < COMMON + rare_count:
            made.add("".join(rng.choice(_SYLLABLES) for _ in range(3)))
        ordered = sorted(made)
        rng.shuffle(ordered)
        common, rare = ordered[:COMMON], ordered[COMMON:]
        listed = [*common * common_share, *rare * RARELY]
        rng.shuffle(listed)
        question = f"Question: Which {COMMON} words stand in the list most often? Answer: The {COMMON} words are"
        yield f"A list of words: {', '.join(listed)}.\n\n{question}", "", common, "list"

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The words of the list that the answer names, each once, in order of the alphabet."""
        known = set(_WORD.findall(sample.prompt.partition("\n\n")[0].partition(": ")[2]))
        found = sorted(known & set(_WORD.findall(text.lower())))
        return Extracted(", ".join(found), "words of the list") if found else None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return answer.split(", ") == sorted(sample.fields["right"])
