"""Lines of text in pictures, which the model writes down."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from string import ascii_uppercase, digits

from typing_extensions import override

from harness.core.media import OBJECT
from harness.core.metrics import Metric
from harness.core.requests import MultimodalGenerateUntil, with_media
from harness.core.tasks import Row, Sample, TaskSettings
from harness.media.pictures import picture
from harness.metrics.written import by_groups
from harness.tasks.extraction import Extracted
from harness.tasks.written import Written
from suites.vision.drawn import SIZE, all_drawn, canvas, font

__all__ = ["TextLines"]

_LETTERS = "".join(one for one in ascii_uppercase + digits if one not in "O0I1")
"""Without those that look alike."""
_LENGTHS = (3, 5, 7)
_CODE = re.compile(r"[A-Z0-9]+")


class TextLines(Written):
    """Writes down a code of letters and digits that stands in a picture.

    What it measures. Whether what the model writes has the code of three, five or seven characters that is drawn from
    the run's seed; no word, so it can't be guessed. `accuracy_all` by `length` says how far it reads.

    Why it matters. Signs, forms and labels are read character by character, and one wrong character is a wrong answer.

    Limits. One typeface, in black on white, without noise. Codes have no letter O or I and no digit 0 or 1. Case is
    left aside, and so are spaces and dashes.
    """

    name = "text_lines"
    data = None
    default_limit = 12
    supports_fewshot = False
    max_tokens = 24
    until = ("\n",)
    asks = (MultimodalGenerateUntil,)
    metrics: Sequence[Metric] = by_groups(("length",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many as the limit says, 300 without one."""
        draw = partial(self._drawn, settings.seed)
        samples, self.data_digest = all_drawn(draw, settings, lambda one: [one.gold, one.fields["picture"]])
        return samples

    def _drawn(self, seed: int, index: int) -> Sample:
        length = _LENGTHS[index % len(_LENGTHS)]
        code = "".join(Random(f"{seed}:{self.name}:{index}").choices(_LETTERS, k=length))
        return self.sample({"id": f"{length}-{seed}-{index}", "code": code})

    @override
    def sample(self, row: Row) -> Sample:
        image, draw = canvas()
        draw.text((SIZE // 2, SIZE // 2), row["code"], fill="black", font=font(44), anchor="mm")
        return Sample(
            id=row["id"],
            prompt=f"{OBJECT}\nQuestion: Which code is written in the picture? Answer with the code alone.\nAnswer:",
            gold=row["code"],
            fields={"picture": picture(image), "length": str(len(row["code"]))},
        )

    @override
    def requests(self, sample: Sample) -> Sequence[MultimodalGenerateUntil]:
        """One for each draw, with the picture."""
        return [with_media(one, [sample.fields["picture"]]) for one in super().requests(sample)]

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The longest run of capitals and digits, whatever its case, spaces and dashes left out."""
        found = _CODE.findall(re.sub(r"[\s-]+", "", text).upper())
        return Extracted(max(found, key=len), "longest code") if found else None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return answer == sample.gold

    @override
    def groups(self, sample: Sample) -> Mapping[str, str]:
        """Its length in characters."""
        return {"length": sample.fields["length"]}
