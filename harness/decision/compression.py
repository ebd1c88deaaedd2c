"""What was lost by making one checkpoint of another: distance, scores by dimension, size, energy and time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness.core.errors import HarnessError
from harness.core.meters import MEASURING, REPEATS, Window
from harness.core.scores import Estimate
from harness.core.text.reasons import Reason
from harness.core.token_energy import STAGES
from harness.decision.comparison import Comparison, MetricDifference, compare_all
from harness.record import RunRecord, load_record

__all__ = ["Compressed", "Compression", "Footprint", "compression", "footprint_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a checkpoint takes: bytes and bits of its weights, memory, and joules and seconds a token by stage.

    None stands where the run doesn't know, such as of a server, or without a meter. Tokens are those of the repeated
    work where the run has any, which is the same for every checkpoint, else of the whole run.
    """

    size_bytes: float | None
    parameter_count: float | None
    bits_per_weight: float | None
    peak_memory_bytes: float | None
    joules_per_token: Mapping[str, float]
    seconds_per_token: Mapping[str, float]

    def rows(self) -> Iterator[tuple[str, str, float | None]]:
        """Name, unit and value of each figure."""
        yield "size_bytes", "B", self.size_bytes
        yield "bits_per_weight", "bits", self.bits_per_weight
        yield "parameter_count", "", self.parameter_count
        yield "peak_memory_bytes", "B", self.peak_memory_bytes
        for stage in STAGES:
            yield f"joules_per_token_{stage}", "J/token", self.joules_per_token.get(stage)
            yield f"seconds_per_token_{stage}", "s/token", self.seconds_per_token.get(stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """One child beside its parent.

    `distance` are the estimates of the tasks that hold it against the parent, of the run `distance_run_id`; where there
    is no such run, `reason` says so, and what to do.
    """

    comparison: Comparison
    footprint: Footprint
    headlines: Sequence[Estimate]
    distance: Sequence[Estimate]
    distance_run_id: str | None
    reason: str | None

    def by_dimension(self) -> list[MetricDifference]:
        """The differences of the suites' scores; of single metrics where no suite has one."""
        return self.comparison.at("suite") or self.comparison.at("metric")

    def distances(self) -> list[Estimate]:
        """Those of all samples, without the suite's one score, which is one of them."""
        return [one for one in self.distance if one.group is None and not one.is_headline]

    @property
    def telling(self) -> Estimate | None:
        """What the suite takes for its one score."""
        return next((one for one in self.distance if one.is_headline and one.value is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """A parent and its children; differences are child less parent, p values corrected over all children."""

    parent: RunRecord
    footprint: Footprint
    headlines: Sequence[Estimate]
    children: Sequence[Compressed]


def compression(
    parent: RunRecord,
    children: Sequence[RunRecord],
    beside: Sequence[RunRecord] = (),
    folder: Path | None = None,
    refused: Mapping[str, str] = MappingProxyType({}),
) -> Compression:
    """What each child lost, by sealed runs of the same suites.

    How far a child is from the parent is read in its own run, in one of the runs `beside`, or in one of those in
    `folder`, wherever its checkpoint was asked beside the parent's; `refused` says why a child can't be, by its
    fingerprint. Raises `RecordError` where runs can't be compared.
    """
    compared = compare_all(parent, children, groups=False)
    return Compression(
        parent=parent,
        footprint=footprint_of(parent),
        headlines=_headlines(parent),
        children=[
            _compressed(parent, child, comparison, [child, *beside, *_in(folder, parent)], refused)
            for child, comparison in zip(children, compared, strict=True)
        ],
    )


def footprint_of(record: RunRecord) -> Footprint:
    """What the checkpoint of a run takes; no memory of a run in which a second model was loaded."""
    described, alone = record.checkpoint, record.spec.reference is None
    joules, seconds = _rates(record.windows)
    return Footprint(
        size_bytes=described.get("size_bytes"),
        parameter_count=described.get("parameter_count"),
        bits_per_weight=described.get("bits_per_weight") or _bits(described),
        peak_memory_bytes=record.environment.get("peak_memory_bytes") if alone else None,
        joules_per_token=joules,
        seconds_per_token=seconds,
    )


def _bits(described: Mapping[str, object]) -> float | None:
    size, count = described.get("size_bytes"), described.get("parameter_count")
    return 8 * size / count if isinstance(size, int | float) and isinstance(count, int | float) and count else None


def _rates(windows: Sequence[Window]) -> tuple[dict[str, float], dict[str, float]]:
    """Joules and seconds a token, by stage."""
    repeats = [one for one in windows if one.phase == REPEATS]
    chosen = repeats or [one for one in windows if one.phase not in MEASURING]
    joules, seconds = {}, {}
    for stage in STAGES:
        inside = [one for one in chosen if one.stage == stage and one.token_count]
        read = [one for one in inside if one.energy_joules is not None]
        if inside:
            seconds[stage] = sum(one.duration_s for one in inside) / sum(one.token_count for one in inside)
        if read:
            joules[stage] = sum(one.energy_joules or 0.0 for one in read) / sum(one.token_count for one in read)
    return joules, seconds


def _headlines(record: RunRecord) -> list[Estimate]:
    return [one for one in record.estimate_list if one.is_headline and one.value is not None]


def _compressed(
    parent: RunRecord,
    child: RunRecord,
    comparison: Comparison,
    known: Sequence[RunRecord],
    refused: Mapping[str, str],
) -> Compressed:
    wanted = (child.spec.fingerprint, parent.spec.fingerprint)
    held = next((one for one in known if _sides(one) == wanted), None)
    reason: str | None = None
    if held is None:
        reason = refused.get(child.spec.fingerprint) or Reason(
            "no run holds {child} against {parent}; `harness eval --model {child} --reference {parent}` makes one",
            child=child.spec.model,
            parent=parent.spec.model,
        )
    return Compressed(
        comparison=comparison,
        footprint=footprint_of(child),
        headlines=_headlines(child),
        distance=_distance(held) if held else (),
        distance_run_id=held.run_id if held else None,
        reason=reason,
    )


def _sides(record: RunRecord) -> tuple[str, str | None]:
    reference = record.spec.reference
    return record.spec.fingerprint, reference["fingerprint"] if reference else None


def _distance(record: RunRecord) -> list[Estimate]:
    """The estimates of tasks whose definition names the reference, and what sums them up."""
    asked = {(one.suite, one.task) for one in record.spec.tasks if "reference" in one.definition}
    return [
        one
        for one in record.estimate_list
        if one.value is not None and ((one.suite, one.task) in asked or (one.is_headline and _sums(one, asked)))
    ]


def _sums(headline: Estimate, asked: set[tuple[str, str]]) -> bool:
    return bool(headline.parts) and all((headline.suite, part.task) in asked for part in headline.parts)


def _in(folder: Path | None, parent: RunRecord) -> Iterator[RunRecord]:
    """The sealed runs in a folder that were asked beside the parent's checkpoint."""
    for path in sorted(folder.glob("*/spec.json")) if folder else ():
        try:
            record = load_record(path.parent)
            if record.state == "sealed" and _sides(record)[1] == parent.spec.fingerprint and not record.verify():
                yield record
        except HarnessError:  # a damaged run is nobody's
            continue
