"""Zero-shot classification: which of several texts fits a picture, for models that compare the two."""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from harness.core.models import TOLERANCE_NATS
from harness.core.requests import MatchTexts, Request, Response
from harness.core.tasks import Sample
from harness.tasks.choices import Choice
from suites.vision.digits import Digits
from suites.vision.emoji import EmojiNames
from suites.vision.looking import Looking, compared_metrics

__all__ = ["MatchedDigits", "MatchedEmoji"]


class Matching(Looking):
    """A task of choices about pictures, each choice put into a caption; the likeliest caption is the answer."""

    asks: Sequence[type[Request]] = (MatchTexts,)
    caption: ClassVar[str] = "{}"

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:  # type: ignore[override]  # of another class than Looking's
        """One for the picture, one for the grey one."""
        texts = tuple(self.caption.format(choice) for choice in sample.choices)
        shown = self.shown if self.controlled else self.shown[:1]
        return [MatchTexts(image=sample.fields[one], texts=texts) for one in shown]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return "grey picture" if position else ""

    @override
    def unusable(self, responses: Sequence[Response]) -> str | None:
        lacking = next((response for response in responses if not response.label_scores), None)
        return None if lacking is None else lacking.invalid or "the model compared no texts"

    @override
    def chosen(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Choice]:
        return [_best(list((response.label_scores or {}).values())) for response in responses]


def _best(chances: Sequence[float]) -> Choice:
    """The first of the likeliest texts."""
    most = max(chances)
    close = [index for index, one in enumerate(chances) if most - one <= TOLERANCE_NATS * most]
    return Choice(index=close[0], tie=len(close) > 1)


class MatchedDigits(Matching, Digits):
    """Which digit was written by hand, by the caption that fits best (zero-shot; Radford et al., CLIP, 2021).

    What it measures. Whether `the handwritten digit seven` fits the picture of a 7 better than the captions of the nine
    other digits (Alpaydin and Kaynak, 1998, as scikit-learn has them).

    Why it matters. Models that compare pictures with texts are used to label, to search and to filter. Digits are where
    the first of them did worst.

    Limits. One caption for each digit, where the paper averages over many; pictures of 8 by 8 pixels, drawn larger.
    Chance is one in ten.
    """

    name = "matched_digits"
    metrics = compared_metrics()
    caption = "the handwritten digit {}"


class MatchedEmoji(Matching, EmojiNames):
    """Which of four names fits an emoji best, in fourteen languages in turn (zero-shot; Radford et al., CLIP, 2021).

    What it measures. As `emoji_names`, for models that compare pictures with texts: the name alone is the caption. Read
    `acc` by `language`.

    Why it matters. Most such models were trained on English captions; what they don't know in other languages shows.

    Limits. As of `emoji_names`. Chance is one in four.
    """

    name = "matched_emoji"
    metrics = compared_metrics(("language",))
