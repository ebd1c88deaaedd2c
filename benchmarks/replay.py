"""How many samples decisions would have asked of checkpoints whose answers to all of them are known.

python -m benchmarks.replay            # prints the table: four checkpoints on the preset ci, then each decision again
python -m benchmarks.replay --write    # puts it into docs/gate.md
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file

from benchmarks.page import put
from harness.checkpoints import resolve
from harness.core.scores import OVERALL
from harness.decision.gate import gate
from harness.decision.policy import Policy, read_policy
from harness.decision.verdicts import RuleVerdict, Verdict
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.sequential.deciding import Decided, decide
from tests.tiny import build_tiny_checkpoint

__all__ = ["Pair", "Replay", "main", "replayed"]

_MODEL, _SUITE, _POLICY = "smollm2-135m", "ci", "default"
_PAGE, _NAME = Path("docs/gate.md"), "replay"
_HARM = 0.3
"""Standard deviation of the noise, in that of a matrix of weights."""
_COLUMNS = ("held against", "rule", "a fixed size", "samples", "until decided", "samples", "of the fixed size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A checkpoint (as for `harness eval`) whose whole run is held against a baseline's."""

    title: str
    model: str
    run: RunRecord
    baseline: RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a gate says of the whole run, and what a decision would have said that asked the same samples bit by bit."""

    fixed: Verdict
    decided: Decided

    @property
    def rules(self) -> list[tuple[RuleVerdict, RuleVerdict]]:
        """Each rule's two verdicts."""
        found = {rule.rule: rule for rule in self.decided.verdict.rules}
        return [(rule, found[rule.rule]) for rule in self.fixed.rules if rule.rule in found]

    @property
    def contradictions(self) -> list[str]:
        """Rules that one of the two passes and the other fails."""
        return [one.rule for one, other in self.rules if {one.verdict, other.verdict} == {"PASS", "FAIL"}]

    @property
    def counts(self) -> tuple[int, int]:
        """Samples of the whole run in the tasks that the rules are on, and those that the decision asked."""
        asked = self.decided.asked
        return sum(self.decided.available[place] for place in asked), sum(asked.values())


def replayed(pair: Pair, policy: Policy, suite: str, folder: Path) -> Replay:
    """Judge the whole run, then decide on its answers; no model is asked. Runs are made in the folder."""
    options = EvalOptions(output=folder, meter="none", store="none", dtype=pair.run.spec.dtype)
    decision = decide(pair.model, policy, baseline=pair.baseline, known=pair.run, suite=suite, options=options)
    return Replay(fixed=gate(pair.run, policy, pair.baseline), decided=decision)


def _harmed(folder: Path) -> str:
    """The default model with noise in its matrices."""
    source = resolve(_MODEL).path
    shutil.copytree(source, folder, dirs_exist_ok=True)
    weights, generator = load_file(source / "model.safetensors"), torch.Generator().manual_seed(1)
    for name, weight in weights.items():
        if weight.dim() == 2:
            noise = torch.randn(weight.shape, generator=generator) * _HARM * weight.float().std()
            weights[name] = (weight.float() + noise).to(weight.dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


def _pairs(records: Path) -> Iterator[Pair]:
    """The pairs, one by one. Runs are kept in the folder, and those that are there already are taken."""

    def run(model: str, dtype: str = "float32") -> RunRecord:
        options = EvalOptions(output=records, meter="none", store="none", dtype=dtype)
        print(f"{model} in {dtype}", file=sys.stderr)
        return evaluate(model, suite=_SUITE, options=options)

    baseline, harmed = run(_MODEL), records / "harmed"
    yield Pair(title="the same weights in bfloat16", model=_MODEL, run=run(_MODEL, "bfloat16"), baseline=baseline)
    worse = str(harmed) if (harmed / "model.safetensors").exists() else _harmed(harmed)
    yield Pair(title="noise in the weights", model=worse, run=run(worse), baseline=baseline)
    tiny = [str(build_tiny_checkpoint(records / f"tiny-{seed}", seed=seed)) for seed in (0, 1)]
    yield Pair(title="a tiny random model, another seed", model=tiny[1], run=run(tiny[1]), baseline=run(tiny[0]))


def _rows(pair: Pair, replay: Replay) -> list[Sequence[str]]:
    """One of all rules, then one a rule, whose samples are those of its tasks."""
    rows: list[Sequence[str]] = []
    for fixed, decided in replay.rules:
        n, there = decided.n or 0, _there(replay, fixed)
        rows.append(("", fixed.suite, fixed.verdict, f"{there:,}", decided.verdict, f"{n:,}", f"{n / there:.0%}"))
    there, asked = replay.counts
    verdicts = (
        replay.fixed.verdict,
        f"{there:,}",
        replay.decided.verdict.verdict,
        f"{asked:,}",
        f"{asked / there:.0%}",
    )
    return [(pair.title, "all", *verdicts), *rows]


def _there(replay: Replay, rule: RuleVerdict) -> int:
    """Samples that the whole run has of what a rule is on."""
    on = {place: count for place, count in replay.decided.available.items() if place[0] == rule.suite}
    return sum(on.values()) if rule.task == OVERALL else on[rule.suite, rule.task]


def main() -> None:
    """Print the table, or put it into the page. Exit code 1 where a decision contradicts a whole run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=Path("build/replay"), help="where the whole runs are kept")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.records.mkdir(parents=True, exist_ok=True)
    policy, rows, contradictions = read_policy(_POLICY), [], []
    for pair in _pairs(given.records):
        with TemporaryDirectory() as folder:
            replay = replayed(pair, policy, _SUITE, Path(folder))
        rows += _rows(pair, replay)
        contradictions += [f"{pair.title}: {rule}" for rule in replay.contradictions]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (_COLUMNS, ["---"] * len(_COLUMNS), *rows))
    if given.write:
        put(_PAGE, _NAME, table)
    else:
        print(table)
    if contradictions:
        sys.exit("; ".join(contradictions))


if __name__ == "__main__":
    main()
