"""Handwritten digits."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from PIL import Image
from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.core.text.hashing import digest
from suites.vision.looking import Looking, PictureQuestion, pictured

__all__ = ["Digits", "PlainDigits", "digit_image", "written_digits"]

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SIDE = 64


class Digits(Looking):
    """Which digit was written by hand (Alpaydin and Kaynak, 1998, as scikit-learn has it).

    What it measures. Whether the model finds the name of the digit in the picture likelier than the nine others.

    Why it matters. It is the smallest test of sight: a model that sees anything at all passes it, and one that doesn't
    has a tenth.

    Limits. 1,797 digits of 8 by 8 pixels, drawn larger here, as dark ink on white. They have been on the web for
    decades. It tells a blind model from one that sees, and hardly two good ones from each other.
    """

    name = "digits"
    data = None
    default_limit = 40

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The chosen ones of all."""
        images, names = written_digits()
        self.data_digest = digest([images.tolist(), names])
        _, asked = choose(len(names), settings, salt=self.name)
        return [pictured(str(index), self._look(images[index], names[index])) for index in asked]

    def _look(self, pixels: Any, name: int) -> PictureQuestion:
        return PictureQuestion(image=digit_image(pixels), question="Which digit is this?", choices=NAMES, gold=name)


class PlainDigits(Digits):
    """Digits without the grey picture, for tasks that ask about them again."""

    controlled = False


@cache
def written_digits() -> tuple[Any, list[int]]:
    """Ink from 0 to 16, of shape (digits, 8, 8), and what each digit is."""
    from sklearn.datasets import load_digits  # takes a second that the list of tasks should not

    found = load_digits()
    return found.images, [int(name) for name in found.target]


def digit_image(pixels: Any) -> Image.Image:
    """Ink of shape (8, 8) as a picture."""
    ink = Image.fromarray((255 - pixels / 16 * 255).astype("uint8"))
    return ink.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC).convert("RGB")
