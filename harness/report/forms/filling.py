"""A form with what a run's record can say in it, and the rest marked as to be completed."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.core.scores import Estimate
from harness.core.text.display import number
from harness.core.text.yamlfile import read_yaml
from harness.decision.keys import key_of
from harness.report.blocks import Block, Bullets, Document, Note, Paragraph, Section
from harness.report.context import ReportContext
from harness.report.sections.summary import verdict_in_words
from harness.report.words import Words

__all__ = ["FORMS", "filled_form"]

_FOLDER = Path(str(files("harness.report") / "forms"))

FORMS: Sequence[str] = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))
"""The names of the forms that there are."""


def filled_form(form: str, context: ReportContext) -> Document:
    """The form of that name on a sealed run, question by question.

    What the record holds is filled in, and what it doesn't is "to be completed": nothing is ever guessed.
    """
    asked = read_yaml(_FOLDER / f"{form}.yaml")
    words, language, began = context.words, context.words.language, context.record.started_at
    filled = [_section(one, context) for one in asked["parts"]]
    count = sum(bool(_answers(item, context)) for part in asked["parts"] for item in part["items"])
    every = sum(len(part["items"]) for part in asked["parts"])
    head = Section(
        title=words("About this form"),
        blocks=[
            Paragraph(
                text=words(
                    "Of {all} questions the record answers {filled}, wholly or in part; the others are marked "
                    "“to be completed”.",
                    all=every,
                    filled=count,
                ),
                strong=True,
            ),
            Paragraph(
                text=words(
                    "The questions are told in short and not in the words of the text that asks them, which alone "
                    "counts. A filled form is evidence; whether a duty is met is for people to judge."
                )
            ),
            Note(term=words("source"), text=asked["source"][language]),
        ],
    )
    return Document(
        title=_named(words, asked["title"][language], context.model),
        subtitle=words("Run {run} on {date}", run=context.record.run_id, date=began.date().isoformat()),
        language=language,
        date=(began.year, began.month, began.day),
        sections=[head, *filled],
        outlined=False,
    )


def _section(part: Mapping[str, Any], context: ReportContext) -> Section:
    blocks: list[Block] = []
    for item in part["items"]:
        blocks.append(Paragraph(text=f"{item['number']}  {item[context.words.language]}".strip(), strong=True))
        answers = _answers(item, context)
        blocks.append(Bullets(items=answers) if answers else Paragraph(text=context.words("to be completed")))
        if answers and item.get("partly"):
            blocks.append(Paragraph(text=context.words("the rest: to be completed")))
    return Section(title=part["title"][context.words.language], blocks=blocks)


def _answers(item: Mapping[str, Any], context: ReportContext) -> list[str]:
    found = [answer for name in item.get("from", ()) for answer in _FACTS[name](context)]
    return [one for one in found if one]


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
    return [_named(context.words, context.words.title(one.suite), _score(context, one)) for one in context.headlines]


def _score(context: ReportContext, one: Estimate) -> str:
    words = context.words
    if one.value is None:
        return words("absent")
    ends = words.interval(one.low, one.high)
    stands = context.contexts[key_of(one)]
    told = [
        (words("chance"), stands.chance, stands.than_chance),
        (words("baseline"), stands.baseline, stands.than_baseline),
    ]
    beside = [
        words("{name} ({part})", name=f"{name} {number(level)}", part=words(word))
        for name, level, word in told
        if level is not None and word
    ]
    said = f"{number(one.value)} {words.unit(one.unit)}"
    said = words("{name} ({part})", name=said, part=ends) if ends else said
    return words("; ").join([said, *beside, f"n = {one.n:,}"])


def _verdict(context: ReportContext) -> list[str]:
    return [verdict_in_words(context)] if context.verdicts else []


def _gaps(context: ReportContext) -> list[str]:
    words, absent = context.words, context.absent
    return [_named(words, _place(words, one), words.reason(one.reason or "")) for one in absent[:10]] + (
        [words("{count} more absent scores are in the record.", count=len(absent) - 10)] if len(absent) > 10 else []
    )


def _place(words: Words, one: Estimate) -> str:
    task = "" if one.is_headline else f"{words.task(one.suite, one.task)} / "
    return f"{words.title(one.suite)} / {task}{words.metric(one.metric)}"


def _log(context: ReportContext) -> list[str]:
    words, record = context.words, context.record
    return [
        _named(words, words("run"), record.run_id),
        words("Each question, answer and score is in the record, which a seal over all of its files guards."),
    ]


def _consumption(context: ReportContext) -> list[str]:
    words, read = context.words, context.record.measurement_list
    return [
        _named(
            words,
            words.metric(one.metric),
            words("{name} ({part})", name=f"{number(one.value)} {words.unit(one.unit)}", part=words(one.basis)),
        )
        for one in read
        if one.value is not None and one.task == read[0].task and one.unit in ("J", "kWh", "g")
    ]


def _named(words: Callable[..., str], name: str, value: str) -> str:
    return words("{name}: {value}", name=name, value=value)


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
