"""`harness runs` and `harness show`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import estimates_as_json, output, print_estimates, print_json, print_rows, saving_line
from harness.core.errors import RecordError, UnknownName

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["runs", "show"]

Output = Annotated[Path, typer.Option("--output", help="The folder that holds the runs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def runs(output_folder: Output = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs in the output folder, newest last.

    [bold]Example[/bold]: harness runs --output runs
    """
    found = [_summary(record) for record in _records(output_folder)]
    if as_json:
        print_json(found)
        return
    columns = ("run_id", "state", "model", "suites", "dtype", "seed", "started_at")
    print_rows(f"runs in {output_folder}", columns, [[row[column] for column in columns] for row in found])


def show(
    run: Annotated[str, typer.Argument(help="A run's folder, or the beginning of its id.")],
    samples: Annotated[
        bool, typer.Option("--samples", help="Also the requests and answers behind the scores.")
    ] = False,
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
    record = _find(run, output_folder)
    changed = record.verify() if record.state == "sealed" else []
    if changed:
        raise RecordError("; ".join(changed), place=record.folder, fix="Do not rely on its scores")
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
    print_estimates(record.estimate_list)
    columns = ("task", "sample_id", "context", "continuation", "loglikelihood", "text", "invalid")
    if shown:
        print_rows("requests and answers", columns, [[row[column] for column in columns] for row in shown])
    output.print(Text(saving_line(record.token_counts)))
    output.print(Text(f"sealed and unchanged: {record.folder} (model {record.spec.model})"))


def _find(name: str, folder: Path) -> "RunRecord":
    from harness.record import load_record

    if (Path(name) / "spec.json").exists():
        return load_record(name)
    known = [path.parent.name for path in folder.glob("*/spec.json")]
    matching = [run_id for run_id in known if run_id.startswith(name)]
    if len(matching) != 1:
        raise UnknownName(f"run in {folder}" if not matching else f"single run in {folder}", name, matching or known)
    return load_record(folder / matching[0])


def _records(folder: Path) -> list["RunRecord"]:
    from harness.record import load_record

    found = [load_record(path.parent) for path in folder.glob("*/spec.json")]
    return sorted(found, key=lambda record: (record.folder / "spec.json").stat().st_mtime)


def _summary(record: "RunRecord") -> dict[str, object]:
    started = record.environment["started_at"] if (record.folder / "environment.json").exists() else None
    return {
        "run_id": record.run_id,
        "state": record.state,
        "model": record.spec.model,
        "fingerprint": record.spec.fingerprint,
        "suites": ", ".join(record.spec.suites) or ", ".join(task.task for task in record.spec.tasks),
        "dtype": record.spec.dtype,
        "seed": record.spec.seed,
        "started_at": started,
    }


def _samples(record: "RunRecord", task: str | None, limit: int) -> list[dict[str, object]]:
    table = record.samples
    if task is not None:
        known = sorted(set(table["task"]))
        if task not in known:
            raise UnknownName("task in this run", task, known)
        table = table[table["task"] == task]
    rank = table.groupby(["suite", "task"])["sample_id"].transform(lambda ids: ids.factorize()[0])
    chosen = table[rank < limit].drop(columns=["token_ids"])
    return [
        {str(key): None if value != value else value for key, value in row.items()} for row in chosen.to_dict("records")
    ]
