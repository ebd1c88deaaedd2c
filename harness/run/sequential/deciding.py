"""Asks a checkpoint about as many samples as a policy needs to be decided, and no more."""

import math
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.core.errors import InputError
from harness.core.process.network import offline_if
from harness.core.process.progress import Progress, Quiet
from harness.decision.gate import judge_of, summed_up, weight
from harness.decision.judging import Judge
from harness.decision.policy import KINDS, Policy, Rule
from harness.decision.scored import Scored
from harness.decision.sequential.units import Place
from harness.decision.verdicts import RuleVerdict, Verdict
from harness.record import RunRecord
from harness.run.options import EvalOptions, given_options
from harness.run.planning import Plan, plan
from harness.run.sequential.against import Against, plan_of_baseline, require_same_manner
from harness.run.sequential.budget import Budget
from harness.run.sequential.foreseen import followers_in, foresee, require_pinned, require_same_questions, require_sense
from harness.run.sequential.growing import GrowingRun
from harness.run.sequential.needs import LEAST, Need, in_bits, need_of
from harness.run.sequential.remaining import Remaining, remaining_of
from harness.run.work import prepare

__all__ = ["Decided", "decide"]

_GROWTH = 1.3
"""A look has so many times the steps of the one before it: looks cost time, and samples beyond the verdict more."""
_RELATIVE = ("non_inferior", "no_worse_group")
_MORE = "Name its suite with --suite, raise --limit or the baseline's, or write `required: false`"
_WHOLE = "Run it with `harness eval` and judge it with `harness gate`, or write `required: false`"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The run of what was asked, the verdict on it, and how many samples a task there would have been."""

    record: RunRecord
    verdict: Verdict
    asked: Mapping[Place, int]
    available: Mapping[Place, int]
    looks: int
    ended_by: str
    """`decided`, `failed`, `exhausted` or `budget`."""
    remaining: Sequence[Remaining]
    """What the rules that are still open would take."""


@dataclass(kw_only=True)
class _Open:
    """A rule with what it needs, how many steps of it were asked, and what is said of it."""

    rule: Rule
    need: Need
    steps: int
    verdict: RuleVerdict | None = None
    is_absent: bool = False
    """Whether it needn't be met and the run has no such number."""

    @property
    def is_decided(self) -> bool:
        return self.is_absent or (self.verdict is not None and self.verdict.verdict != "INCONCLUSIVE")

    def remaining(self, growing: GrowingRun, against: Against, policy: Policy) -> Remaining | None:
        """What it would take; None of a rule that is decided."""
        if self.is_decided or self.verdict is None:
            return None
        spent = [growing.cost_of(self.need.step_cost)]
        if self.rule.kind in _RELATIVE:
            spent.append(against.cost_of(self.need.step_cost))
        seconds, joules = (
            None if None in known else math.fsum(one for one in known if one is not None)
            for known in zip(*spent, strict=True)
        )
        return remaining_of(
            self.verdict,
            asked=self.steps,
            available=self.need.longest - self.steps,
            cost=(seconds, joules),
            confidence=policy.confidence,
        )

    def judge(self, judge: Judge) -> None:
        """Have it judged; a group that no sample belonged to so far may yet come.

        Raises `InputError` for one that there isn't among all samples.
        """
        try:
            self.verdict = judge.judge(self.rule)
        except InputError:
            if not self.can_grow:
                raise
        self.is_absent = self.verdict is None and not self.can_grow

    @property
    def can_grow(self) -> bool:
        return not self.is_decided and self.steps < self.need.longest

    @property
    def expected_cost(self) -> float:
        """Until it is decided, if its value stays where it is: in tokens."""
        wanted = self.verdict.n_needed if self.verdict else None
        more = self.need.longest if wanted is None else max(LEAST, wanted - self.steps)
        return more * self.need.step_cost


