"""What every perturbation promises, of texts and of samples."""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from rapidfuzz.distance import Levenshtein

from harness.core.perturbations import MAX_SEVERITY, READ, Perturbation, PicturePerturbation, SamplePerturbation
from harness.core.requests import GenerateUntil, Loglikelihood, Request
from harness.core.tasks import Sample
from harness.testing.demands import demand, told_of

__all__ = ["check_perturbation"]

_SEEDS = 6
_KEPT = ("{0}", "{name}", "%s", "%(count)d", "https://example.org/a?b=c", "ann@example.org", "<br />", "$HOME")
_TEXTS = (
    "Question: The 3 committees don't meet, do not vote, and 12500 wait.\nA. forty\nB. Fifty of them\nAnswer:",
    "问题：请问中国的首都是哪个城市，你知道吗？\n答案：",
    f"She wrote {', '.join(_KEPT)} and nothing else.",
    "A",
    " ",
    "👩‍👩‍👧 e\u0301 ﬃ İstanbul ß",
)
_EXEMPLAR = "Question: Which is a fruit?\nA. an apple\nB. a chair\nAnswer: A\n\n"
_ASKED = "Question: Which of the animals flies over the house?\nA. a red fox\nB. two bats\nC. the owl\nAnswer:"


def check_perturbation(
    one: Perturbation | SamplePerturbation | PicturePerturbation, texts: Sequence[str] = _TEXTS
) -> None:
    """Raises `AssertionError` where a perturbation breaks its contract, with what it broke.

    Checked are, of a perturbation of texts on each of `texts`: nothing is changed at severity 0; the same generator
    gives the same text; no text becomes empty; no edit beyond `limit`; placeholders and addresses survive; a higher
    severity takes away no less, over all texts; a severity outside 0 to 5 is refused. Of one of samples: the same, as
    far as it makes sense, and one request for each of those asked, with the exemplars as they are. Of one of pictures:
    the same shape, values from 0 to 1, and no less change at the highest severity than at the lowest.
    """
    with told_of(f"the perturbation {getattr(one, 'name', None) or type(one).__name__}"):
        demand(isinstance(one.name, str) and bool(one.name.strip()), "it has no `name`")
        if isinstance(one, SamplePerturbation):
            _check_of_samples(one)
        elif isinstance(one, PicturePerturbation):
            _check_of_pictures(one)
        else:
            _check_of_texts(one, texts)


def _check_of_texts(one: Perturbation, texts: Sequence[str]) -> None:
    damage = [0] * (MAX_SEVERITY + 1)
    for text in texts:
        with told_of(f"of the text {text!r:.40}"):
            damage = [sum(pair) for pair in zip(damage, _damage(one, text), strict=True)]
    demand(any(damage), "it changes none of the texts: give some that it applies to")
    demand(damage == sorted(damage), f"a higher severity changes less: edit distances of {damage} at severities 0 to 5")
    _check_refusal(lambda severity: one.perturb(texts[0], Random(0), severity))


def _damage(one: Perturbation, text: str) -> list[int]:
    """The edits at each severity, over all seeds."""
    found = []
    for severity in range(MAX_SEVERITY + 1):
        limit = one.limit(text, severity)
        noisy = [one.perturb(text, Random(seed), severity) for seed in range(_SEEDS)]
        again = [one.perturb(text, Random(seed), severity) for seed in range(_SEEDS)]
        demand(noisy == again, f"the same generator gives another text the second time, at severity {severity}")
        distances = [Levenshtein.distance(text, other) for other in noisy]
        demand(severity > 0 or not any(distances), "it is changed at severity 0")
        demand(max(distances) <= limit, f"{max(distances)} edits at severity {severity}; its `limit` says {limit}")
        demand(not text or all(noisy), f"nothing is left of it at severity {severity}")
        for kept in _KEPT:
            survived = all(other.count(kept) >= text.count(kept) for other in noisy)
            demand(survived, f"{kept!r} doesn't survive severity {severity}")
        found.append(sum(distances))
    return found


def _check_of_samples(one: SamplePerturbation) -> None:
    prompt, letters = _EXEMPLAR + _ASKED, ("A", "B", "C")
    chosen = Sample(id="1", prompt=prompt, question_start=len(_EXEMPLAR), choices=letters, gold=1)
    compared: list[Request] = [Loglikelihood(context=prompt, continuation=f" {letter}") for letter in letters]
    written = Sample(id="2", prompt=prompt, question_start=len(_EXEMPLAR), gold="two bats")
    changed = False
    for sample, asked in ((chosen, compared), (written, [GenerateUntil(context=prompt)])):
        for severity in range(MAX_SEVERITY + 1):
            changed |= _disturbs(one, sample, asked, severity)
    demand(changed, "it changes nothing, neither a question with lettered options nor one to be answered in writing")
    _check_refusal(lambda severity: one.disturb(chosen, compared, Random(0), severity))


def _disturbs(one: SamplePerturbation, sample: Sample, asked: Sequence[Request], severity: int) -> bool:
    noisy = [list(one.disturb(sample, asked, Random(seed), severity)) for seed in range(_SEEDS)]
    again = [list(one.disturb(sample, asked, Random(seed), severity)) for seed in range(_SEEDS)]
    demand(noisy == again, f"the same generator gives other requests the second time, at severity {severity}")
    demand(severity > 0 or all(other == list(asked) for other in noisy), "requests are changed at severity 0")
    exemplars = sample.prompt[: sample.question_start]
    for other in noisy:
        same = [type(request) for request in other] == [type(request) for request in asked]
        demand(same, f"there is not one request of its class for each of those asked, at severity {severity}")
        texts = [str(getattr(request, READ[type(request)])) for request in other]
        demand(all(text.startswith(exemplars) for text in texts), f"the exemplars are changed at severity {severity}")
    return any(other != list(asked) for other in noisy)


def _check_of_pictures(one: PicturePerturbation) -> None:
    down, across = np.mgrid[0:40, 0:60]
    smooth = np.stack([across / 60, down / 40, (across > 30) * 0.8 + 0.1], axis=2)
    for seed in range(_SEEDS):
        changes = []
        for severity in range(MAX_SEVERITY + 1):
            noisy, again = (one.corrupt(smooth.copy(), np.random.default_rng(seed), severity) for _ in range(2))
            demand(noisy.shape == smooth.shape, f"the picture has another shape at severity {severity}")
            demand(bool((noisy == again).all()), f"the same generator gives another picture at severity {severity}")
            demand(bool(((noisy >= -1e-9) & (noisy <= 1 + 1e-9)).all()), "values lie outside of 0 to 1")
            changes.append(float(np.abs(noisy - smooth).mean()))
        demand(changes[0] == 0, "it is changed at severity 0")
        demand(changes[1] > 0, "it changes nothing at severity 1")
        demand(changes[MAX_SEVERITY] >= changes[1], "the highest severity changes less than the lowest")
    _check_refusal(lambda severity: one.corrupt(smooth, np.random.default_rng(0), severity))


def _check_refusal(disturb: Callable[[int], object]) -> None:
    for severity in (-1, MAX_SEVERITY + 1):
        try:
            disturb(severity)
        except ValueError:
            continue
        raise AssertionError(f"a severity of {severity} is not refused: raise ValueError")
