"""A sample asked in other ways: with noise in its text, or in how its question is put."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import registry
from harness.core.errors import PluginError, UnknownName
from harness.core.media import IMAGE, media_type_of
from harness.core.perturbations import (
    MAX_SEVERITY,
    READ,
    Perturbation,
    PicturePerturbation,
    SamplePerturbation,
    answer_spans,
    own_start,
    own_text,
)
from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood, Request
from harness.core.tasks import Sample
from harness.media.pictures import picture_of_pixels, pixels_of

__all__ = [
    *("Noise", "PictureNoise", "TextNoise", "Variant", "in_samples", "perturbations", "picture_perturbations"),
    *("sample_perturbations", "variants_of"),
]

_PATIENCE = 3
"""How many draws a variant may take: few perturbations of a short text soon repeat themselves."""

_GROUPS = _IN_TEXTS, _IN_SAMPLES, _IN_PICTURES = (
    "harness.perturbations",
    "harness.sample_perturbations",
    "harness.picture_perturbations",
)


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
        return [_put(request, sample, text, noisy) for request in asked]


@dataclass(frozen=True, slots=True)
class PictureNoise(SamplePerturbation):
    """A perturbation of pictures as one of samples: each picture of its requests is disturbed, by a draw of its own."""

    one: PicturePerturbation

    on_embeddings = False

    @property
    @override
    def name(self) -> str:
        """The perturbation's."""
        return self.one.name

    @override
    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        """Raises `PluginError` where what comes back is no picture of the same size."""
        seed = rng.getrandbits(64)
        pictures = {
            medium: self._noisy(medium, seed, severity)
            for request in asked
            if isinstance(request, MultimodalLoglikelihood | MultimodalGenerateUntil)
            for medium in request.media
            if media_type_of(medium) == IMAGE
        }
        return [
            replace(request, media=tuple(pictures.get(medium, medium) for medium in request.media))
            if isinstance(request, MultimodalLoglikelihood | MultimodalGenerateUntil)
            else request
            for request in asked
        ]

    def _noisy(self, medium: str, seed: int, severity: int) -> str:
        if severity == 0:
            return medium
        pixels = pixels_of(medium)
        noisy = self.one.corrupt(pixels, np.random.default_rng(seed), severity)
        if noisy.shape != pixels.shape or not np.isfinite(noisy).all():
            raise PluginError("gives no picture of the same size", place=self.name, fix="Fix or uninstall it")
        return picture_of_pixels(noisy)


Noise = Perturbation | SamplePerturbation | PicturePerturbation


def in_samples(noise: Iterable[Noise]) -> tuple[SamplePerturbation, ...]:
    """Perturbations of texts, pictures and samples, all as the last."""
    return tuple(
        one
        if isinstance(one, SamplePerturbation)
        else PictureNoise(one)
        if isinstance(one, PicturePerturbation)
        else TextNoise(one)
        for one in noise
    )


def picture_perturbations() -> list[PicturePerturbation]:
    """Every registered perturbation of pictures, by name. Raises `PluginError`."""
    return [registry.make(_IN_PICTURES, name) for name in registry.names(_IN_PICTURES)]


def perturbations() -> list[Perturbation]:
    """Every registered perturbation of texts, by name. Raises `PluginError`."""
    return [registry.make(_IN_TEXTS, name) for name in registry.names(_IN_TEXTS)]


def sample_perturbations(
    names: Iterable[str] | None = None, *, of_pictures: bool = False
) -> tuple[SamplePerturbation, ...]:
    """The registered perturbations with these names, in their order; by default all of texts and of samples.

    Those `of_pictures` are among the latter where it is so asked. Raises `UnknownName`, `PluginError`.
    """
    groups = {name: group for group in _GROUPS for name in registry.names(group)}
    usual = [name for name, group in groups.items() if of_pictures or group != _IN_PICTURES]
    chosen = usual if names is None else list(dict.fromkeys(names))
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
    if not own_text(sample, asked).strip() and not any(getattr(request, "media", ()) for request in asked):
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


def _put(request: Request, sample: Sample, text: str, noisy: str) -> Request:
    """The request with `noisy` in the place of `text`, with which the sample's own part begins."""
    field = READ[type(request)]
    whole = getattr(request, field)
    start = own_start(sample, whole)
    return replace(request, **{field: whole[:start] + noisy + whole[start + len(text) :]})
