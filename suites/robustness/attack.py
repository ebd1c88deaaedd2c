"""A search for the variant of a sample that turns a right answer, which learns from the answers as it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.core.perturbations import MAX_SEVERITY
from harness.core.requests import Response
from harness.core.tasks import Sample
from suites.robustness.variants import TextNoise, Variant

__all__ = ["ROUNDS", "TRIES", "Tried", "margin", "next_tries"]

ROUNDS, TRIES = 2, 3
"""How often the search goes on from the best variant so far, and how many it tries each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A variant, what the task's first metric said of its answer, and the `margin` that its answer left."""

    variant: Variant
    value: float
    margin: float


def margin(clean: Sequence[Response], noisy: Sequence[Response]) -> float:
    """By how much the answer without noise is still ahead of the next one: in nats for choices, else in probability.

    0 where answers are written texts, which tell nothing of how near they were to another one.
    """
    before, after = _ratings(clean), _ratings(noisy)
    if len(before) < 2 or len(after) != len(before):
        return 0.0
    top = before.index(max(before))
    return after[top] - max(rating for index, rating in enumerate(after) if index != top)


def next_tries(
    sample: Sample, clean: tuple[float, float], tried: Sequence[Tried], noise: Sequence[TextNoise], seed: int, turn: int
) -> list[Variant]:
    """What to try in the round `turn`, from 0; nothing once a variant scores less, or where there is nothing to turn.

    `clean` are value and margin without noise. The search goes on from the variant with the least margin, by one step
    of severity, with those perturbations first that came nearest so far. Severities along the way sum up to 5 at most.
    """
    value, ahead = clean
    room = MAX_SEVERITY - (ROUNDS - turn)
    starts = [one for one in tried if one.variant.severity <= room and not _has_noise(one.variant)]
    if value <= 0 or not starts or any(one.value < value for one in tried):
        return []
    start = min(starts, key=lambda one: one.margin).variant
    rng = Random(f"{seed}:{sample.id}:attack:{turn}")
    nearest = {one.name: ahead for one in noise}
    for before in tried:
        last = before.variant.perturbation.split("+")[-1]
        nearest[last] = min(nearest.get(last, ahead), before.margin)
    order = sorted(rng.sample(noise, len(noise)), key=lambda one: nearest[one.name])
    found: dict[tuple[object, ...], Variant] = {}
    for one in order:
        requests = tuple(one.disturb(sample, start.requests, Random(f"{rng.random()}:{one.name}"), 1))
        if requests != start.requests:
            name = f"{start.perturbation}+{one.name}"
            found.setdefault(requests, Variant(perturbation=name, severity=start.severity + 1, requests=requests))
        if len(found) == TRIES:
            break
    return list(found.values())


def _ratings(responses: Sequence[Response]) -> list[float]:
    """How the model rates each answer that it could give."""
    if len(responses) == 1:
        return list((responses[0].label_scores or {}).values())
    return [one.loglikelihood for one in responses if one.loglikelihood is not None]


def _has_noise(variant: Variant) -> bool:
    """Noise on embeddings lies at places of a text that is to change no more."""
    return any(getattr(request, "noise", None) for request in variant.requests)
