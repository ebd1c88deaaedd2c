"""A random part of what a task asks: what a run that may stop early has asked by then."""

from dataclasses import replace

from harness.core.text.hashing import digest
from harness.run.work import TaskWork

__all__ = ["part_of"]


def part_of(work: TaskWork, count: int, seed: int) -> TaskWork:
    """At least `count` of a task's samples, in the task's own order: those that come first in a random one.

    A task may draw as many samples of each class, and the first ones of such a draw are no random part of the whole
    where classes differ in size. So samples are ranked by a digest of the seed and their id, or their cluster, which is
    asked about as a whole: whatever the whole is, each part is a simple random sample of it, drawn without replacement,
    and a larger count contains a smaller one.
    """
    if count >= len(work.samples):
        return work
    suite, task = work.place
    members: dict[tuple[str, str], list[int]] = {}
    for number, sample in enumerate(work.samples):
        unit = ("sample", sample.id) if sample.cluster is None else ("cluster", sample.cluster)
        members.setdefault(unit, []).append(number)
    kept: list[int] = []
    for unit in sorted(members, key=lambda unit: digest([seed, suite, task, *unit])):
        if len(kept) >= count:
            break
        kept += members[unit]
    if len(kept) == len(work.samples):
        return work
    kept.sort()
    return replace(
        work,
        samples=tuple(work.samples[number] for number in kept),
        requests=tuple(work.requests[number] for number in kept),
        is_part=True,
    )
