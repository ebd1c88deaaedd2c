"""A form with what a run's record can say in it, and the rest marked as to be completed."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.core.text.display import number
from harness.core.text.yamlfile import read_yaml
from harness.report.blocks import Block, Bullets, Document, Note, Paragraph, Section
from harness.report.context import ReportContext
from harness.report.score_context import context_note
from harness.report.sections.limits import absent_by_reason
from harness.report.sections.summary import dimension_scores, not_measured, verdict_in_words

__all__ = ["FORMS", "filled_form"]

_FOLDER = Path(str(files("harness.report") / "forms"))

FORMS: Sequence[str] = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))
"""The names of the forms that there are."""


def filled_form(form: str, context: ReportContext) -> Document:
    """The form of that name on a sealed run, question by question.

    What the record holds is filled in, and what it doesn't is "to be completed": nothing is ever guessed. What was told
    under one question is pointed to under the next that asks for it.
    """
    asked = read_yaml(_FOLDER / f"{form}.yaml")
    words, language, began = context.words, context.words.language, context.record.started_at
    filling = _Filling(context)
    filled = [filling.section(one) for one in asked["parts"]]
    return Document(
        title=_named(words, asked["title"][language], context.model),
        subtitle=words("Run {run} on {date}", run=context.record.run_id, date=began.date().isoformat()),
        language=language,
        date=(began.year, began.month, began.day),
        sections=[filling.head(asked["source"][language]), *filled],
        outlined=False,
    )


class _Filling:
    """Answers question after question, and knows what was told already."""

    def __init__(self, context: ReportContext) -> None:
        self.context = context
        self.told: dict[str, str] = {}
        """The first question under which a fact stands, by its name."""
        self.every = self.filled = 0

    def head(self, source: str) -> Section:
        """How much of the form is filled in, who fills in the rest, and which text the form is of."""
        words, stated = self.context.words, self.context.statements
        blocks: list[Block] = [
            Paragraph(
                text=words(
                    "Of {all} questions the record answers {filled}, wholly or in part; what is left is marked "
                    "“[to be completed]”.",
                    all=self.every,
                    filled=self.filled,
                ),
                strong=True,
            ),
            Paragraph(
                text=words(
                    "The questions are told in short and not in the words of the text that asks them, which alone "
                    "counts. A filled form is evidence; whether a duty is met is for people to judge."
                )
            ),
        ]
        if not (stated.intended_use and stated.organisation and stated.signer):
            blocks.append(
                Paragraph(text=words("--intended-use, --organisation and --signer fill in what you state of these."))
            )
        blocks.append(Note(term=words("source"), text=source))
        return Section(title=words("About this form"), blocks=blocks)

    def section(self, part: Mapping[str, Any]) -> Section:
        """One part of the form, with its questions."""
        blocks: list[Block] = []
        for item in part["items"]:
            blocks += self._answered(item)
        return Section(title=part["title"][self.context.words.language], blocks=blocks)

    def _answered(self, item: Mapping[str, Any]) -> list[Block]:
        words = self.context.words
        question = f"{item['number']}  {item[words.language]}".strip()
        answers = self._answers(item.get("from", ()), str(item["number"]) or question)
        self.every += 1
        self.filled += bool(answers)
        blocks: list[Block] = [Paragraph(text=question, strong=True), *answers]
        if not answers:
            blocks.append(Paragraph(text=words("[to be completed]")))
        elif item.get("partly"):
            blocks.append(Paragraph(text=words("[the rest: to be completed]")))
        return blocks

    def _answers(self, names: Sequence[str], question: str) -> list[Block]:
        words, told, tables = self.context.words, list[str](), list[Block]()
        pointed: dict[str, None] = {}
        for name in names:
            if (before := self.told.get(name)) is not None:
                pointed[words("Told under “{question}”.", question=before)] = None
                continue
            found = [one for one in _FACTS[name](self.context) if one]
            tables += _TABLES[name](self.context) if found and name in _TABLES else []
            told += found
            if len(found) > _FEW or name in _TABLES:
                self.told[name] = question
        told += pointed
        return [Bullets(items=told), *tables] if told else []


def _model(context: ReportContext) -> list[str]:
    words, checkpoint, spec = context.words, context.checkpoint, context.record.spec
    facts = [
        (words("reference"), context.model),
        (words("kind"), words(spec.kind)),
        (words("architecture"), str(checkpoint.get("architecture") or "")),
        (words("parameters"), number(checkpoint.get("parameter_count"))),
        (words("bytes on disk"), number(checkpoint.get("size_bytes"))),
        (words("fingerprint (SHA-256)"), spec.fingerprint),
    ]
    return [_named(words, name, value) for name, value in facts if value]


def _identity(context: ReportContext) -> list[str]:
    return [_named(context.words, context.words("fingerprint (SHA-256)"), context.record.spec.fingerprint)]


def _architecture(context: ReportContext) -> list[str]:
    words, found = context.words, str(context.checkpoint.get("architecture") or "")
    kind = _named(words, words("kind"), words(context.record.spec.kind))
    return [kind, _named(words, words("architecture"), found)] if found else [kind]


def _size(context: ReportContext) -> list[str]:
    return [number(context.checkpoint.get("parameter_count"))]


def _use(context: ReportContext) -> list[str]:
    return [context.statements.intended_use]


def _people(context: ReportContext) -> list[str]:
    return [context.statements.organisation, context.statements.signer]


def _date(context: ReportContext) -> list[str]:
    words = context.words
    return [_named(words, words("date of the run"), context.record.started_at.date().isoformat())]


def _machine(context: ReportContext) -> list[str]:
    words, environment = context.words, context.environment
    facts = [
        (words("platform"), str(environment.get("platform") or "")),
        (words("device"), str(environment.get("device_name") or environment.get("device") or "")),
        (words("memory, bytes"), number(environment.get("memory_bytes"))),
        (words("packages"), ", ".join(f"{name} {one}" for name, one in sorted(context.record.spec.versions.items()))),
    ]
    return [_named(words, name, value) for name, value in facts if value]


def _tests(context: ReportContext) -> list[str]:
    words, spec = context.words, context.record.spec
    by_suite: dict[str, list[str]] = {}
    for task in spec.tasks:
        by_suite.setdefault(task.suite, []).append(
            words("{task} ({count})", task=words.task(task.suite, task.task), count=f"{task.sample_count:,}")
        )
    told = words(
        "{count} tasks with {samples} samples, seed {seed}; in brackets the samples of each",
        count=len(spec.tasks),
        samples=f"{context.sample_count:,}",
        seed=spec.seed,
    )
    return [told, *(_named(words, words.title(suite), words(", ").join(tasks)) for suite, tasks in by_suite.items())]


def _results(context: ReportContext) -> list[str]:
    if all(one.value is None for one in context.headlines):
        return []
    return [context.words("One score a dimension, in a table; each test's own are in the report of this run")]


def _verdict(context: ReportContext) -> list[str]:
    return [verdict_in_words(context)] if context.verdicts else []


def _gaps(context: ReportContext) -> list[str]:
    words = context.words
    rows = absent_by_reason(context, context.absent)
    told = [
        _named(words, words(", ").join([suite, task, metrics]), reason) for suite, task, metrics, reason in rows[:_MOST]
    ]
    left = len(rows) - _MOST
    more = [words("{count} more reasons for absent scores are in the report.", count=left)] if left > 0 else []
    return [not_measured(context), *told, *more]


def _log(context: ReportContext) -> list[str]:
    words, record = context.words, context.record
    return [
        _named(words, words("run"), record.run_id),
        words("Each question, answer and score is in the record, which a seal over all of its files guards."),
    ]


def _consumption(context: ReportContext) -> list[str]:
    """Energy and carbon of the run as a whole, which has the most of all that was measured, and the headline."""
    words, read = context.words, [one for one in context.record.measurement_list if one.value is not None]
    whole = max((one for one in read if one.unit == "J"), key=lambda one: one.value or 0, default=None)
    shown = [one for one in read if one.is_headline or (whole and one.task == whole.task and one.unit in _CONSUMED)]
    return [
        _named(
            words,
            words.metric(one.metric),
            words("{name} ({part})", name=f"{number(one.value)} {words.unit(one.unit)}", part=words(one.basis)),
        )
        for one in shown
    ]


def _named(words: Callable[..., str], name: str, value: str) -> str:
    return words("{name}: {value}", name=name, value=value)


_CONSUMED = ("J", "kWh", "g", "gCO2e")
_FEW = 2
"""Lines that may stand twice in a form."""
_MOST = 10
"""Reasons for absent scores that a form can bear."""

_TABLES: Mapping[str, Callable[[ReportContext], list[Block]]] = {
    "results": lambda context: [dimension_scores(context), *context_note(context, context.headlines)],
}
"""What stands behind the lines of a fact."""

_FACTS: Mapping[str, Callable[[ReportContext], list[str]]] = {
    "model": _model,
    "identity": _identity,
    "architecture": _architecture,
    "size": _size,
    "use": _use,
    "people": _people,
    "date": _date,
    "machine": _machine,
    "tests": _tests,
    "results": _results,
    "verdict": _verdict,
    "gaps": _gaps,
    "log": _log,
    "consumption": _consumption,
}
