"""Translation of sentences out of a program's messages, to English and from it."""

from typing_extensions import override

from harness.core.tasks import Row
from suites.text_quality.translation import LANGUAGES, Translation, translation_metrics

__all__ = [
    "ChineseToEnglish",
    "EnglishToChinese",
    "EnglishToFrench",
    "EnglishToGerman",
    "EnglishToPortuguese",
    "EnglishToRussian",
    "EnglishToSpanish",
    "FrenchToEnglish",
    "GermanToEnglish",
    "PortugueseToEnglish",
    "RussianToEnglish",
    "SpanishToEnglish",
]


class DjangoMessages(Translation):
    """Sentences of one pair of languages; a subclass for each direction."""

    default_limit = 40

    @override
    def source(self, row: Row) -> str:
        """The sentence."""
        return str(row[self.source_language])

    @override
    def reference(self, row: Row) -> str:
        """Its translation by people."""
        return str(row[self.target_language])


def _direction(source: str, target: str) -> type[DjangoMessages]:
    """The task that translates between English and another language."""
    other = target if source == "en" else source
    origin, goal = LANGUAGES[source].name, LANGUAGES[target].name
    made_backwards = "" if source == "en" else " The references are the originals: people translated from English."
    text = f"""Translation from {origin} to {goal} of sentences that the web framework Django shows its users.

    What it measures. How near the model's translation comes to the one people made, with three exemplars (a
    sequence-to-sequence model gets the sentence alone), and whether it keeps the placeholders that a program fills in.

    Why it matters. Texts of programs are translated by machine every day, and a lost placeholder breaks the program.

    Limits. Short sentences of one register, many about forms and passwords, one reference each.{made_backwards}
    They are public, so a model may have read both sides. Some come in families that differ in a word, so an exemplar
    may show half of an answer: look at the placeholders kept, too. 40 sentences by default leave an error of 1 to 2
    points of BLEU for a model that hardly translates (SmolLM2-135M-Instruct), and more for one that does. Models whose
    tokenizers cut {LANGUAGES[other].name} into many pieces may not finish within 64 tokens. Whether a
    sequence-to-sequence model without language codes translates this direction isn't known: read no score of one that
    doesn't.
    """
    fields = {
        "__module__": __name__,
        "__doc__": text,
        "name": f"translation_{source}_{target}",
        "data": f"django_messages_{other}",
        "languages": (source, target),
        "source_language": source,
        "target_language": target,
        "metrics": translation_metrics(target),
    }
    return type(f"{origin}To{goal}", (DjangoMessages,), fields)


EnglishToGerman, GermanToEnglish = _direction("en", "de"), _direction("de", "en")
EnglishToSpanish, SpanishToEnglish = _direction("en", "es"), _direction("es", "en")
EnglishToFrench, FrenchToEnglish = _direction("en", "fr"), _direction("fr", "en")
EnglishToPortuguese, PortugueseToEnglish = _direction("en", "pt"), _direction("pt", "en")
EnglishToRussian, RussianToEnglish = _direction("en", "ru"), _direction("ru", "en")
EnglishToChinese, ChineseToEnglish = _direction("en", "zh"), _direction("zh", "en")
