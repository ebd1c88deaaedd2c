"""What each rule of a policy says of a run: PASS, FAIL, INCONCLUSIVE or ERROR, and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scipy import special

from harness.core import statistics
from harness.core.errors import InputError, UnknownName
from harness.core.metrics import Undefined
from harness.core.scores import OVERALL, Estimate, SampleGroup
from harness.core.statistics import Difference, Interval, Standing
from harness.core.text.reasons import Reason, told_together
from harness.decision.comparable import run_faults, task_faults
from harness.decision.contrasts import READINGS, Contrast, contrasted_parts
from harness.decision.keys import Key
from harness.decision.limits import FEW_DIFFER, Bounds, FixedBounds, is_reading, unit_count
from harness.decision.policy import Policy, Rule
from harness.decision.scored import Scored
from harness.decision.telling.sentences import Edges, both, by_method, how_it_stands, together, too_few
from harness.decision.telling.settling import settled_by
from harness.decision.verdicts import Outcome, RuleVerdict

__all__ = ["Judge", "require_direction"]

_FEWEST = 8
"""Independent samples below which no interval is trusted with an alarm."""

_OUTCOMES: dict[Standing, Outcome] = {"clears": "PASS", "beyond": "FAIL", "undecided": "INCONCLUSIVE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A group's difference, turned so that more is better."""

    group: SampleGroup
    gain: Difference
    standing: Standing
    between: tuple[float | None, float | None]


