"""easy-VQA."""

import base64
import io

from PIL import Image
from typing_extensions import override

from harness.core.errors import DataError
from harness.core.tasks import Row, Sample
from harness.tasks.rows import RowTask
from suites.vision.looking import Looking, PictureQuestion, looked_metrics, pictured

__all__ = ["EasyVQA"]

_KINDS = {
    "yes or no": ("yes", "no"),
    "shape": ("circle", "rectangle", "triangle"),
    "colour": ("red", "green", "blue", "black", "gray", "teal", "brown", "yellow"),
}


class EasyVQA(Looking, RowTask):
    """Questions about one coloured shape: whether it is there, which one it is, and its colour (Zhou, 2019).

    What it measures. Whether the right answer is the likeliest of two (yes or no), three (shapes) or eight (colours);
    read `acc` by `kind`.

    Why it matters. Its pictures are easy, and its questions give themselves away: `no black shape present?` is mostly
    answered yes. So it shows what `acc_blind` is for.

    Limits. Three quarters of the questions are answered yes or no, and the commonest answer to each question is right
    for 0.68 of all: a model that was trained on such questions and sees nothing has that. Questions about one picture
    are one cluster.
    """

    name = "easy_vqa"
    data = "easy_vqa"
    default_limit = 40
    metrics = looked_metrics(("kind",))

    @override
    def cluster(self, row: Row) -> str:
        """The picture."""
        return str(row["number"])

    @override
    def sample(self, row: Row) -> Sample:
        kind = next((kind for kind, choices in _KINDS.items() if row["answer"] in choices), None)
        if kind is None:
            raise DataError(f"has the answer {row['answer']!r}, which is none of easy-VQA's")
        choices = _KINDS[kind]
        image = Image.open(io.BytesIO(base64.b64decode(row["png"])), formats=("PNG",))
        look = PictureQuestion(
            image=image,
            question=row["question"],
            choices=choices,
            gold=choices.index(row["answer"]),
            groups={"kind": kind},
        )
        return pictured("", look)
