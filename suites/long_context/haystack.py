"""Texts of any length without a meaning of their own, in which something is hidden, and what is asked about them."""

import copy
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Any, Self

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.metrics import Metric
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from harness.core.text.reasons import Reason
from harness.metrics.written import by_groups
from harness.tasks.written import Written

__all__ = ["PLACE", "Haystack", "filler", "spread"]

WORDS_PER_TOKEN = 0.85
"""Of these sentences, by tokenizers in use: a length in tokens is of so many words."""
_ROOM = 0.85
"""The share of a window that a text may take: tokenizers differ, and question and answer need room."""
_SHORTEST, _LONGEST = 512, 1 << 20
_IN_CHAT = 96
"""Tokens of an answer in a chat."""
PLACE = "length and depth"
"""The group of what stands at one depth of texts of one length, `1024, 50 %`."""
HAYSTACKS = 20
"""Texts of each length in all."""

_THINGS = ("river", "lamp", "garden", "letter", "bridge", "window", "kettle", "orchard", "ladder", "carpet", "harbour")
_KINDS = ("old", "quiet", "green", "broken", "narrow", "heavy", "pale", "distant", "warm", "crooked", "simple")
_DEEDS = ("stood near", "belonged to", "faced", "was older than", "looked like", "came after", "was sold with")


class Haystack(Written):
    """Questions about long texts, the text first, so that all questions about one read it once.

    There is a text of each length that fits the model's window, from 512 tokens on, each twice the one before. With
    a limit the first questions are about one text of each length, the next about another. What is hidden is drawn for
    each question by itself, so questions about one text count as independent.
    """

    supports_fewshot = False
    until: Sequence[str] = ("\n",)
    max_tokens = 24
    default_limit = 15
    metrics: Sequence[Metric] = by_groups(("length",))
    recorded_lengths: Sequence[int] = ()
    """Those of a run that is scored again, whose window nobody knows any more."""

    def __init__(self) -> None:
        self._say_lengths([_SHORTEST])

    def _say_lengths(self, lengths: Sequence[int]) -> None:
        self.lengths = tuple(lengths)
        self.definition: Mapping[str, Any] = MappingProxyType({**self.definition, "lengths": list(lengths)})

    @abstractmethod
    def asked(self, rng: Random, words: int) -> Iterator[tuple[str, str, Sequence[str], str]]:
        """Of one new text of about so many words: prompt, depth (a share, as `50 %`; empty for none), what is right,
        and the name of the question."""

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        if self.suited(checkpoint).lengths:
            return None
        window = checkpoint.max_length or 0
        return Reason("a text of {length} tokens doesn't fit a window of {window}", length=_SHORTEST, window=window)

    @override
    def suited(self, checkpoint: Checkpoint) -> Self:
        """With a text of each length that fits the window; of a model that has none, up to 8,192 tokens."""
        task = copy.copy(self)
        if checkpoint.has_chat_template:
            # A chat may answer in a sentence, or in a list.
            task.until, task.max_tokens = (), self.sampling.max_tokens or _IN_CHAT
        window = (checkpoint.max_length or 10_000) - task.max_tokens
        task._say_lengths(self.recorded_lengths or _fitting(window))
        return task

    @override
    def as_recorded(self, definition: Mapping[str, Any]) -> Self:
        """With texts of the lengths that fitted the model of the run."""
        task = super().as_recorded(definition)
        lengths = definition.get("lengths")
        if isinstance(lengths, list) and lengths and lengths == _fitting(math.inf)[: len(lengths)]:
            task.recorded_lengths = lengths
        return task

    @override
    def sample(self, row: Row) -> Sample:
        raise NotImplementedError("texts are made, and not read from rows")

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Questions about the first text of each length, then about the second, up to the limit."""
        made = list(self._made(settings))
        self.data_digest = digest([[one.id, one.prompt, one.gold] for one in made])
        return made

    def _made(self, settings: TaskSettings) -> Iterator[Sample]:
        count = 0
        for number in range(HAYSTACKS):
            for length in self.lengths:
                text = f"{number}-{length}"
                rng = Random(f"{settings.seed}:{self.name}:{text}")
                for prompt, depth, right, name in self.asked(rng, int(length * WORDS_PER_TOKEN)):
                    if count == settings.limit:
                        return
                    count += 1
                    placed = {"depth": depth, PLACE: f"{length}, {depth}"} if depth else {}
                    groups = {"length": str(length), **placed}
                    yield Sample(
                        id=f"{settings.seed}-{text}-{name}",
                        prompt=prompt,
                        gold=", ".join(right),
                        fields={"right": tuple(right), "groups": groups},
                    )

    @override
    def groups(self, sample: Sample) -> Mapping[str, str]:
        """The text's length, and the depth in it of what is asked for."""
        groups: Mapping[str, str] = sample.fields["groups"]
        return groups


def filler(rng: Random, words: int) -> list[str]:
    """Sentences of about so many words together, each of nothing in particular."""
    sentences: list[str] = []
    written = 0
    while written < words:
        first, second = rng.sample(_THINGS, 2)
        sentence = f"The {rng.choice(_KINDS)} {first} {rng.choice(_DEEDS)} the {rng.choice(_KINDS)} {second}."
        written += len(sentence.split())
        sentences.append(sentence)
    return sentences


def spread(sentences: Sequence[str], hidden: Sequence[tuple[float, str]]) -> str:
    """The sentences as a text, with each of the hidden ones behind such a share of them, in order."""
    whole = list(sentences)
    for depth, sentence in sorted(hidden, reverse=True, key=lambda one: one[0]):
        whole.insert(round(depth * len(sentences)), sentence)
    return " ".join(whole)


def _fitting(window: float) -> list[int]:
    lengths, length = [], _SHORTEST
    while length <= min(window * _ROOM, _LONGEST):
        lengths.append(length)
        length *= 2
    return lengths
