"""BERTScore of written texts against their references, by an encoder that the user names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import override

from harness.core.scorers import TextMatcher
from harness.metrics.texts import MeanOfTexts

__all__ = ["BERTScore", "bertscore_metrics"]


@dataclass(frozen=True, kw_only=True)
class BERTScore(MeanOfTexts):
    """How near the tokens of a text are in meaning to those of its reference, by the states of an encoder; 1 is best.

    Each token is matched to the nearest of the other text by the cosine of their states: `precision` is the mean over
    the tokens written, `recall` over those of the reference, `f1` their harmonic mean. Cosines of most encoders lie
    close together, so compare figures of one encoder and one layer alone, which the signature names. A text that is
    longer than the encoder's window is read in windows that overlap by half, where others cut it off.
    """

    part: Literal["precision", "recall", "f1"]
    matcher: TextMatcher | None = field(default=None, compare=False)
    unit: str = "cosine"
    direction: Any = "higher"
    source: str = "Zhang et al. (2020), without weights of rarity and without rescaling"

    @property
    @override
    def signature(self) -> str:
        """Checkpoint, layer, and how texts are read that are longer than its window."""
        if self.matcher is None:
            return ""
        identity = self.matcher.identity
        return f"bertscore:{identity['fingerprint']}#{identity['layer']}|long:{identity['long']}"

    @override
    def fields(self, reference: str, written: str) -> Mapping[str, Any]:
        """Only where there is a matcher."""
        assert self.matcher is not None
        return {"value": getattr(self.matcher.match(written, reference), self.part)}


def bertscore_metrics(matcher: TextMatcher | None) -> tuple[BERTScore, ...]:
    """Precision, recall and F1, all by the same matches; of no use but on pages without a matcher."""
    parts: tuple[Literal["precision", "recall", "f1"], ...] = ("precision", "recall", "f1")
    return tuple(BERTScore(name=f"bertscore_{part}", part=part, matcher=matcher) for part in parts)
