"""A sample asked in other ways: with noise in its text, or in how its question is put."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from typing_extensions import override

from harness.core import registry
from harness.core.errors import PluginError, UnknownName
from harness.core.perturbations import (
    MAX_SEVERITY,
    READ,
    Perturbation,
    SamplePerturbation,
    answer_spans,
    own_text,
)
from harness.core.requests import Request
from harness.core.tasks import Sample

__all__ = ["TextNoise", "Variant", "in_samples", "perturbations", "sample_perturbations", "variants_of"]

_PATIENCE = 3
"""How many draws a variant may take: few perturbations of a short text soon repeat themselves."""

_IN_TEXTS, _IN_SAMPLES = "harness.perturbations", "harness.sample_perturbations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A sample with noise: what is asked about it. `perturbation` joins the names of several by `+`."""

    perturbation: str
    severity: int
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class TextNoise(SamplePerturbation):
    """A perturbation of texts as one of samples: it disturbs what all requests of a sample share after the exemplars.

    Words that name a choice or the gold answer are left alone: placeholders stand for them while it happens.
    """

    one: Perturbation

    on_embeddings = False

    @property
    @override
    def name(self) -> str:
        """The perturbation's."""
        return self.one.name

    @override
    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        """Raises `PluginError` where a placeholder doesn't survive."""
        text = own_text(sample, asked)
        masked, hidden = text, {}
        for number, (start, end) in reversed(list(enumerate(answer_spans(text, sample)))):
            hidden[f"{{answer_{number}}}"] = text[start:end]
            masked = f"{masked[:start]}{{answer_{number}}}{masked[end:]}"
        noisy = self.one.perturb(masked, rng, severity)
        for mask, words in hidden.items():
            if noisy.count(mask) != 1:
                raise PluginError("the perturbation changed a placeholder", place=self.name, fix="Fix or uninstall it")
            noisy = noisy.replace(mask, words)
        return [_put(request, sample.question_start, text, noisy) for request in asked]


def in_samples(noise: Iterable[Perturbation | SamplePerturbation]) -> tuple[SamplePerturbation, ...]:
    """Perturbations of texts and of samples, all as the latter."""
    return tuple(one if isinstance(one, SamplePerturbation) else TextNoise(one) for one in noise)


def perturbations() -> list[Perturbation]:
    """Every registered perturbation of texts, by name. Raises `PluginError`."""
    return [registry.make(_IN_TEXTS, name) for name in registry.names(_IN_TEXTS)]


def sample_perturbations(names: Iterable[str] | None = None) -> tuple[SamplePerturbation, ...]:
    """The registered perturbations of texts and of samples with these names, in their order; all by default.

    Raises `UnknownName`, `PluginError`.
    """
    groups = {name: group for group in (_IN_TEXTS, _IN_SAMPLES) for name in registry.names(group)}
    chosen = list(groups if names is None else dict.fromkeys(names))
    for name in chosen:
        if name not in groups:
            raise UnknownName("perturbation", name, groups)
    return in_samples(registry.make(groups[name], name) for name in chosen)


def variants_of(
    sample: Sample,
    asked: Sequence[Request],
    noise: Sequence[SamplePerturbation],
    *,
    severities: Sequence[int],
    per_severity: int,
    seed: int,
) -> tuple[Variant, ...]:
    """`per_severity` different variants for each severity, from mild to severe, each by the next one that applies.

    Where fewer apply, their turn comes again with another draw. A severity's variants don't hang on which others are
    asked for.
    """
    if not own_text(sample, asked).strip():
        return ()
    order = Random(f"{seed}:{sample.id}:robustness").sample(noise, len(noise))
    applying = [one for one in order if _disturbed(one, sample, asked, seed, MAX_SEVERITY) != asked]
    found: list[Variant] = []
    for severity in severities if applying else ():
        different: dict[tuple[Request, ...], Variant] = {}
        for turn in range(_PATIENCE * per_severity):
            one = applying[((severity - 1) * per_severity + turn) % len(applying)]
            draw = turn // len(applying)
            requests = tuple(_disturbed(one, sample, asked, seed, severity, draw=draw))
            different.setdefault(requests, Variant(perturbation=one.name, severity=severity, requests=requests))
            if len(different) == per_severity:
                break
        found += different.values()
    return tuple(found)


def _disturbed(
    one: SamplePerturbation, sample: Sample, asked: Sequence[Request], seed: int, severity: int, draw: int = 0
) -> Sequence[Request]:
    again = f":{draw}" if draw else ""
    return one.disturb(sample, asked, Random(f"{seed}:{sample.id}:{one.name}{again}"), severity)


def _put(request: Request, start: int, text: str, noisy: str) -> Request:
    """The request with `noisy` in the place of `text`, which begins at `start`."""
    field = READ[type(request)]
    whole = getattr(request, field)
    return replace(request, **{field: whole[:start] + noisy + whole[start + len(text) :]})
