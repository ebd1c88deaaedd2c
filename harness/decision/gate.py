"""May a checkpoint pass? A sealed run is judged by a policy, alone and against a baseline."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.core.errors import InputError, RecordError
from harness.decision.derived import contradictions
from harness.decision.judging import Judge
from harness.decision.policy import Policy, Rule, read_policy
from harness.decision.scored import Scored
from harness.decision.sequential.bounds import AnytimeBounds
from harness.decision.sequential.shared import SharedSamples
from harness.decision.sequential.units import Order
from harness.decision.verdicts import Outcome, RuleVerdict, Verdict, decided_count
from harness.record import RunRecord
from harness.record.notebook.given import require_record

__all__ = ["EXIT_CODES", "gate", "judge_of", "summed_up", "weight"]

EXIT_CODES: dict[Outcome, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "ERROR": 2}

_SHOWN = 5

_WORST_FIRST: Sequence[Outcome] = ("ERROR", "FAIL", "INCONCLUSIVE", "PASS")


def gate(run: RunRecord, policy: Policy | str | Path, baseline: RunRecord | None = None) -> Verdict:
    """What the policy says of a sealed run; a policy is also named by its file or its template.

    The verdict is that of the worst rule: ERROR, FAIL, INCONCLUSIVE, PASS. Rules whose severity is `warn` don't count,
    nor do inconclusive ones that the policy lets be. Raises `RecordError` for a run that isn't sealed, was changed, or
    whose estimates don't follow from its scores; `InputError` for a policy that doesn't fit the run.
    """
    policy = policy if isinstance(policy, Policy) else read_policy(str(policy))
    scored, before = _trusted(run), _trusted(baseline) if baseline else None
    if baseline is None and (title := policy.needs_baseline):
        raise InputError(
            f"the rule {title!r} has a margin to a baseline, and there is none",
            place=policy.path,
            fix="Add --baseline RUN",
        )
    judge = judge_of(policy, scored, before)
    judged = [(rule, verdict) for rule in policy.rules if (verdict := judge.judge(rule)) is not None]
    if not judged:
        raise InputError("no rule applies to anything that the run measured", place=policy.path, fix="Add a rule")
    return summed_up(policy, judged, run, baseline)


def judge_of(policy: Policy, run: Scored, baseline: Scored | None) -> Judge:
    """Who judges a run: by bounds that hold at every moment where the run ended as soon as a policy was decided.

    The bounds of a fixed size would then err more often than they say. Raises `RecordError`.
    """
    order = Order.of(run.record)
    if order is None:
        return Judge(policy, run, baseline)
    shared = SharedSamples(baseline.record, run) if baseline else None
    return Judge(policy, run, shared, AnytimeBounds(run, shared, policy.confidence, order), order.prompts)


def summed_up(
    policy: Policy, judged: Sequence[tuple[Rule, RuleVerdict]], run: RunRecord, baseline: RunRecord | None
) -> Verdict:
    """The verdict of a policy from those of its rules, of which there is at least one.

    What would be a PASS is INCONCLUSIVE where a smaller share of the rules than the policy asks for is decided.
    """
    weights = [weight(policy, rule, verdict) for rule, verdict in judged]
    if decided_count([verdict for _, verdict in judged]) < policy.smallest_decided * len(judged):
        weights.append("INCONCLUSIVE")
    return Verdict(
        run_id=run.run_id,
        baseline_run_id=baseline.run_id if baseline else None,
        policy=policy.name,
        policy_sha256=policy.sha256,
        decided_at=datetime.now(UTC).isoformat(timespec="seconds"),
        verdict=min(weights, key=_WORST_FIRST.index),
        rules=tuple(verdict for _, verdict in judged),
        smallest_decided=policy.smallest_decided,
    )


def weight(policy: Policy, rule: Rule, verdict: RuleVerdict) -> Outcome:
    """What a rule's verdict counts as: a warning, and an inconclusive one that is let be, count as PASS."""
    if rule.severity == "warn":
        return "PASS"
    if verdict.verdict == "INCONCLUSIVE" and (rule.inconclusive or policy.inconclusive) != "block":
        return "PASS"
    return verdict.verdict


def _trusted(record: RunRecord) -> Scored:
    require_record(record)
    if record.state != "sealed":
        raise RecordError("the run is not finished, so nothing can be decided", place=record.folder)
    if changed := record.verify():
        raise RecordError("; ".join(changed), place=record.folder, fix="Do not rely on its scores")
    scored = Scored(record)
    if found := contradictions(scored):
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise RecordError(
            f"its estimates don't follow from its scores: {'; '.join(found[:_SHOWN])}{more}",
            place=record.folder,
            fix="Do not rely on it; run the evaluation again",
        )
    return scored