def decide(
    model: str,
    policy: Policy,
    *,
    baseline: RunRecord | None = None,
    baseline_model: str | None = None,
    suite: str | Sequence[str] = (),
    options: EvalOptions | None = None,
    budget: Budget | None = None,
    fail_fast: bool = False,
    progress: Progress | None = None,
    known: RunRecord | None = None,
) -> Decided:
    """Evaluate a checkpoint until every rule of the policy is decided, the data are exhausted or the budget is spent.

    The samples come in the order in which runs with larger and larger limits would have them; after each batch every
    rule is judged by bounds that hold at every moment (`AnytimeBounds`), so looking often costs no certainty. A rule
    that is decided asks for no more samples. The next ones go to the rule whose verdict is expected soonest: this
    changes when a rule is decided, and not how often it errs. With `fail_fast` nothing more is asked once a rule that
    blocks has failed, since the verdict is certain then. What was asked is a sealed run like any other. `suite`
    says where the tasks come from, the suites that the rules name if it isn't given. The same call goes on where an
    interrupted one stopped, and with a larger budget where a smaller one ended.

    `baseline_model` is asked what the record of the baseline lacks, or all where there is none; with the `options`, but
    as the record was where it is there. Answers of the checkpoint that are `known` from a sealed run aren't asked
    again: such a decision shows what one would have taken, and its environment says whose answers it has.

    Raises `InputError` where no rule could be decided, before anything is asked, and `HarnessError` as `evaluate`.
    """
    options, progress = given_options(options), progress or Quiet()
    began = time.monotonic()
    suites = suite or list(dict.fromkeys(rule.suite for rule in policy.rules))
    with offline_if(options.offline, model, baseline_model), ExitStack() as stack:
        grows = baseline_model is not None
        whole, followers = _planned(model, suites, policy, baseline, options, grows=grows)
        if budget is not None:
            budget.require_meter(whole.spec.meter)
        asked_before = None if grows else baseline
        most = _available(whole, policy, asked_before, options)
        held = _held_against(whole, policy)
        if asked_before is not None:
            require_same_questions(asked_before, whole, most, _places(whole, policy, _RELATIVE))
        require_pinned(policy, whole, _places(whole, policy))
        rules = _opened(policy, whole, followers, most, progress)
        beside = None
        if baseline_model is not None and held:
            own = plan_of_baseline(baseline_model, baseline, whole, suites, held, options)
            beside = stack.enter_context(GrowingRun(own, options.output, None, progress, known=baseline))
        read = Path(policy.path).read_bytes()
        growing = stack.enter_context(GrowingRun(whole, options.output, read, progress, known=known))
        end = _End(policy, budget, fail_fast, began)
        return _until_decided(growing, rules, policy, Against(baseline, beside), most, end)


def _limit(policy: Policy, baseline: RunRecord | None) -> int | Literal["all"]:
    """How many samples a task may have: as many as the baseline had of any where nothing else is judged."""
    limits = [task.limit for task in baseline.spec.tasks] if baseline else [None]
    known = [limit for limit in limits if limit is not None]
    alone = any(rule.kind not in _RELATIVE for rule in policy.rules)
    return "all" if alone or len(known) < len(limits) else max(known)


def _as_asked_before(whole: Plan, policy: Policy, baseline: RunRecord | None) -> Plan:
    """The plan in which what is held against a baseline has the samples that it was asked, of which parts are drawn."""
    if baseline is None:
        return whole
    before = {(task.suite, task.task): task for task in baseline.spec.tasks}
    held = _held_against(whole, policy)
    work = []
    for one in whole.work:
        settings = one.planned.settings
        if one.place in held and one.place in before and before[one.place].limit != settings.limit:
            limited = replace(one.planned, settings=replace(settings, limit=before[one.place].limit))
            (one,) = prepare([limited], offline=True, step_timeout_s=whole.plugin_timeout_s)
        work.append(one)
    return replace(whole, work=tuple(work), spec=replace(whole.spec, tasks=tuple(one.spec for one in work)))


def _held_against(whole: Plan, policy: Policy) -> set[Place]:
    """The tasks that enter a number with a margin to the baseline."""
    return {place for _, places in _places(whole, policy, _RELATIVE) for place in places}


def _places(whole: Plan, policy: Policy, kinds: Collection[str] = KINDS) -> list[tuple[Rule, Sequence[Place]]]:
    """The rules of these kinds that the plan has samples for, and the tasks that each one's number is of."""
    counts = {one.place: len(one.samples) for one in whole.work}
    needs = ((rule, need_of(rule.suite, rule.task, whole, counts)) for rule in policy.rules if rule.kind in kinds)
    return [(rule, need.places) for rule, need in needs if need is not None]


def _planned(
    model: str,
    suites: str | Sequence[str],
    policy: Policy,
    baseline: RunRecord | None,
    options: EvalOptions,
    *,
    grows: bool,
) -> tuple[Plan, set[Place]]:
    """Everything that could be asked, and the tasks that can't be asked bit by bit; whether the baseline `grows`."""
    if baseline is None and not grows and (title := policy.needs_baseline):
        raise InputError(
            f"the rule {title!r} has a margin to a baseline, and there is none",
            place=policy.path,
            fix="Add --baseline RUN, or --baseline-model MODEL",
        )
    limited = replace(options, limit=options.limit or ("all" if grows else _limit(policy, baseline)))
    whole = plan(model, suite=suites, task=(), options=limited)
    if baseline is not None:
        require_same_manner(baseline, whole)
    asked = _as_asked_before(in_bits(whole), policy, None if grows else baseline)
    followers = {one.place for one in whole.work} - {one.place for one in asked.work}
    return replace(asked, spec=replace(asked.spec, policy_sha256=policy.sha256)), followers


