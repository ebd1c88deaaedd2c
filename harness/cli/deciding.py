"""`harness compare`, `harness gate` and `harness policy`. Each imports what it needs, so that help is instant."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import WIDE, errors, output, print_json, print_rows, print_text
from harness.cli.options import AsJson, with_options
from harness.cli.runs import Output, Run, sealed_run
from harness.cli.until_decided import decided, exit_by, print_verdict
from harness.core.errors import InputError
from harness.core.options import option
from harness.core.text.counts import numbered
from harness.run.options import STORE_HELP, EvalOptions

if TYPE_CHECKING:
    from harness.decision.comparison import Comparison, MetricDifference
    from harness.decision.policy import Policy
    from harness.decision.verdicts import Verdict

__all__ = ["compare_command", "gate_command", "policy", "print_differences"]

AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print as Markdown.")]

_WIDE_ALONE = ("p (Holm)", "n", "flips")
"""Columns of differences that narrow terminals have no room for, and others no need where they are empty."""
_NAMES = 6
"""How many scores are named that share the reason why they have no test; JSON and Markdown name all."""

policy = typer.Typer(no_args_is_help=True, help="Write a policy for the gate, and plan how many samples it needs.")


def compare_command(
    run: Run,
    others: Annotated[list[str], typer.Argument(help="One or more runs to compare with the first.")],
    samples: Annotated[
        int, typer.Option("--samples", min=0, help="Also show this many flipped samples for each task.")
    ] = 0,
    groups: Annotated[bool, typer.Option("--groups", help="Also single groups.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs significantly.")] = False,
    every_row: Annotated[bool, typer.Option("--all", help="Every metric of every task, however many.")] = False,
    markdown: AsMarkdown = False,
    as_json: AsJson = False,
    output_folder: Output = Path("runs"),
) -> None:
    """Compare runs sample by sample: differences with intervals, p values after Holm, flipped samples, costs.

    Dimensions come first, then the tasks that differ significantly; --all has the rest.

    [bold]Examples[/bold]

    harness compare 1a2b3c 4d5e6f

    harness compare 1a2b3c 4d5e6f --changed --samples 3
    """
    from harness.core.headlines import made_of
    from harness.decision.comparison import compare_all
    from harness.decision.telling.differences import in_order, shortlist
    from harness.decision.wording import comparison_markdown

    first, *rest = (sealed_run(name, output_folder) for name in (run, *others))
    found = compare_all(first, rest, groups=groups)
    if as_json:
        print_json([asdict(comparison) for comparison in found])
        return
    if every_row or groups or changed:
        shown = [
            in_order([one for one in comparison.differences if not changed or one.is_significant])
            for comparison in found
        ]
    else:
        entering = made_of(one for one in first.estimate_list if one.is_headline)
        shown = [shortlist(comparison, entering) for comparison in found]
    if markdown:
        print_text(comparison_markdown(found, shown))
        return
    for comparison, rows in zip(found, shown, strict=True):
        _print_comparison(comparison, rows, samples, whole=changed)


def _print_comparison(
    comparison: "Comparison", rows: Sequence["MetricDifference"], samples: int, *, whole: bool
) -> None:
    from harness.decision.flips import first_of_each_task
    from harness.decision.wording import COST_COLUMNS, FLIP_COLUMNS, cost_cells, flip_cells

    output.print(Text(f"{comparison.first_run_id} ({comparison.first_model}): first"))
    output.print(Text(f"{comparison.second_run_id} ({comparison.second_model}): second"))
    for line in filter(None, (comparison.relation, *comparison.conditions)):
        output.print(Text(f"  {line}"))
    for title, level in (("dimensions", "suite"), ("tasks", "metric"), ("groups", "group")):
        if of_level := [one for one in rows if one.level == level]:
            print_differences(f"{title}: second less first", of_level)
    if left := 0 if whole else len(comparison.differences) - len(rows):
        output.print(Text(f"{numbered(left, 'more score')} of tasks: `harness compare RUN RUN --all`", style="dim"))
    print_rows("costs", COST_COLUMNS, map(cost_cells, comparison.costs))
    output.print(Text(f"{numbered(len(comparison.flips), 'sample')} flipped: `--samples N` shows which"))
    if flipped := list(map(flip_cells, first_of_each_task(comparison.flips, samples))):
        print_rows("flipped", FLIP_COLUMNS, flipped)


def print_differences(title: str, rows: Sequence["MetricDifference"]) -> None:
    """A table of the differences that are known; why some have no test is told once for all that share a reason."""
    from harness.decision.wording import DIFFERENCE_COLUMNS, difference_cells, difference_name

    cells = [(*difference_cells(one)[:-1], one.change) for one in rows if one.difference is not None]
    shown = [
        at
        for at, name in enumerate(DIFFERENCE_COLUMNS)
        if name not in _WIDE_ALONE or (output.width >= WIDE and any(row[at] for row in cells))
    ]
    if cells:
        print_rows(title, [DIFFERENCE_COLUMNS[at] for at in shown], [[row[at] for at in shown] for row in cells])
    reasons: dict[str, list[str]] = {}
    for one in rows:
        if one.reason is not None:
            reasons.setdefault(one.reason, []).append(difference_name(one))
    for reason, names in reasons.items():
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        output.print(Text(f"not tested: {', '.join(names[:_NAMES])}{more}: {reason}", style="dim"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """What a run is held against, and where the verdict goes besides."""

    baseline: str | None = option(None, "The run to compare it with.")
    until_decided: bool = option(
        False,
        "RUN is a checkpoint: evaluate it until the policy is decided. `harness decide` takes more options.",
        "--run-until-decided",
    )
    junit: Path | None = option(None, "Also write JUnit XML here.")
    sarif: Path | None = option(None, "Also write SARIF 2.1.0 here.")
    store: str | None = option(None, STORE_HELP)


@with_options(GateOptions, "asked")
def gate_command(
    *,
    run: Run,
    policy: Annotated[str, typer.Option("--policy", help="A policy file, or strict or default.")],
    asked: GateOptions,
    markdown: AsMarkdown = False,
    as_json: AsJson = False,
    output_folder: Output = Path("runs"),
) -> None:
    """Judge a run by a policy: exit code 0 for PASS, 1 FAIL, 3 INCONCLUSIVE, 2 ERROR.

    The verdict is kept in the run's folder, under gates. In GitHub Actions its table goes to the step summary.

    [bold]Examples[/bold]

    harness gate 4d5e6f --policy default --baseline 1a2b3c

    harness gate 4d5e6f --policy policy.yaml --junit gate.xml --sarif gate.sarif

    harness gate ./my-checkpoint --policy default --baseline 1a2b3c --run-until-decided
    """
    from harness.decision.gate import gate
    from harness.decision.policy import read_policy
    from harness.decision.verdicts import write_verdict
    from harness.decision.wording import verdict_markdown
    from harness.store import add_or_say

    rules = read_policy(policy)
    against = sealed_run(asked.baseline, output_folder) if asked.baseline else None
    decision = None
    if asked.until_decided:
        decision = decided(run, rules, against, EvalOptions(output=output_folder, store=asked.store))
        record, verdict = decision.record, decision.verdict
    else:
        record = sealed_run(run, output_folder)
        verdict = gate(record, rules, against)
    kept = write_verdict(record.folder, verdict)
    add_or_say(asked.store, record.folder, lambda said: errors.print(Text(said)))
    _write_for_ci(rules, verdict, asked.junit, asked.sarif)
    if as_json:
        print_json(asdict(verdict))
    elif markdown:
        print_text(verdict_markdown(verdict))
    else:
        print_verdict(verdict, kept, decision)
    exit_by(verdict)


def _write_for_ci(rules: "Policy", verdict: "Verdict", junit: Path | None, sarif: Path | None) -> None:
    """The verdict in the files that were asked for, and in the step summary of GitHub Actions where there is one."""
    from harness.decision.reports import append_text, write_junit, write_text
    from harness.decision.reports import sarif as as_sarif
    from harness.decision.wording import verdict_markdown
    from harness.record.environment import package_versions

    if junit:
        write_junit(junit, rules, verdict)
    if sarif:
        version = package_versions().get("responsible-eval-harness", "0")
        write_text(sarif, as_sarif(rules, verdict, version))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_text(Path(summary), verdict_markdown(verdict))


@policy.command("init")
def init_command(
    run: Run,
    file: Annotated[
        Path | None, typer.Option("--out", "--file", help="Write here instead of on standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    absolute: Annotated[
        bool,
        typer.Option("--absolute", help="Floors and ceilings at what the run shows, for a gate without a baseline."),
    ] = False,
    equal: Annotated[
        str | None,
        typer.Option(
            "--equal", help="A run of a model that counts as equal, such as the same one in another precision."
        ),
    ] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Write a commented policy from what a run measured: what a model may lose against it as a baseline.

    Margins are those that so many samples can decide: a model that is equal passes with a probability of 80 %.

    [bold]Examples[/bold]

    harness policy init 1a2b3c --out policy.yaml

    harness policy init 1a2b3c --equal 4d5e6f --out policy.yaml
    """
    from harness.decision.drafting import draft

    other = sealed_run(equal, output_folder) if equal else None
    text = draft(sealed_run(run, output_folder), absolute=absolute, equal=other)
    if file is None:
        print_text(text)
        return
    if file.exists() and not force:
        raise InputError("exists already", place=file, fix="Add --force to replace it")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"can't be written ({error.strerror})", place=file) from error
    heading = (line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("#"), text.splitlines()))
    errors.print(Text(f"written: {file}\n{' '.join(heading)}"))


