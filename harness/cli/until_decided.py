"""`harness decide` and `harness rank`: runs that end when it is decided what they are for."""

from collections.abc import Sequence
from dataclasses import asdict
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from harness.cli.console import output, print_json, print_rows
from harness.cli.options import AsJson, with_options
from harness.cli.process.guard import RuleFailed
from harness.cli.process.progress_bar import resumable
from harness.cli.runs import sealed_run
from harness.cli.screens.panels import EVALUATION
from harness.core.process.heap import uncollected
from harness.core.text.display import number
from harness.run.options import EvalOptions

if TYPE_CHECKING:
    from harness.decision.policy import Policy
    from harness.decision.verdicts import Verdict
    from harness.record import RunRecord
    from harness.run.sequential.budget import Budget
    from harness.run.sequential.deciding import Decided
    from harness.run.sequential.elimination import Ranked

__all__ = ["decide_command", "decided", "exit_by", "print_verdict", "rank_command"]

_ENDINGS = {
    "decided": "it is decided",
    "exhausted": "there are no more samples to ask about",
    "budget": "the budget is spent",
    "failed": "a rule that blocks has failed, so the verdict is certain",
}

_EXAMPLES = """
[bold]Examples[/bold]

harness decide --model ./my-checkpoint --policy default --baseline 1a2b3c

harness decide --model ./my-checkpoint --policy policy.yaml --baseline 1a2b3c --budget 30m

harness decide --model ./my-checkpoint --policy policy.yaml --budget "20000 requests"

harness decide --model ./step-2000 --policy default --baseline-model ./step-1000
"""


@with_options(EvalOptions, panels=EVALUATION)
def decide_command(
    *,
    model: Annotated[str, typer.Option(help="The checkpoint, as for `harness eval`.")],
    policy: Annotated[str, typer.Option("--policy", help="A policy file, or strict or default.")],
    baseline: Annotated[str | None, typer.Option("--baseline", help="The run to compare it with.")] = None,
    baseline_model: Annotated[
        str | None,
        typer.Option(
            "--baseline-model", help="The checkpoint to compare it with: it is asked what the run --baseline lacks."
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="End at the latest after 30m, 2h, `20000 requests` or `50 Wh`.")
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="End as soon as a rule that blocks has failed.")
    ] = False,
    suite: Annotated[
        list[str] | None,
        typer.Option(help="Where the tasks come from. \\[default: the suites that the rules of the policy name]"),
    ] = None,
    options: EvalOptions,
    as_json: AsJson = False,
) -> None:
    """Evaluate a checkpoint until a policy is decided, and judge it: exit codes as of `harness gate`.

    Samples are asked in batches, and the policy is judged after each by bounds that hold however often one looks. What
    was asked is a run like any other. The same command goes on where an interrupted one stopped.
    """
    from harness.decision.policy import read_policy
    from harness.decision.verdicts import write_verdict
    from harness.run.sequential.budget import Budget

    rules = read_policy(policy)
    against = sealed_run(baseline, options.output) if baseline else None
    allowed = Budget.parse(budget) if budget is not None else None
    found = decided(
        *(model, rules, against, options),
        suite=suite or [],
        budget=allowed,
        baseline_model=baseline_model,
        fail_fast=fail_fast,
    )
    kept = write_verdict(found.record.folder, found.verdict)
    if as_json:
        remaining = [asdict(one) for one in found.remaining]
        print_json({**asdict(found.verdict), "ended_by": found.ended_by, "looks": found.looks, "remaining": remaining})
    else:
        print_verdict(found.verdict, kept, found)
    exit_by(found.verdict)


def print_verdict(verdict: "Verdict", kept: Path, found: "Decided | None" = None) -> None:
    """The verdict for a terminal, and where it is kept; of a decision also what was asked and what more would cost."""
    from harness.decision.wording import verdict_lines

    output.print(Text("\n".join(verdict_lines(verdict, output.width))))
    if found is not None:
        print_rows("samples", ("task", "asked", "there are"), _sample_rows(found))
        looks = "once" if found.looks == 1 else f"{found.looks} times"
        output.print(Text(f"{_ending(found)} (looked {looks})"))
        if found.remaining:
            output.print(Text("\nWhat the open rules would take:"))
        for one in found.remaining:
            output.print(Text(f"  {one.rule}: {one.sentence}"))
    # The folder of the run, in which the verdicts have one of their own.
    output.print(Text(f"{verdict.verdict}: {kept.parent.parent} (kept in {kept})"))


