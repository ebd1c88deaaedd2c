"""`harness runs` and `harness show`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from harness.cli.compact import print_scores
from harness.cli.console import WIDE, errors, estimates_as_json, output, print_json, print_rows, saving_line
from harness.cli.options import AsJson, with_options
from harness.cli.process.progress_bar import progress_bar
from harness.cli.runs import Output, Run, sealed_run, spec_files
from harness.cli.screens.samples import print_samples
from harness.core.errors import RecordError, UnknownName
from harness.core.options import option
from harness.core.process.paths import is_folder
from harness.core.process.progress import Progress
from harness.core.text.counts import numbered
from harness.core.text.display import apart

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["runs", "show"]

_FEW = 3
"""Suites of a run that the list of runs names."""
_LONG_NAME, _SHORT_NAME = 48, 20
"""Columns that a model's name has in the list, on wide terminals and others."""


def runs(output_folder: Output = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs in a folder, newest last. Exit code 2 if one is damaged, or changed after it was sealed.

    [bold]Example[/bold]: harness runs --records runs
    """
    specs = spec_files(output_folder)
    if not is_folder(output_folder):
        fix = "`harness eval` makes one; another is named with --records"
        raise RecordError("there is no such folder", place=output_folder, fix=fix)
    with progress_bar() as progress:
        found, faults = _read(sorted(specs, key=lambda path: path.stat().st_mtime), progress)
    if as_json:
        print_json(found)
    elif found:
        training = [name for name in ("lineage", "step", "tags") if any(row[name] not in (None, "") for row in found)]
        columns = ("run_id", "state", "model", *training, "suites", "dtype", "seed", "started_at")
        models = apart([str(row["model"]) for row in found], _LONG_NAME if output.width >= WIDE else _SHORT_NAME)
        print_rows(
            f"runs in {output_folder}",
            [column.removesuffix("_id").removesuffix("_at") for column in columns],
            [
                [_cell({**row, "model": model}, column) for column in columns]
                for row, model in zip(found, models, strict=True)
            ],
        )
    elif not faults:
        output.print(Text(f"no runs in {output_folder}"))
    for fault in faults:
        errors.print(Text(f"harness: {fault}"))
    if faults:
        raise typer.Exit(RecordError.exit_code)


def _read(specs: Sequence[Path], progress: Progress) -> tuple[list[dict[str, object]], list[RecordError]]:
    """What there is to say of each run, every file of which is hashed, and what is wrong with some."""
    from harness.record import load_record

    found: list[dict[str, object]] = []
    faults: list[RecordError] = []
    progress.phase("verifying")
    progress.begin(len(specs))
    for path in specs:
        progress.advance()
        try:
            record = load_record(path.parent)
            if record.run_id in {row["run_id"] for row in found}:
                progress.note(f"{path.parent}: is a copy of the run {record.run_id}, and left out")
                continue
            found.append(_summary(record))
            if changes := record.verify() if record.state == "sealed" else []:
                found[-1]["state"] = "changed"
                faults.append(RecordError("; ".join(changes), place=record.folder, fix="Do not rely on its scores"))
        except RecordError as error:
            faults.append(error)
    return found, faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions:
    """How much of a run is shown."""

    samples: bool = option(
        False, "Also show the samples behind the scores, one a screen: what was expected, answered and asked."
    )
    every_row: bool = option(False, "Show every score, however many there are.", "--all")
    groups: bool = option(False, "Also show the scores of single groups.")
    baseline: str | None = option(
        None, "Also show the scores of this run (its folder, or the beginning of its id): better or worse?"
    )
    task: str | None = option(None, "With --samples: only this task.")
    limit: int = option(3, "With --samples: how many samples per task.", min=1)


@with_options(ShowOptions, "asked")
def show(*, run: Run, asked: ShowOptions, output_folder: Output = Path("runs"), as_json: AsJson = False) -> None:
    """Show the scores of a run, after checking that no file has changed since it was sealed.

    [bold]Examples[/bold]

    harness show 1a2b3c

    harness show runs/1a2b3c4d5e6f --samples --task piqa

    harness show 1a2b3c --baseline 4d5e6f
    """
    from harness.decision.comparison import compare
    from harness.decision.context import score_contexts

    record = sealed_run(run, output_folder)
    other = None if asked.baseline is None else sealed_run(asked.baseline, output_folder)
    found = score_contexts(record, None if other is None else compare(other, record, groups=asked.groups or as_json))
    shown = _samples(record, asked.task, asked.limit) if asked.samples else []
    if as_json:
        estimates = estimates_as_json(record.estimate_list, found)
        print_json({**_summary(record), "folder": str(record.folder), "estimates": estimates, "samples": shown})
        return
    print_scores(record.estimate_list, found, every_row=asked.every_row, by_group=asked.groups)
    print_samples(shown)
    output.print(Text(saving_line(record.token_counts)))
    output.print(Text(f"sealed and unchanged: {record.folder} (model {record.spec.model})"))


def _cell(row: Mapping[str, object], column: str) -> object:
    """A cell of the list: of many suites the first, or their number where it is narrow, and of a moment the minute."""
    value = row[column]
    if column == "started_at" and isinstance(value, str):
        return value[:16].replace("T", " ")
    names = str(value).split(", ")
    if column == "suites" and len(names) > _FEW:
        others = numbered(len(names) - _FEW + 1, "other")
        return f"{', '.join(names[: _FEW - 1])} and {others}" if output.width >= WIDE else len(names)
    return value


def _summary(record: "RunRecord") -> dict[str, object]:
    from harness.record.opening import is_there

    started = record.environment.get("started_at") if is_there(record.folder / "environment.json") else None
    return {
        "run_id": record.run_id,
        "state": record.state,
        "model": record.spec.model,
        "fingerprint": record.spec.fingerprint,
        "suites": ", ".join(record.spec.suites) or ", ".join(task.task for task in record.spec.tasks),
        "dtype": record.spec.dtype,
        "seed": record.spec.seed,
        "lineage": record.spec.lineage,
        "step": record.spec.step,
        "tags": ", ".join(f"{key}={value}" for key, value in record.spec.tags.items()),
        "started_at": started,
    }


def _samples(record: "RunRecord", task: str | None, limit: int) -> list[dict[str, object]]:
    from harness.record.media import file_of, media_names

    table = record.samples
    if task is not None:
        known = sorted(set(table["task"]))
        if task not in known:
            raise UnknownName("task in this run", task, known)
        table = table[table["task"] == task]
    rank = table.groupby(["suite", "task"])["sample_id"].transform(lambda ids: ids.factorize()[0])
    chosen = table[rank < limit].drop(columns=["token_ids", "wording"], errors="ignore")
    key = ["suite", "task", "sample_id"]
    said = [name for name in ("gold", "predicted", "remark") if name in record.scores]
    told = record.scores.dropna(subset=said, how="all").sort_values("remark", na_position="last", kind="stable")
    chosen = chosen.merge(told.drop_duplicates(key)[[*key, *said]], on=key, how="left")
    if "settings" in chosen:
        chosen = chosen.assign(media=[", ".join(map(file_of, media_names(one))) for one in chosen["settings"]])
    return [{str(key): _plain(value) for key, value in row.items()} for row in chosen.to_dict("records")]


def _plain(value: object) -> object:
    """A cell as JSON has it: lists for arrays, nothing for a number that is none."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if value != value else value
