"""`harness runs` and `harness show`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.compact import print_scores
from harness.cli.console import errors, estimates_as_json, output, print_json, print_rows, saving_line
from harness.cli.runs import Output, Run, sealed_run, spec_files
from harness.core.errors import RecordError, UnknownName

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["runs", "show"]

_COLUMNS = (
    *("task", "sample_id", "media", "context", "continuation", "loglikelihood", "text", "stop"),
    *("gold", "predicted", "remark", "invalid"),
)
"""Of requests and answers; those in which no row has anything are left out."""
_LONG, _HEAD, _TAIL = 900, 250, 550
"""Characters of a cell from which it loses its middle, and what it keeps: a prompt's question stands at its end."""

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def runs(output_folder: Output = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs in the output folder, newest last; a damaged one is named, and ends the list with exit code 2.

    [bold]Example[/bold]: harness runs --output runs
    """
    from harness.record import load_record

    files = sorted(spec_files(output_folder), key=lambda path: path.stat().st_mtime)
    found: list[dict[str, object]] = []
    damaged: list[RecordError] = []
    for path in files:
        try:
            record = load_record(path.parent)
            if record.run_id in {row["run_id"] for row in found}:
                errors.print(Text(f"{path.parent}: is a copy of the run {record.run_id}, and left out"))
            else:
                found.append(_summary(record))
        except RecordError as error:
            damaged.append(error)
    if as_json:
        print_json(found)
    elif found:
        training = [name for name in ("lineage", "step", "tags") if any(row[name] not in (None, "") for row in found)]
        columns = ("run_id", "state", "model", *training, "suites", "dtype", "seed", "started_at")
        print_rows(f"runs in {output_folder}", columns, [[row[column] for column in columns] for row in found])
    elif not damaged:
        output.print(Text(f"no runs in {output_folder}"))
    for fault in damaged:
        errors.print(Text(f"harness: {fault}"))
    if damaged:
        raise typer.Exit(RecordError.exit_code)


def show(
    run: Run,
    samples: Annotated[
        bool, typer.Option("--samples", help="Also the requests and answers behind the scores.")
    ] = False,
    every_row: Annotated[bool, typer.Option("--all", help="Every score, however many there are.")] = False,
    groups: Annotated[bool, typer.Option("--groups", help="Also the scores of single groups.")] = False,
    task: Annotated[str | None, typer.Option(help="With --samples: of this task only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="With --samples: how many samples a task.")] = 3,
    output_folder: Output = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show the scores of a run, and whether its files are as they were sealed.

    [bold]Examples[/bold]

    harness show 1a2b3c

    harness show runs/1a2b3c4d5e6f --samples --task piqa
    """
    record = sealed_run(run, output_folder)
    shown = _samples(record, task, limit) if samples else []
    if as_json:
        print_json(
            {
                **_summary(record),
                "folder": str(record.folder),
                "estimates": estimates_as_json(record.estimate_list),
                "samples": shown,
            }
        )
        return
    print_scores(record.estimate_list, every_row=every_row, by_group=groups)
    told = [name for name in _COLUMNS if any(row.get(name) not in (None, "") for row in shown)]
    if shown:
        print_rows("requests and answers", told, [[_shown(row[column]) for column in told] for row in shown])
    output.print(Text(saving_line(record.token_counts)))
    output.print(Text(f"sealed and unchanged: {record.folder} (model {record.spec.model})"))


def _shown(value: object) -> object:
    """A cell for people: a word where a picture or sound stands, whose file is named in the column `media`.

    A long text loses its middle; `--json` has all of it.
    """
    from harness.core.media import OBJECT

    if not isinstance(value, str):
        return value
    text = value.replace(OBJECT, "[picture or sound]")
    if len(text) <= _LONG:
        return text
    return f"{text[:_HEAD]}\n[{len(text) - _HEAD - _TAIL:,} characters left out]\n{text[-_TAIL:]}"


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
    remarks = record.scores.get("remark")
    if remarks is not None and remarks.notna().any():
        key = ["suite", "task", "sample_id"]
        scores = record.scores.dropna(subset=["remark"]).drop_duplicates(key)
        chosen = chosen.merge(scores[[*key, "gold", "predicted", "remark"]], on=key, how="left")
    if "settings" in chosen:
        chosen = chosen.assign(media=[", ".join(map(file_of, media_names(one))) for one in chosen["settings"]])
    return [{str(key): _plain(value) for key, value in row.items()} for row in chosen.to_dict("records")]


def _plain(value: object) -> object:
    """A cell as JSON has it: lists for arrays, nothing for a number that is none."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if value != value else value