@policy.command("plan")
def plan_command(
    margin: Annotated[
        float, typer.Option(help="Largest acceptable loss, in the unit of the score: 0.02 is two points.")
    ],
    discordance: Annotated[float, typer.Option(help="Share of samples on which the two differ.")] = 0.1,
    power: Annotated[float, typer.Option(help="Probability that an equally good model passes.")] = 0.8,
    confidence: Annotated[float, typer.Option(help="Confidence level of the one-sided bound.")] = 0.95,
    cluster_size: Annotated[
        float, typer.Option("--cluster-size", min=1, help="Number of samples that share a passage.")
    ] = 1,
    correlation: Annotated[
        float, typer.Option(min=0, max=1, help="Correlation between samples that share a passage.")
    ] = 0.2,
) -> None:
    """Say how many samples show an equal model to be within a margin of its baseline.

    [bold]Example[/bold]: harness policy plan --margin 0.02 --discordance 0.1
    """
    from harness.core.statistics import design_effect, samples_for_margin

    effect = design_effect(cluster_size, correlation)
    try:
        n = samples_for_margin(discordance, margin, power=power, confidence=confidence, effect=effect)
    except ValueError as error:
        raise InputError(str(error), place="harness policy plan", fix="See --help") from error
    output.print(Text(numbered(n, "sample")))
    clustered = f", times {effect:.3g} for clusters of {cluster_size:g}" if effect > 1 else ""
    output.print(
        Text(
            f"so many show an equal model to be within {margin:g} of its baseline, with a chance of {power:.0%}, if "
            f"the two differ on {discordance:.0%} of the samples{clustered} (one-sided, {confidence:.0%})"
        )
    )
