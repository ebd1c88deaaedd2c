"""Tasks that turn one text into another: translation, and what is asked like it."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType

from typing_extensions import override

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.datasets import Row
from harness.core.errors import UnknownName
from harness.core.metrics import Metric, Proportion
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task
from harness.core.text.reasons import Reason
from harness.data.sets.messages import placeholders
from harness.metrics.standard import EXACT_MATCH
from harness.metrics.texts import text_metrics
from harness.tasks.generation import Generation

__all__ = [
    "LANGUAGES",
    "PLACEHOLDERS_KEPT",
    "Language",
    "TextToText",
    "Translation",
    "find_language",
    "translation_metrics",
]

PLACEHOLDERS_KEPT = Proportion(
    name="placeholders_kept",
    unit="share of texts with any",
    direction="higher",
    source="count of texts all of whose placeholders, as Python's format strings mark them, come out unchanged",
    meaning="""
    Share of the texts with placeholders, such as `%(name)s` or `{name}`, in which each occurs as often as before.

    A translation that loses or translates one breaks the program that fills it in.
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language by its English name, its ISO 639-1 `code`, and its ISO 639-3 code, which NLLB's begin with."""

    code: str
    name: str
    code3: str

    def named_by(self, code: str) -> bool:
        """Whether a model's code, such as `de_DE` or `deu_Latn`, means this language."""
        return re.split("[-_]", code)[0].lower() in (self.code, self.code3)


_KNOWN = (
    "ar Arabic ara|bg Bulgarian bul|bn Bengali ben|ca Catalan cat|cs Czech ces|da Danish dan|de German deu|"
    "el Greek ell|en English eng|es Spanish spa|et Estonian est|fa Persian pes|fi Finnish fin|fr French fra|"
    "he Hebrew heb|hi Hindi hin|hr Croatian hrv|hu Hungarian hun|id Indonesian ind|it Italian ita|ja Japanese jpn|"
    "ko Korean kor|lt Lithuanian lit|lv Latvian lvs|nl Dutch nld|pl Polish pol|pt Portuguese por|ro Romanian ron|"
    "ru Russian rus|sk Slovak slk|sl Slovenian slv|sr Serbian srp|sv Swedish swe|sw Swahili swh|ta Tamil tam|"
    "th Thai tha|tr Turkish tur|uk Ukrainian ukr|ur Urdu urd|vi Vietnamese vie|zh Chinese zho"
)

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        code: Language(code=code, name=name, code3=code3)
        for code, name, code3 in (entry.split() for entry in _KNOWN.split("|"))
    }
)
"""Languages that a translation task can name, by ISO 639-1 code."""


def find_language(code: str) -> Language:
    """The language of an ISO 639-1 code, a script or country after it left aside. Raises `UnknownName`."""
    short = re.split("[-_]", code)[0].lower()
    if short not in LANGUAGES:
        raise UnknownName("language", code, LANGUAGES)
    return LANGUAGES[short]


class TextToText(Generation):
    """A text that is turned into another.

    Most models get a prompt, with exemplars. A sequence-to-sequence model, which was trained for one such task, gets
    the source alone, after the prefix that its config has for `config_task` (`task_specific_params`, as T5's).
    """

    _prefix: str | None = None

    @property
    def config_task(self) -> str:
        """The name of the task in the configs of models such as T5; empty where they know none like it."""
        return ""

    @abstractmethod
    def source(self, row: Row) -> str:
        """The text to turn into another."""

    @abstractmethod
    def prompt(self, source: str) -> str:
        """What a model that follows prompts is asked; it doesn't end in a space."""

    @override
    def question(self, row: Row) -> str:
        source = self.source(row).strip()
        return self.prompt(source) if self._prefix is None else self._prefix + source

    @override
    def suited(self, checkpoint: Checkpoint) -> Task:
        if registry.kind(checkpoint.kind).transformer != "encoder-decoder":
            return self
        bare = copy(self)
        settings = (checkpoint.config.get("task_specific_params") or {}).get(self.config_task) or {}
        bare._prefix, bare.supports_fewshot = str(settings.get("prefix") or ""), False
        return bare


class Translation(TextToText):
    """A sentence to translate. `source_language` and `target_language` are ISO 639-1 codes.

    The prompt is the sentence after the name of its language, then the name of the other (Vilar et al., 2023), with
    three exemplars by default.
    """

    source_language: str
    target_language: str
    default_num_fewshot = 3
    max_tokens = 64

    @override
    def prompt(self, source: str) -> str:
        return f"{LANGUAGES[self.source_language].name}: {source}\n{LANGUAGES[self.target_language].name}:"

    @override
    def sample(self, row: Row) -> Sample:
        return replace(super().sample(row), fields={"source": self.source(row)})

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A sentence without placeholders has no score for keeping them."""
        wanted = placeholders(sample.fields["source"])
        scores = []
        for score in super().score(sample, responses):
            if score.metric != PLACEHOLDERS_KEPT.name:
                scores.append(score)
            elif wanted:
                kept = None if score.predicted is None else placeholders(score.predicted) == wanted
                scores.append(replace(score, value=None if kept is None else float(kept)))
        return scores

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        for option, code, own in (
            ("source", checkpoint.source_language, self.source_language),
            ("target", checkpoint.target_language, self.target_language),
        ):
            if code is not None and not LANGUAGES[own].named_by(code):
                return Reason(
                    "it is set to a language other than {language} (--{option}-language {code})",
                    language=LANGUAGES[own].name,
                    option=option,
                    code=code,
                )
        return None

    @property
    @override
    def config_task(self) -> str:
        """The name that T5's config gives the direction."""
        return f"translation_{self.source_language}_to_{self.target_language}"


def translation_metrics(language: str) -> tuple[Metric, ...]:
    """The metrics of translations into a language."""
    return (*text_metrics(language), EXACT_MATCH, PLACEHOLDERS_KEPT)
