"""What a decision holds a checkpoint against: the sealed record of a baseline, or a baseline that is asked as well."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from harness.core.errors import InputError
from harness.decision.comparable import questions_of, run_faults
from harness.decision.sequential.units import Place
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.planning import Plan, plan
from harness.run.sequential.growing import GrowingRun
from harness.run.sequential.needs import in_bits

__all__ = ["Against", "plan_of_baseline", "require_same_manner"]

_SAME = ("fingerprint", "kind", "device")
"""What the record of a baseline has to share with its checkpoint as it is asked now."""


class Against:
    """A baseline that has, at each look, the samples that the checkpoint has: a sealed record, or none; or one that is
    asked as well, in a run that grows beside the checkpoint's."""

    def __init__(self, record: RunRecord | None, growing: GrowingRun | None = None) -> None:
        self._record, self._growing = record, growing

    @property
    def asked_count(self) -> int:
        """Requests that were asked of it for the decision."""
        return self._growing.asked_count if self._growing else 0

    @property
    def joules(self) -> float:
        """What that took, as far as it is measured."""
        return (self._growing.joules if self._growing else None) or 0.0

    def look(self, limits: Mapping[Place, int], checkpoint: GrowingRun) -> RunRecord | None:
        """The record to hold the checkpoint against that has so many samples a task; None without a baseline.

        One of the two is in memory at a time.
        """
        if self._growing is None:
            return self._record
        own = {one.place: limits[one.place] for one in self._growing.whole.work if one.place in limits}
        if self._growing.lacks(own):
            checkpoint.rest()
        self._record = self._growing.look(own)
        self._growing.rest()
        return self._record

    def keep(self) -> RunRecord | None:
        """The record of the last look, among the other runs."""
        if self._growing is None or self._record is None:
            return self._record
        return self._growing.keep(self._record)

    def cost_of(self, cost: float) -> tuple[float | None, float | None]:
        """Seconds and joules that samples of a cost take of it: see `GrowingRun.cost_of`."""
        return self._growing.cost_of(cost) if self._growing else (0.0, 0.0)


def plan_of_baseline(
    model: str,
    record: RunRecord | None,
    whole: Plan,
    suites: str | Sequence[str],
    places: Collection[Place],
    options: EvalOptions,
) -> Plan:
    """What a baseline's checkpoint would be asked in the tasks in `places`, of which its record may have a part.

    Raises `InputError` where the record is another checkpoint's, or where this one is asked something else than the one
    that is decided about.
    """
    # As the checkpoint is: whatever there is, or what a limit leaves; in the numbers that the record has.
    options = replace(options, limit=options.limit or "all", dtype=record.spec.dtype if record else options.dtype)
    own = in_bits(plan(model, suite=suites, task=(), options=options))
    if record is not None:
        _require_its_own(model, own, record)
    mine = {one.place: one for one in own.work}
    held = [one for one in whole.work if one.place in places]
    for one in held:
        if one.place not in mine or mine[one.place].spec.requests_sha256 != one.spec.requests_sha256:
            raise InputError(
                f"isn't asked the same as the checkpoint in {'/'.join(one.place)}",
                place=f"--baseline-model {model}",
                fix="Take one of its kind, or run it with `harness eval`",
            )
    work = tuple(mine[one.place] for one in held)
    return replace(own, work=work, spec=replace(own.spec, tasks=tuple(one.spec for one in work)), skipped=())


def require_same_manner(record: RunRecord, whole: Plan) -> None:
    """Raises `InputError` for a baseline that was asked in another order or manner."""
    if faults := run_faults(questions_of(record.spec), questions_of(whole.spec)):
        raise InputError(
            f"was asked otherwise, in another order or manner: {'; '.join(faults)}",
            place=record.folder,
            fix="Give the options that the baseline was run with, such as --seed",
        )


def _require_its_own(model: str, own: Plan, record: RunRecord) -> None:
    """Raises `InputError` unless the record is of this checkpoint, asked in this manner."""
    require_same_manner(record, own)
    for name in _SAME:
        before, now = getattr(record.spec, name), getattr(own.spec, name)
        if before != now:
            raise InputError(
                f"is of another {name} than the checkpoint of --baseline-model: {before:.12} against {now:.12}",
                place=record.folder,
                fix=f"Name the checkpoint that it was made of, or give --baseline-model {model} without --baseline",
            )
