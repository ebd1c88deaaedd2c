"""Noise on the embeddings of a question instead of its letters."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from typing_extensions import override

from harness.core.perturbations import READ, SamplePerturbation, answer_spans, common_beginning, own_start, own_text
from harness.core.requests import EmbeddingNoise, Request
from harness.core.tasks import Sample
from probes.perturbations.edits import LABEL, OPTION, PLACEHOLDER, checked

__all__ = ["GaussianEmbeddings"]

_STEP = 0.4


class GaussianEmbeddings(SamplePerturbation):
    """The embeddings of a question's tokens bear Gaussian noise: a fifth of their own size a step, all of it at 5.

    Size is the root mean square of an embedding's numbers. Exemplars, labels of the prompt, lettered options and words
    that name an answer bear none. What is left at a severity says how far from its words a model may be driven without
    another word being written, as small changes of them all; no writer makes such noise.
    """

    name = "embedding_noise"
    on_embeddings = True

    @override
    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        text = own_text(sample, asked)
        start = own_start(sample, common_beginning([str(getattr(one, READ[type(one)])) for one in asked]))
        spans = tuple((start + first, start + last) for first, last in _free(text, sample))
        seed = str(rng.getrandbits(64))
        if not checked(severity) or not spans:
            return asked
        noise = EmbeddingNoise(scale=round(_STEP * severity, 9), seed=seed, spans=spans)
        return [replace(request, noise=noise) for request in asked if type(request) in READ]  # type: ignore[call-arg]


def _free(text: str, sample: Sample) -> Iterator[tuple[int, int]]:
    """The parts of a text that may bear noise, but for white space at their ends."""
    kept = [found.span() for pattern in (PLACEHOLDER, LABEL, OPTION) for found in pattern.finditer(text)]
    at = 0
    for start, end in [*sorted([*kept, *answer_spans(text, sample)]), (len(text), len(text))]:
        part = text[at:start]
        if part.strip():
            yield at + len(part) - len(part.lstrip()), at + len(part.rstrip())
        at = max(at, end)
