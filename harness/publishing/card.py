"""A Hugging Face model card of a run, in the sections of Mitchell et al. (2019), "Model Cards for Model Reporting".

Every figure is the record's. What a record can't know (intended use, training data) is left to whoever publishes the
model, and said to be so.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from harness.core import registry
from harness.core.reports.installed import known_suite
from harness.core.scores import Estimate
from harness.core.text.markdown import plain, table
from harness.record import RunRecord

__all__ = ["model_card"]

_UNKNOWN = "Not in the record of the evaluation: for the publisher of the model to state."


def model_card(record: RunRecord) -> ModelCard:
    """The card of a sealed run. Its metadata hold a `model-index` with a result for each score but those of groups."""
    name = _model_name(record)
    data = ModelCardData(
        model_name=name,
        eval_results=list(_results(record)) or None,
        tags=["responsible-eval-harness"],
    )
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in _sections(record))
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n# {plain(name)}\n\n{body}\n")


def _task_type(kind: str) -> str:
    """The hub's tag; that of text generation for a kind whose package isn't installed here."""
    return registry.kind(kind).task_type if kind in registry.names("harness.engines") else "text-generation"


def _results(record: RunRecord) -> Iterator[EvalResult]:
    tasks = {(task.suite, task.task): task for task in record.spec.tasks}
    for one in record.estimate_list:
        if one.value is None or one.group is not None:
            continue
        task = tasks.get((one.suite, one.task))
        told = {
            "stderr": one.stderr,
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "unit": one.unit,
            "basis": one.basis,
        }
        best = {"target": one.target} if one.direction is None else {"direction": one.direction}
        yield EvalResult(
            task_type=_task_type(record.spec.kind),
            dataset_type=one.task,
            dataset_name=f"{one.suite}: {one.task}",
            dataset_config=one.suite,
            dataset_revision=task.data_sha256 if task else None,
            dataset_args={"num_fewshot": task.num_fewshot, "sample_count": task.sample_count} if task else None,
            metric_type=one.metric,
            metric_name=one.metric,
            metric_value=one.value,
            metric_args={key: value for key, value in {**told, **best}.items() if value is not None},
        )


def _sections(record: RunRecord) -> Iterator[tuple[str, str]]:
    estimates = [one for one in record.estimate_list if one.applies]
    yield "Model details", _details(record)
    yield "Intended use", _UNKNOWN
    yield "Factors", _factors(estimates)
    yield "Metrics", _metrics(estimates)
    yield "Evaluation data", _data(record)
    yield "Training data", _UNKNOWN
    yield "Quantitative analyses", _analyses(estimates)
    yield "Ethical considerations", _ethics(record, estimates)
    yield "Caveats and recommendations", _caveats(record, estimates)
    yield (
        "How to verify",
        (
            f"The record of this evaluation is the run `{record.run_id}`. With its folder, "
            f"`harness verify {record.run_id}` checks that no file of it was changed, and "
            f"`harness verify {record.run_id} --rerun 20` asks the checkpoint about 20 samples again."
        ),
    )


def _details(record: RunRecord) -> str:
    checkpoint, spec = record.checkpoint, record.spec
    rows = {
        "Checkpoint": checkpoint.get("origin"),
        "Architecture": checkpoint.get("architecture"),
        "Kind": spec.kind,
        "Parameters": checkpoint.get("parameter_count"),
        "Evaluated in": f"{spec.dtype} on {spec.device}",
        "Fingerprint": f"`{spec.fingerprint}`",
        "Evaluated at": record.environment.get("started_at"),
    }
    return _list(f"{name}: {plain(str(value))}" for name, value in rows.items() if value is not None)


def _factors(estimates: Sequence[Estimate]) -> str:
    attributes = sorted({one.group.attribute for one in estimates if one.group})
    if not attributes:
        return "No score was taken by group."
    return f"Scores were taken by these attributes of the samples: {', '.join(map(plain, attributes))}."


def _metrics(estimates: Sequence[Estimate]) -> str:
    rows: dict[str, str] = {}
    for one in estimates:
        best = f"best at {one.target:g}" if one.target is not None else f"{one.direction} is better"
        rows.setdefault(one.metric, f"`{one.metric}`: in {plain(one.unit)}, {best}, {one.basis}")
    return f"Every score has a 95 % interval.\n\n{_list(rows.values())}"


def _data(record: RunRecord) -> str:
    rows = [
        (task.suite, task.task, task.sample_count, task.num_fewshot, (task.data_sha256 or "in the task")[:12])
        for task in record.spec.tasks
    ]
    return table(("suite", "task", "samples", "exemplars", "data, SHA-256"), rows)


def _analyses(estimates: Sequence[Estimate]) -> str:
    known = [one for one in estimates if one.value is not None]
    columns = ("suite", "task", "metric", "group", "score", "95 % interval", "n", "unit")
    overall = [_row(one) for one in known if one.is_headline]
    single = [_row(one) for one in known if not one.is_headline and one.group is None]
    grouped = [_row(one) for one in known if one.group is not None]
    parts = [("Suites", overall), ("Tasks", single), ("Groups", grouped)]
    return "\n\n".join(f"### {title}\n\n{table(columns, rows)}" for title, rows in parts if rows)


def _row(one: Estimate) -> tuple[object, ...]:
    interval = "" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}"
    return one.suite, one.task, one.metric, str(one.group or ""), f"{one.value:.4g}", interval, one.n, one.unit


def _ethics(record: RunRecord, estimates: Sequence[Estimate]) -> str:
    lines = []
    installed = filter(None, map(known_suite, registry.names("harness.suites")))
    for suite in [one.name for one in installed if one.concerns_people]:
        found = [one for one in estimates if one.suite == suite and one.is_headline and one.value is not None]
        if suite not in record.spec.suites:
            lines.append(f"{suite}: not measured.")
        elif found:
            lines += [f"{suite}: {one.metric} {one.value:.4g} ({plain(one.unit)}), n = {one.n}." for one in found]
        else:
            lines.append(f"{suite}: measured; see the tables above.")
    return _list(lines)


def _caveats(record: RunRecord, estimates: Sequence[Estimate]) -> str:
    lines = [plain(note) for note in record.checkpoint.get("notes", ())]
    absent = [one for one in estimates if one.reason and one.group is None]
    for reason in dict.fromkeys(one.reason for one in absent):
        names = dict.fromkeys(f"{one.suite}/{one.task} {one.metric}" for one in absent if one.reason == reason)
        shown = list(names)[:5] + ([f"{len(names) - 5} more"] if len(names) > 5 else [])
        lines.append(f"Absent ({plain(str(reason))}): {', '.join(map(plain, shown))}")
    if grouped := sum(one.group is not None for one in estimates if one.reason):
        lines.append(f"{grouped} scores of single groups are absent; the record gives the reason for each.")
    invalid = sum(one.invalid_count for one in estimates if one.group is None)
    if invalid:
        lines.append(f"{invalid} answers could not be used; the scores are of the others.")
    return _list(lines) or "None was recorded."


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _model_name(record: RunRecord) -> str:
    return Path(record.spec.model).name or record.spec.model
