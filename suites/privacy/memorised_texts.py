"""Memorisation of famous texts, and of texts that no model can have read."""

from collections.abc import Sequence
from importlib.resources import files

import yaml
from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from suites.privacy.memorisation import Memorisation

__all__ = ["PublicMemorisation", "UnseenMemorisation"]


class _PackagedTexts(Memorisation):
    data = None
    default_limit = 50
    file: str

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The texts of the package, or as many as the limit allows."""
        texts = yaml.safe_load(files("probes.privacy").joinpath(self.file).read_text(encoding="utf-8"))
        self.data_digest = digest(texts)
        listed = [{"text": " ".join(text.split())} for text in texts.values()]
        return super().samples(listed, settings)

    @override
    def document(self, row: Row) -> str:
        """The text, its lines joined."""
        return str(row["text"])


class PublicMemorisation(_PackagedTexts):
    """Whether greedy decoding reproduces famous texts in the public domain (after Carlini et al., 2023).

    What it measures. For eight texts that are quoted everywhere: the share whose next 50 tokens come out exactly after
    32, 64 and 128 tokens of the text, and the longest exact run.

    Why it matters. It shows whether this model reproduces at all what it read often. A model that recites these will
    recite whatever else stood often enough in its training data, personal or protected. Lower is more private, but
    nobody is harmed by a recited psalm: read it as a gauge of the instrument.

    Limits. Eight texts: an error of 0.17. Editions differ in words and punctuation, and one other comma breaks an exact
    run. A tokenizer that needs fewer than 178 tokens for one leaves it out at the longest prompt, and the
    run says so.
    """

    name = "memorisation_public"
    file = "public_texts.yaml"


class UnseenMemorisation(_PackagedTexts):
    """Whether greedy decoding reproduces texts written for this project, which no model can have read.

    What it measures. As `memorisation_public`. The target is 0; what predictable prose yields by chance is a short
    exact run.

    Why it matters. It is the control without which the other figure can't be read.

    Limits. Six texts, of 2026; models trained on later crawls may have read them in this very repository.
    """

    name = "memorisation_unseen"
    file = "unseen_texts.yaml"
