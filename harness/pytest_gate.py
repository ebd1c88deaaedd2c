"""A checkpoint's gate as a test: the fixture `harness_gate`, which pytest finds wherever the harness is installed.

def test_ready(harness_gate):
    harness_gate("./ckpt", policy="policy.yaml", baseline="main")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

if TYPE_CHECKING:  # pytest imports this file for whoever has the harness, so it must cost nothing
    from harness.decision.verdicts import Verdict
    from harness.record import RunRecord

__all__ = ["Gate", "harness_gate"]


class Gate(Protocol):
    """Judges a checkpoint, or a run of one."""

    def __call__(
        self,
        checkpoint: str,
        *,
        policy: str,
        baseline: str | None = None,
        suite: str | Sequence[str] = "ci",
        records: str | Path = "runs",
        fail_on: Literal["fail", "inconclusive"] = "inconclusive",
        **options: Any,
    ) -> "Verdict":
        """The verdict of a policy on a checkpoint, as `harness eval` takes it, or on the folder of a run.

        A checkpoint is evaluated first, with the `options` of `harness.EvalOptions`, unless `records` has that run
        already. `baseline` is a run's folder, a folder in `records`, or the beginning of a run's id there. The test
        fails with the gate's table unless the verdict is a PASS, or an INCONCLUSIVE that `fail_on="fail"` lets be.
        """
        ...


@pytest.fixture(name="harness_gate")
def harness_gate() -> Gate:
    """See `Gate`."""
    return _judge


def _judge(
    checkpoint: str,
    *,
    policy: str,
    baseline: str | None = None,
    suite: str | Sequence[str] = "ci",
    records: str | Path = "runs",
    fail_on: Literal["fail", "inconclusive"] = "inconclusive",
    **options: Any,
) -> "Verdict":
    __tracebackhide__ = True
    from harness.core.errors import HarnessError
    from harness.decision.gate import gate
    from harness.decision.policy import read_policy
    from harness.decision.verdicts import write_verdict
    from harness.decision.wording import verdict_lines
    from harness.record import load_record
    from harness.run.options import EvalOptions
    from harness.run.pipeline import evaluate

    folder, fault = Path(records), ""
    try:
        rules = read_policy(policy)
        against = _run_named(baseline, folder) if baseline is not None else None
        if (Path(checkpoint) / "seal.json").is_file():
            record = load_record(checkpoint)
        else:
            settings = EvalOptions(output=folder, **{"meter": "none", **options})
            record = evaluate(checkpoint, suite=suite, options=settings)
        verdict = gate(record, rules, against)
        write_verdict(record.folder, verdict)
    except HarnessError as error:
        fault = str(error)
    if fault:  # told here, where pytest has no causes to print before it
        pytest.fail(fault, pytrace=False)
    if verdict.verdict != "PASS" and not (verdict.verdict == "INCONCLUSIVE" and fail_on == "fail"):
        pytest.fail("\n".join(verdict_lines(verdict)), pytrace=False)
    return verdict


def _run_named(name: str, records: Path) -> "RunRecord":
    """The run in a folder, in a folder of `records`, or whose id there begins so. Raises `UnknownName`."""
    from harness.core.errors import UnknownName
    from harness.record import load_record

    known = {path.parent.name: path.parent for path in sorted(records.glob("*/seal.json"))}
    if (Path(name) / "seal.json").is_file():
        return load_record(name)
    found = [name] if name in known else [one for one in known if one.startswith(name)]
    if len(found) != 1:
        raise UnknownName(f"run in {records}", name, known)
    return load_record(known[found[0]])