def _available(whole: Plan, policy: Policy, baseline: RunRecord | None, options: EvalOptions) -> dict[Place, int]:
    """How many samples each task has that can be asked; in what is held against a baseline, no more than that had."""
    most = options.limit if isinstance(options.limit, int) else math.inf
    there = {one.place: int(min(len(one.samples), most)) for one in whole.work}
    if baseline is None:
        return there
    before = {(task.suite, task.task): task.sample_count for task in baseline.spec.tasks}
    held = _held_against(whole, policy)
    return {place: min(count, before.get(place, 0)) if place in held else count for place, count in there.items()}


def _opened(
    policy: Policy, whole: Plan, followers: set[Place], most: Mapping[Place, int], progress: Progress
) -> list[_Open]:
    """The rules that samples can decide; those that needn't be met are left out where none can, which is said.

    Raises `InputError` where none can decide a rule that has to be met, or any at all.
    """
    found = []
    for rule in policy.rules:
        need = need_of(rule.suite, rule.task, whole, most)
        never = "there is no sample for it, or none in the baseline"
        if follow := followers_in(rule, whole, followers):
            never = f"{', '.join(follow)} asks on in the light of the answers, so it can't be decided bit by bit"
        elif need is not None and need.longest > 0:
            require_sense(rule, policy, whole, need)
            never, no_pass = foresee(rule, policy, whole, need)
            if not never:
                found.append(_Open(rule=rule, need=need, steps=need.first))
                if no_pass:
                    progress.note(f"{rule.title}: {no_pass}")
                continue
        if rule.required:
            raise InputError(
                f"the rule {rule.title!r} can't be decided: {never}",
                place=policy.path,
                fix=_WHOLE if follow else _MORE,
            )
        progress.note(f"left out, since no sample decides it here: {rule.title} ({never})")
    if not found:
        raise InputError(
            "no rule can be decided: the run has no sample for any of them, or the baseline has none of its samples",
            place=policy.path,
            fix="Name the suites with --suite, or give a baseline that ran them",
        )
    return found


def _until_decided(
    growing: GrowingRun,
    rules: Sequence[_Open],
    policy: Policy,
    against: Against,
    most: Mapping[Place, int],
    end: "_End",
) -> Decided:
    while True:
        limits = _limits(rules)
        record = growing.look(limits)
        baseline = against.look(limits, growing)
        judge = judge_of(policy, Scored(record), Scored(baseline) if baseline else None)
        for one in rules:
            if not one.is_decided:
                one.judge(judge)
        ended_by = end.reached(growing, against, rules)
        if ended_by:
            kept, before = growing.keep(record), against.keep()
            judged = [(one.rule, one.verdict) for one in rules if one.verdict is not None]
            return Decided(
                record=kept,
                verdict=summed_up(policy, judged, kept, before),
                asked=limits,
                available=most,
                looks=growing.look_count,
                ended_by=ended_by,
                remaining=[left for one in rules if (left := one.remaining(growing, against, policy))],
            )
        _grow(rules)


def _limits(rules: Sequence[_Open]) -> dict[Place, int]:
    """Samples of each task, as many as the rule needs that needs the most."""
    found: dict[Place, int] = {}
    for one in rules:
        for place, count in one.need.samples(one.steps).items():
            found[place] = max(found.get(place, 1), count)
    return found


@dataclass(frozen=True, slots=True)
class _End:
    """When nothing more is asked; `began` is of the monotonic clock."""

    policy: Policy
    budget: Budget | None
    fail_fast: bool
    began: float

    def reached(self, growing: GrowingRun, against: Against, rules: Sequence[_Open]) -> str:
        """Why nothing more is asked; empty while there is something."""
        if all(one.is_decided for one in rules):
            return "decided"
        if self.fail_fast and any(
            one.verdict and weight(self.policy, one.rule, one.verdict) == "FAIL" for one in rules
        ):
            return "failed"
        if not any(one.can_grow for one in rules):
            return "exhausted"
        joules = None if growing.joules is None else growing.joules + against.joules
        spent = self.budget is not None and self.budget.is_spent(
            seconds=time.monotonic() - self.began,
            requests=growing.asked_count + against.asked_count,
            joules=joules,
        )
        return "budget" if spent else ""


def _grow(rules: Sequence[_Open]) -> None:
    """More steps for the rule whose verdict is expected at the lowest cost."""
    cheapest = min((one for one in rules if one.can_grow), key=lambda one: one.expected_cost)
    cheapest.steps = cheapest.need.after(cheapest.steps, _GROWTH)