class Judge:
    """Applies the rules of a policy to a run, and to a baseline where there is one.

    Its `bounds` are those of a run of a fixed size, unless others are given. `prompts` are the digests of those that a
    policy pins, of tasks of which the run was asked a part.
    """

    def __init__(
        self,
        policy: Policy,
        run: Scored,
        baseline: Scored | None,
        bounds: Bounds | None = None,
        prompts: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self.policy, self.run, self.baseline = policy, run, baseline
        asked = run.questions
        before = baseline.questions if baseline else asked
        self.faults, self.task_faults = run_faults(before, asked), task_faults(before, asked)
        asked_in = {(task.suite, task.task): task.requests_sha256 for task in run.record.spec.tasks}
        self.prompts = {"/".join(place): sha256 for place, sha256 in {**asked_in, **(prompts or {})}.items()}
        self.bounds = bounds or FixedBounds(run, baseline, policy.confidence)

    def judge(self, rule: Rule) -> RuleVerdict | None:
        """What the rule says; None for a rule that isn't `required` and is on what the run doesn't have.

        Raises `UnknownName` for a suite, task, metric, group or attribute that the run doesn't have, `InputError` for
        a rule that contradicts the metric, or needs a baseline that there isn't.
        """
        key = self._key(rule)
        if key is None or (not rule.required and not self.run.estimates[key].applies):
            return None
        against = rule.kind in ("non_inferior", "no_worse_group")
        if against and self.baseline is None:
            raise InputError(f"the rule {rule.title} is against a baseline", place=rule.kind, fix="Add --baseline RUN")
        estimate = self.run.estimates[key]
        place = f"{self.policy.path}: {rule.title}"
        require_direction(rule, estimate.metric, estimate.direction, estimate.target, place)
        blank = RuleVerdict(
            rule=rule.title,
            kind=rule.kind,
            severity=rule.severity,
            suite=key.suite,
            task=key.task,
            metric=key.metric,
            group=None if key.group is None else str(key.group),
            verdict="ERROR",
            value=estimate.value,
            bound=rule.bound,
            margin=rule.margin,
            n=estimate.n,
        )
        if fault := self._fault(rule, key, against):
            return replace(blank, reason=fault)
        share = estimate.invalid_count / max(1, estimate.n + estimate.invalid_count)
        if unusable := self._unusable(key, share, blank):
            return unusable
        if rule.kind == "no_worse_group":
            return self._groups(rule, key, blank)
        if estimate.value is None:
            return replace(
                blank,
                verdict="INCONCLUSIVE",
                reason=Reason("Can't tell: absent, as {reason}", reason=estimate.reason or ""),
            )
        return self._against(rule, key, blank) if against else self._alone(rule, key, blank)

    def _key(self, rule: Rule) -> Key | None:
        """What the rule is on."""
        keys = list(self.run.estimates)
        place = f"{self.policy.path}: {rule.title}"
        for kind, wanted, position in (
            ("suite", rule.suite, 0),
            ("task", rule.task, 1),
            ("metric", rule.metric, 2),
        ):
            known = dict.fromkeys(str(key[position]) for key in keys)
            if wanted is None and known:
                wanted = next(iter(known))
            if wanted not in known:
                if not rule.required:
                    return None
                if wanted == OVERALL:
                    raise InputError(f"the suite {rule.suite} has no headline here; give a task", place=place)
                raise InputError(UnknownName(f"{kind} in this run", str(wanted), known).problem, place=place)
            keys = [key for key in keys if key[position] == wanted]
        if rule.group is None:
            return next(key for key in keys if key.group is None)
        found = next((key for key in keys if str(key.group) == rule.group), None)
        if found is None and rule.required:
            known_groups = [str(key.group) for key in keys if key.group]
            raise InputError(UnknownName("group in this run", rule.group, known_groups).problem, place=place)
        return found

    def _fault(self, rule: Rule, key: Key, against: bool) -> str | None:
        """Why nothing can be decided: what was measured is not what the policy or the baseline is about."""
        if against and (faults := [*self.faults, *self._differing(key)]):
            return Reason("the baseline can't be compared: what differs is {what}", what=told_together(faults))
        made_of = [f"{one.suite}/{one.task}" for one in (key, *contrasted_parts(self.run, key))]
        if name := self.policy.repinned(rule, made_of, self.prompts):
            return Reason("{name} is not what the policy was written for: its prompts or data have changed", name=name)
        return None

    def _differing(self, key: Key) -> list[str]:
        """What differs from the baseline in the tasks that the number is made of."""
        keys = contrasted_parts(self.run, key) or [key]
        names = [f"{one.suite}/{one.task}" for one in keys]
        # What is told of no task, such as the joules of a run, is made of all.
        whole = any(name not in self.prompts for name in names)
        return [fault for task, fault in self.task_faults.items() if whole or task in names]

    def _unusable(self, key: Key, share: float, blank: RuleVerdict) -> RuleVerdict | None:
        """An ERROR where too many samples can't be used; undecided where that may be chance, in a run that goes on."""
        largest = self.policy.largest_invalid_share
        if share <= largest:
            return None
        told = {"share": f"{share:.1%}", "most": f"{largest:.1%}"}
        parts = [self.run.estimates[part] for part in contrasted_parts(self.run, key) or [key]]
        if self.bounds.is_surely_more(key, share, min(one.n + one.invalid_count for one in parts), largest):
            reason = Reason("{share} of the samples can't be used, over {most}", **told)
            return replace(blank, verdict="ERROR", reason=reason)
        reason = Reason("{share} of the samples can't be used, over {most}, which may be chance so far", **told)
        return replace(blank, verdict="INCONCLUSIVE", reason=reason)

    def _too_few(self, rule: Rule, n: int) -> int | None:
        smallest = rule.smallest_n or self.policy.smallest_n
        return smallest if n < smallest else None

    def _alone(self, rule: Rule, key: Key, blank: RuleVerdict) -> RuleVerdict:
        try:
            found = self.bounds.alone(key, rule.margin)
        except Undefined as undefined:
            return replace(blank, verdict="INCONCLUSIVE", reason=undefined.reason)
        target = rule.target if rule.target is not None else self.run.estimates[key].target
        if rule.kind == "target" and target is not None:
            margin = rule.margin or 0.0
            edges = Edges(floor=target - margin, ceiling=target + margin)
            return self._held(rule, key, replace(blank, bound=target), found, edges)
        edges = Edges(floor=rule.bound) if rule.kind == "floor" else Edges(ceiling=rule.bound)
        return self._held(rule, key, blank, found, edges)

    def _against(self, rule: Rule, key: Key, blank: RuleVerdict) -> RuleVerdict:
        assert self.baseline is not None
        if key not in self.baseline.estimates:
            return replace(blank, value=None, reason=self._lacking(key))
        margin = self._margin(rule, key)
        contrast = self.bounds.against(key, margin)
        if unusable := self._unusable(key, contrast.invalid_share, replace(blank, value=None)):
            return unusable
        before, now = self.baseline.estimates[key], self.run.estimates[key]
        edges = Edges(floor=-margin) if now.direction == "higher" else Edges(ceiling=margin)
        blank = replace(blank, margin=margin, bound=edges.nearest(0.0))
        found = contrast.difference
        if found is None and contrast.reason == READINGS:
            found = _as_read(before, now)
        if found is None:
            return replace(blank, verdict="INCONCLUSIVE", value=None, reason=contrast.reason or "")
        return self._held(rule, key, replace(blank, n=found.n or blank.n), found, edges, (before.value, now.value))

    def _lacking(self, key: Key) -> Reason:
        """Why there is nothing in the baseline to hold a number of the run against."""
        assert self.baseline is not None
        other = next((one for one in self.baseline.estimates if one[:2] == key[:2] and one.is_headline), None)
        if key.is_headline and other:
            return Reason(
                "the baseline's headline is of {other}, this one of {metric}, as versions differ: evaluate the older "
                "run again, or name a task and a metric",
                other=other.metric,
                metric=key.metric,
            )
        return Reason("the baseline has no such number")

    def _held(
        self,
        rule: Rule,
        key: Key,
        blank: RuleVerdict,
        found: Interval | Difference,
        edges: Edges,
        between: tuple[float | None, float | None] | None = None,
    ) -> RuleVerdict:
        """A number with its bounds, held against what is allowed; a difference is `between` two values."""
        assert found.low is not None
        assert found.high is not None
        stands = statistics.standing(found.low, found.high, floor=edges.floor, ceiling=edges.ceiling)
        against, values = between is not None, both(*between) if between else None
        n, ends, edge = blank.n or 0, (found.low, found.high), edges.nearest(found.value)
        units = self._units(key, found)
        alarm = stands == "beyond" and self._may_alarm(units)
        few = None if is_reading(self.run, key) or alarm else self._too_few(rule, units)
        for_few = math.ceil(n * few / max(1, units)) if few else 0
        needed = max(self._more(stands, n, found, edge) or 0, for_few) or None
        said = how_it_stands(stands, *ends, edges, change=against)
        if few and stands != "undecided":
            said = too_few(units, few)
        return replace(
            blank,
            verdict="INCONCLUSIVE" if few else _OUTCOMES[stands],
            value=found.value,
            low=found.low,
            high=found.high,
            n_needed=needed,
            reason=together(said, values, self._settled(key, n, needed, against), by_method(found.method or "")),
        )

    def _may_alarm(self, units: int) -> bool:
        """Whether a sure loss is told although a policy asks for more samples, which is what it asks to pass.

        Bounds that hold at every moment are only as good as they say from `smallest_n` on.
        """
        return units >= _FEWEST and isinstance(self.bounds, FixedBounds)

    def _settled(self, key: Key, n: int, needed: int | None, against: bool) -> Reason | None:
        """A run that asks until it is decided needs no command: it asks on where it is given more."""
        return settled_by(self.run, key, n, needed, against=against) if isinstance(self.bounds, FixedBounds) else None

    def _units(self, key: Key, found: Interval | Difference) -> int:
        """Samples that are independent of each other: variants of a question, and questions of a passage, are not."""
        return found.cluster_count if isinstance(found, Difference) else unit_count(self.run, key)

    def _margin(self, rule: Rule, key: Key) -> float:
        if rule.margin is not None:
            return rule.margin
        assert self.baseline is not None
        assert rule.margin_percent is not None
        return abs(self.baseline.estimates[key].value or 0.0) * rule.margin_percent / 100

    def _more(self, stands: Standing, n: int, found: Interval | Difference, edge: float) -> int | None:
        """Samples that would decide, if the value stays where it is; `edge` is the threshold in the way."""
        if stands != "undecided" or not n or found.low is None or found.high is None:
            return None
        value = found.value
        width = value - found.low if edge < value else found.high - value
        if found.method == FEW_DIFFER and value != edge:
            return math.ceil(n * width / abs(value - edge))
        stderr = width / float(special.ndtri(self.policy.confidence))
        return statistics.more_samples(n, stderr, abs(value - edge), confidence=self.policy.confidence)

    def _groups(self, rule: Rule, key: Key, blank: RuleVerdict) -> RuleVerdict:
        """Every group has to clear the margin; one alarm after Holm's correction is enough to fail."""
        assert self.baseline is not None
        margin, sign = rule.margin or 0.0, 1.0 if self.run.estimates[key].direction == "higher" else -1.0
        blank = replace(blank, margin=margin, bound=-sign * margin)
        every = [one.group for one in self.run.estimates if one[:3] == key[:3] and one.group]
        groups = [group for group in every if group.attribute == rule.attribute]
        if not groups:
            known = {group.attribute for group in every}
            problem = UnknownName("attribute of this metric", str(rule.attribute), known).problem
            raise InputError(problem, place=f"{self.policy.path}: {rule.title}")
        judged, open_groups = [], []
        for group in groups:
            one = key._replace(group=group)
            contrast = self.bounds.against(one, margin) if one in self.baseline.estimates else Contrast(difference=None)
            if unusable := self._unusable(one, contrast.invalid_share, replace(blank, group=str(group))):
                return unusable
            found = contrast.difference
            if found is None or found.low is None or found.high is None:
                open_groups.append(group)
                continue
            if self._too_few(rule, found.cluster_count):
                open_groups.append(group)
                if not self._may_alarm(found.cluster_count):
                    continue
            gain = found if sign > 0 else replace(found, value=-found.value, low=-found.high, high=-found.low)
            assert gain.low is not None
            assert gain.high is not None
            stands = statistics.standing(gain.low, gain.high, floor=-margin)
            between = (self.baseline.estimates[one].value, self.run.estimates[one].value)
            judged.append(_Group(group=group, gain=gain, standing=stands, between=between))
        alarms = self.bounds.alarms([(key._replace(group=one.group), one.gain) for one in judged], margin, sign)
        return self._worst(judged, alarms, open_groups, margin, sign, blank)

    def _worst(
        self,
        judged: list[_Group],
        alarms: list[float],
        open_groups: list[SampleGroup],
        margin: float,
        sign: float,
        blank: RuleVerdict,
    ) -> RuleVerdict:
        groups = ", ".join(map(str, open_groups))
        left = Reason("too few samples: {groups}", groups=groups) if open_groups else None
        if not judged:
            return replace(blank, verdict="INCONCLUSIVE", reason=together("Can't tell: no group can be judged", left))
        worst = min(judged, key=lambda group: group.gain.value)
        stands: Standing = "clears"
        if any(group.standing != "clears" for group in judged) or open_groups:
            stands = "undecided"
        if min(alarms) <= 1 - self.policy.confidence:
            stands = "beyond"
            worst = judged[alarms.index(min(alarms))]
        found, n = worst.gain, worst.gain.n
        low, high = sorted((sign * (found.low or 0.0), sign * (found.high or 0.0)))
        alone: Standing = "undecided" if worst.standing == "beyond" != stands else worst.standing
        said = how_it_stands(alone, low, high, Edges(floor=-margin) if sign > 0 else Edges(ceiling=margin), change=True)
        return replace(
            blank,
            verdict=_OUTCOMES[stands],
            group=str(worst.group),
            value=sign * found.value,
            low=low,
            high=high,
            n=n,
            n_needed=self._more(worst.standing, n, found, -margin),
            reason=together(
                said,
                Reason("{group} is the worst of {count} groups", group=str(worst.group), count=len(judged)),
                both(*worst.between),
                left,
                by_method("alarms corrected by Holm"),
            ),
        )


def require_direction(rule: Rule, metric: str, direction: str | None, target: float | None, place: str) -> None:
    """Raises `InputError` for a rule that contradicts what is better of the metric that it is on."""
    wrong = {"floor": "lower", "ceiling": "higher"}.get(rule.kind)
    if wrong is not None and direction == wrong:
        other = {"floor": "ceiling", "ceiling": "floor"}[rule.kind]
        raise InputError(
            f"{wrong} is better for {metric}, which contradicts a {rule.kind}", place=place, fix=f"Use kind: {other}"
        )
    if rule.kind in ("non_inferior", "no_worse_group") and direction is None:
        raise InputError(
            f"{metric} has a target of {target:g} and no better direction", place=place, fix="Use kind: target"
        )
    if rule.kind == "target" and rule.target is None and target is None:
        raise InputError(f"{metric} has no target of its own", place=place, fix="Add target")


def _as_read(first: Estimate, second: Estimate) -> Difference:
    value = (second.value or 0.0) - (first.value or 0.0)
    return Difference(
        value=value, stderr=None, low=value, high=value, p_value=None, method="as read", n=0, cluster_count=0
    )
