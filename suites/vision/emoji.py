"""Emoji and their names in many languages."""

import io
from collections.abc import Sequence
from random import Random

import vl_convert
from PIL import Image
from typing_extensions import override

from harness.core.errors import DataError
from harness.core.tasks import Row, Sample, TaskSettings, choose
from suites.vision.looking import Looking, PictureQuestion, looked_metrics, pictured

__all__ = ["EmojiNames", "drawn_emoji"]

LANGUAGES = ("en", "zh", "ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr")
_QUESTIONS = {
    "en": "What does this picture show?",
    "zh": "这张图片画的是什么？",
    "ar": "ماذا تُظهر هذه الصورة؟",
    "de": "Was zeigt dieses Bild?",
    "es": "¿Qué muestra esta imagen?",
    "fa": "این تصویر چه چیزی را نشان می‌دهد؟",
    "fr": "Que montre cette image ?",
    "id": "Apa yang ditunjukkan gambar ini?",
    "it": "Che cosa mostra questa immagine?",
    "ja": "この絵は何を表していますか。",
    "ko": "이 그림은 무엇을 보여 줍니까?",
    "pt": "O que mostra esta imagem?",
    "ru": "Что изображено на этой картинке?",
    "tr": "Bu resim neyi gösteriyor?",
}
_SIDE = 128
_OTHERS = 3


class EmojiNames(Looking):
    """Which of four names a picture has, in fourteen languages in turn.

    What it measures. Whether the emoji's own name in Unicode's data is likelier than those of three others, drawn at
    random. Languages take turns over all emoji, so each has about a fourteenth of the samples; read `acc` by
    `language`.

    Why it matters. The same pictures are asked about in every language: what a model sees but can't name shows in the
    languages that it was trained on least.

    Limits. OpenMoji's drawings, one artist's hand. Names are short, and some are odd (`face with steam from nose`).
    Wrong names are of any kind, so many are easy; longer names are less likely for any model. Chance is one in four.
    """

    name = "emoji_names"
    data = "openmoji"
    languages = LANGUAGES
    default_limit = 42
    metrics = looked_metrics(("language",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The chosen emoji: of one character, as those with a skin tone are not, and each once.

        The data have some as a text's character, too: the same picture under names of nearly the same spelling.
        """
        known = (row for row in rows if "-" not in row["points"] and set(LANGUAGES) <= set(row["names"]))
        first: dict[str, Row] = {}
        for row in known:
            first.setdefault(row["points"], row)
        plain = list(first.values())
        if len(plain) <= _OTHERS:
            raise DataError("has too few emoji with names in all languages", place=self.name)
        _, asked = choose(len(plain), settings, salt=self.name)
        return [self._named(plain, index, LANGUAGES[index % len(LANGUAGES)], settings) for index in asked]

    def _named(self, rows: Sequence[Row], index: int, language: str, settings: TaskSettings) -> Sample:
        row = rows[index]
        rng = Random(f"{settings.seed}:{self.name}:{row['points']}")
        right = row["names"][language]
        names = sorted({one["names"][language] for one in rows} - {right})
        choices = [right, *rng.sample(names, _OTHERS)]
        rng.shuffle(choices)
        look = PictureQuestion(
            image=drawn_emoji(row["svg"]),
            question=_QUESTIONS[language],
            choices=tuple(choices),
            gold=choices.index(right),
            groups={"language": language},
        )
        return pictured(row["points"], look)


def drawn_emoji(svg: str) -> Image.Image:
    """An emoji's drawing as a picture, on white."""
    png = vl_convert.svg_to_png(svg, scale=1.0)
    image = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
