"""Idioms of four characters: in a sentence, and by what they mean."""

from collections.abc import Mapping
from dataclasses import replace

from typing_extensions import override

from harness.core.requests import Loglikelihood
from harness.core.tasks import Row, Sample
from suites.chinese.controlled import ControlledChoice, controlled_metrics

__all__ = ["IdiomCloze", "IdiomMeanings"]

_SENTENCE, _UNREAD = "例句：", "成语："


class IdiomCloze(ControlledChoice):
    """Which of four idioms belongs into a sentence, after ChID (Zheng et al., 2019).

    What it measures. Whether the sentence is likeliest with the idiom that a dictionary shows in it. Of the three wrong
    ones, where they can be found, one shares two characters with it and one is near in meaning. `acc` by `era`: modern
    sentences and quotations from imperial times.

    Why it matters. Idioms are how educated Chinese is written, and their meaning can't be put together from their
    characters: a model that has seen little Chinese can't guess them.

    Limits. Not ChID: its passages are longer, its choices seven or ten, and figures can't be compared. Examples are
    quotations, most of them famous and perhaps known by heart. A wrong idiom may fit by chance. Rows that name a
    character of the idiom beside the blank are left out. Chance is 0.25. 40 sentences by default: an error of 0.08.
    """

    name = "idiom_cloze"
    data = "idiom_sentences"
    languages = ("zh",)
    default_limit = 40
    supports_fewshot = False
    metrics = controlled_metrics(("era",))

    @override
    def question(self, row: Row) -> str:
        """The sentence, with a mark for the idiom: for people, as the model reads it filled in."""
        return f"{_SENTENCE}{row['before']}\uff5e{row['after']}"

    @override
    def sample(self, row: Row) -> Sample:
        sample = super().sample(row)
        return replace(sample, fields={**sample.fields, "around": (row["before"], row["after"])})

    @override
    def asked(self, sample: Sample, choice: str) -> Loglikelihood:
        """The whole sentence: how its beginning is cut into tokens may hang on the idiom."""
        before, after = sample.fields["around"]
        return Loglikelihood(context=_SENTENCE, continuation=f"{before}{choice}{after}")

    @override
    def right(self, row: Row) -> str:
        return str(row["word"])

    @override
    def unread(self, row: Row) -> str:
        return _UNREAD

    @override
    def groups(self, row: Row) -> Mapping[str, str]:
        return {"era": row["era"]}


class IdiomMeanings(ControlledChoice):
    """Which of four idioms has the meaning that a dictionary gives.

    What it measures. Whether the right idiom is the likeliest after its explanation. No character of any of the four
    is in the explanation, so nothing is copied.

    Why it matters. It asks for the meaning alone, without a context to lean on.

    Limits. 900 of 30,895 idioms: those with an example whose explanation names none of their characters, rare ones
    among them. A wrong idiom may have nearly the same meaning. Chance is 0.25. 60 idioms by default: an error of 0.06.
    """

    name = "idiom_meanings"
    data = "idiom_meanings"
    languages = ("zh",)
    default_limit = 60

    @override
    def question(self, row: Row) -> str:
        return f"释义：{row['meaning']}\n成语："

    @override
    def right(self, row: Row) -> str:
        return str(row["word"])

    @override
    def unread(self, row: Row) -> str:
        return _UNREAD
