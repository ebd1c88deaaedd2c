"""The words of a report in the reader's language: English sentences are the keys of the catalogue `locale/zh.yaml`."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from harness.charts import metric_names
from harness.core.reports.installed import catalogue_folder, known_suite, suite_title, suite_words
from harness.core.scores import SampleGroup
from harness.core.text.display import number
from harness.core.text.reasons import Reason
from harness.core.text.translation import Translate, naming, translator

__all__ = ["LANGUAGES", "QUOTED", "Language", "Words"]

Language = Literal["en", "zh"]

_SHARE_OF = "share of "
"""Begins the unit of what is a share of the samples with one label."""

QUOTED = re.compile("`[^`]*`")
"""A name that records know, in a definition."""

_COUNTED = re.compile(r"(?P<name>[^,()]*[^,() ])(?: (?P<count>\d+)| \(n = (?P<size>\d+)\))")
"""A group of samples with how many it has, as reasons name it."""

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def _task_words(suite: str, language: str) -> Translate:
    """What the tasks of a suite are called, by its own catalogue."""
    folder = catalogue_folder(suite)
    return naming(folder, language) if folder else str


class Words:
    """Says things in one language.

    What has no entry is said in English, as citations of metrics are.
    """

    def __init__(self, language: Language, package: Path | None = None) -> None:
        """`package` is a folder whose own catalogue, where it has one, comes first."""
        self.language = language
        self._own = translator(package, language) if package else str
        self._named = naming(package, language) if package else str
        self._said = translator(Path(__file__).parent, language)
        self._defined = translator(Path(__file__).parent / "definitions", language)
        self._explained = translator(Path(__file__).parent / "reasons", language)
        self._described = translator(Path(__file__).parent / "datasets", language)
        self._grouped = naming(Path(__file__).parent / "groups", language)

    def __call__(self, sentence: str, **fields: object) -> str:
        """The sentence in this language, its `{name}` places filled."""
        return self.term(sentence).format(**fields)

    def term(self, text: str) -> str:
        """A short text that comes from elsewhere, such as a unit: as it stands where there is no word for it."""
        own = self._own(text)
        return own if own != text else self._said(text)

    def unit(self, name: str) -> str:
        """What people call a unit, such as the share of those samples that have a label of whatever name."""
        said, label = self.term(name), name.removeprefix(_SHARE_OF)
        return self(f"{_SHARE_OF}{{label}}", label=label) if said == name and label != name else said

    def defined(self, text: str) -> str:
        """What a metric or suite means, by its English text; in English where nobody has said it in this language."""
        own = self._own(text)
        return own if own != text else self._defined(text)

    def defined_together(self, texts: Sequence[str]) -> str:
        """What definitions say that differ in quoted names alone: one text with all of these, without the quotes."""
        said = self.defined(texts[0])
        for first, *others in dict.fromkeys(zip(*map(QUOTED.findall, texts), strict=True)):
            said = said.replace(first, self(", ").join(dict.fromkeys([first, *others])))
        return said.replace("`", "")

    def described(self, text: str) -> str:
        """What a data set is called, whose it is or what it lacks; in English where nobody has said it otherwise."""
        return self._described(text)

    def title(self, suite: str) -> str:
        """What people call a suite; its name where it isn't installed."""
        return suite_title(suite, self.language)

    def metric(self, name: str) -> str:
        """What people call a metric; the name by which records know it where there is no other."""
        for stem, rest in ((name, ""), name.rpartition("_")[::2], name.partition("_")[::2]):
            said = self._named(stem)
            said = said if said != stem else metric_names(self.language)(stem)
            if said != stem:
                return self("{name} ({part})", name=said, part=self.attribute(rest)) if rest else said
        return name

    def attribute(self, name: str) -> str:
        """What people call that by which samples are grouped, such as `sex`, into which, or a crossing of several."""
        return " & ".join(map(self.grouping, name.split(" & ")))

    def grouping(self, name: str) -> str:
        """What people call one thing by which, or into which, samples are grouped, such as a method."""
        return self._grouped(name) if self._grouped(name) != name else name.replace("_", " ")

    def group(self, group: SampleGroup | None) -> str:
        """A group of samples as people read it; empty for all of them."""
        if group is None:
            return ""
        return self("{name}: {value}", name=self.attribute(group.attribute), value=self.attribute(group.value))

    def counted(self, text: str) -> str:
        """Groups with how many samples each has, separated by commas, as people read them; another text as it is."""
        parts = [_COUNTED.fullmatch(part) for part in text.split(", ")]
        found = [part for part in parts if part]
        return self(", ").join(map(self._sized, found)) if len(found) == len(parts) else text

    def _sized(self, found: re.Match[str]) -> str:
        name, size = self.attribute(found["name"]), found["size"]
        return self("{name} ({part})", name=name, part=f"n = {size}") if size else f"{name} {found['count']}"

    def task(self, suite: str, name: str) -> str:
        """What people call a task of a suite; the name by which records know it where there is no other."""
        said = _task_words(suite, self.language)(name)
        # What is measured of one kind of request of a suite is told by both.
        of, _, kind = name.partition("/")
        if said == name and kind and known_suite(of):
            return self("{name} ({part})", name=self.title(of), part=self.grouping(kind))
        # What is measured of a whole suite, such as its energy, stands under the suite's name.
        return self.title(name) if said == name and name != suite and known_suite(name) else said

    def of(self, suite: str) -> "Words":
        """These words with those of a suite first: what it calls its scores, its figures and its worries."""
        return Words(self.language, catalogue_folder(suite))

    def reason(self, text: str) -> str:
        """Why a rule decided as it did, or a score is absent; in English where nobody has said it in this language."""
        return text.said_by(self._explain) if isinstance(text, Reason) else self._explain(text)

    def _explain(self, text: str) -> str:
        # A reason may be told far from its suite, such as by a rule or a headline.
        for say in (self._own, self._explained, *suite_words(self.language)):
            if (said := say(text)) != text:
                return said
        return self.counted(text)

    def interval(self, low: float | None, high: float | None) -> str:
        """Both ends of an interval; empty where there is none."""
        if low is None or high is None:
            return ""
        return self("{low} to {high}", low=number(low), high=number(high))