def exit_by(verdict: "Verdict") -> NoReturn:
    """End with the verdict's exit code."""
    from harness.decision.gate import EXIT_CODES

    raise RuleFailed if verdict.verdict == "FAIL" else typer.Exit(EXIT_CODES[verdict.verdict])


def decided(
    model: str,
    policy: "Policy",
    baseline: "RunRecord | None",
    options: EvalOptions,
    *,
    suite: Sequence[str] = (),
    budget: "Budget | None" = None,
    baseline_model: str | None = None,
    fail_fast: bool = False,
) -> "Decided":
    """The decision, with a bar while it is made; an interrupted one ends with the exit code 3."""
    with resumable() as progress:
        with uncollected():
            from harness.run.sequential.deciding import decide

        return decide(
            model,
            policy,
            baseline=baseline,
            baseline_model=baseline_model,
            suite=suite,
            options=options,
            budget=budget,
            fail_fast=fail_fast,
            progress=progress,
        )


def _ending(found: "Decided") -> str:
    """Why it ended; where tasks have no more samples and others have, which."""
    if found.ended_by == "decided":
        return "every rule is decided"
    out = [place for place, count in found.asked.items() if count >= found.available[place]]
    if found.ended_by == "exhausted" and len(out) < len(found.asked):
        return f"there are no more samples of {', '.join(map('/'.join, out))}, without which open rules can't go on"
    return _ENDINGS[found.ended_by]


def _sample_rows(found: "Decided") -> list[tuple[str, ...]]:
    return [
        (f"{suite}/{task}", f"{count:,}", f"{found.available[suite, task]:,}")
        for (suite, task), count in found.asked.items()
    ]


_RANKED = {"in": "among the best", "out": "not among them", "open": "can't tell"}

_RANK_EXAMPLES = """
[bold]Example[/bold]

harness rank ./step-1000 ./step-2000 ./step-3000 --top 1 --suite accuracy --budget 1h
"""


@with_options(EvalOptions, panels=EVALUATION)
def rank_command(
    *,
    models: Annotated[list[str], typer.Argument(help="The checkpoints, as for `harness eval`.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best to find.")] = 1,
    suite: Annotated[str, typer.Option(help="The suite whose headline they are ranked by, or a suite file.")],
    budget: Annotated[
        str | None, typer.Option(help="End at the latest after 30m, 2h, `20000 requests` or `50 Wh`.")
    ] = None,
    options: EvalOptions,
    as_json: AsJson = False,
) -> None:
    """Find the best of several checkpoints, asking each no more than it takes to tell; 95 % sure of who is among them.

    What each was asked is a run like any other. Exit code 3 where it can't be told.
    """
    from harness.run.sequential.budget import Budget

    allowed = Budget.parse(budget) if budget is not None else None
    with resumable() as progress:
        with uncollected():
            from harness.run.sequential.elimination import rank_checkpoints

        found = rank_checkpoints(models, top=top, suite=suite, options=options, budget=allowed, progress=progress)
    if as_json:
        print_json({"on": found.on, "ended_by": found.ended_by, "models": list(map(_ranked_json, found.models))})
    else:
        columns = ("checkpoint", f"best {top}", "score", "n", "better than", "worse than", "run")
        print_rows(f"by {found.on}", columns, map(_ranked_cells, found.models))
        output.print(Text(_ENDINGS[found.ended_by]))
    raise typer.Exit(0 if found.ended_by == "decided" else 3)


def _ranked_json(one: "Ranked") -> dict[str, object]:
    fields = ("model", "place", "score", "n", "better_than", "worse_than")
    return {field: getattr(one, field) for field in fields} | {"run_id": one.record.run_id}


def _ranked_cells(one: "Ranked") -> tuple[object, ...]:
    place, n = _RANKED[one.place], f"{one.n:,}"
    return one.model, place, number(one.score), n, one.better_than, one.worse_than, one.record.run_id


rank_command.__doc__ = f"{getdoc(rank_command)}\n{_RANK_EXAMPLES}"

decide_command.__doc__ = f"{getdoc(decide_command)}\n{_EXAMPLES}"
