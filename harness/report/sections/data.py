"""Which data were used, whose they are, and which thresholds were fixed before the run."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.errors import UnknownName
from harness.core.registry import task as registered_task
from harness.core.tasks import Task
from harness.core.text.display import number
from harness.core.text.hashing import SHORT
from harness.data import find
from harness.decision.verdicts import Verdict
from harness.decision.wording import allowed
from harness.report.blocks import Block, Bullets, Column, Facts, Note, Paragraph, Section, Table
from harness.report.context import ReportContext
from harness.report.sentences import rule_named, rule_place

__all__ = ["data", "known_task", "thresholds"]


def data(context: ReportContext) -> list[Section]:
    """Every task with its data, fingerprint and size, then licences and citations."""
    words, spec = context.words, context.record.spec
    rows = [
        [
            words.title(task.suite),
            words.task(task.suite, task.task),
            str(task.version),
            f"{task.sample_count:,}",
            str(task.num_fewshot),
            task.data_sha256[:SHORT] if task.data_sha256 else words("in the task"),
            task.requests_sha256[:SHORT],
        ]
        for task in spec.tasks
    ]
    table = Table(
        caption=words("Tasks, with the first digits of the SHA-256 of their data and of all prompts"),
        columns=[
            Column(title=words("dimension"), width=1.1),
            Column(title=words("task"), width=1.8),
            Column(title=words("version"), kind="number"),
            Column(title=words("samples"), kind="number"),
            Column(title=words("exemplars"), kind="number"),
            Column(title=words("data"), width=1.1, kind="code"),
            Column(title=words("prompts"), width=1.1, kind="code"),
        ],
        rows=rows,
    )
    blocks: list[Block] = [table]
    for one in _datasets([task.task for task in spec.tasks]):
        parts = [words.described(one.licence), one.citation]
        if one.dropped:
            parts.append(words("This copy: {what}", what=words.described(one.dropped)))
        stop = words(". ")
        said = "".join(part.rstrip(".\u3002") + stop for part in parts)
        blocks.append(Note(term=words.described(one.title), text=f"{said}{one.homepage}"))
    return [Section(title=words("Data"), blocks=blocks)]


def thresholds(context: ReportContext) -> list[Section]:
    """The policies that decided, with each rule's number, bound and verdict."""
    words = context.words
    blocks: list[Block] = []
    if not context.verdicts:
        blocks.append(
            Paragraph(
                text=words(
                    "No thresholds were fixed: no gate was run on this record. A policy that is "
                    "written after the scores "
                    "are seen proves little; write it before the next run."
                )
            )
        )
    for verdict in context.verdicts:
        blocks += _policy(context, verdict)
    return [Section(title=words("Thresholds and decision"), blocks=blocks)]


def _written_first(context: ReportContext, verdict: Verdict) -> list[tuple[str, str]]:
    """That the policy came before the answers, where the record shows it; not where they are of an earlier run."""
    is_replay = "answers_of" in context.record.environment
    if is_replay or verdict.policy_sha256 != context.record.spec.policy_sha256:
        return []
    words = context.words
    return [(words("written"), words("before the first answer, and sealed with the run, which ended when it decided"))]


def _policy(context: ReportContext, verdict: Verdict) -> list[Block]:
    words = context.words
    facts = [
        (words("policy"), verdict.policy),
        (words("policy's SHA-256"), verdict.policy_sha256),
        (words("decided"), verdict.decided_at),
        *_written_first(context, verdict),
        (words("baseline"), verdict.baseline_run_id or words("none")),
        (words("verdict"), words(verdict.verdict)),
    ]
    table = Table(
        caption=words("Rules of {policy}", policy=verdict.policy),
        columns=[
            Column(title=words("rule"), width=1.6),
            Column(title=words("what"), width=1.7),
            Column(title=words("value"), kind="number"),
            Column(title=words("one-sided bounds"), kind="number"),
            Column(title=words("allowed"), kind="number"),
            Column(title="n", kind="number"),
            Column(title=words("verdict"), kind="short"),
        ],
        rows=[
            [
                words("{name} ({part})", name=rule_named(words, rule), part=words(rule.severity)),
                rule_place(words, rule),
                number(rule.value),
                words.interval(rule.low, rule.high),
                allowed(rule).replace("at least", "≥").replace("at most", "≤"),
                "" if rule.n is None else f"{rule.n:,}",
                words(rule.verdict),
            ]
            for rule in verdict.rules
        ],
    )
    reasons = [
        f"{rule_named(words, rule)}: {words.reason(rule.reason)}"
        for rule in verdict.rules
        if rule.reason and rule.verdict != "PASS"
    ]
    note = Note(
        text=words(
            "Of a rule against a baseline the value is the difference to it. Bounds have the policy's confidence each, "
            "so they are nearer to the value than a two-sided interval of the same confidence."
        )
    )
    return [Facts(items=facts), table, note, *([Bullets(items=reasons)] if reasons else [])]


def known_task(name: str) -> Task | None:
    """The task of that name, where it is installed; a user's own, of a suite file, is not."""
    try:
        return registered_task(name)
    except UnknownName:
        return None


def _datasets(tasks: Sequence[str]) -> list[DataSet]:
    """The data sets of the tasks that are installed, each once."""
    found: dict[str, DataSet] = {}
    for task in filter(None, map(known_task, tasks)):
        dataset = find(task.data) if isinstance(task.data, str) else task.data
        if dataset is not None:
            found.setdefault(dataset.name, dataset)
    return list(found.values())
