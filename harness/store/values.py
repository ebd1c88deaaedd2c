"""What a headline is made of, sample by sample and compact, so that two runs can be compared without their records.

A headline part that is a mean (or a ratio of sums) over samples has, for each sample, its share in the error: the
linearised residual whose sum over clusters gives the standard error (see `statistics.ratio`). The difference
of two runs over the same samples has the differences of these shares, so neighbours are compared in pairs. A
part whose value and error don't come out of its samples so (BLEU, a rank correlation) has none, and is compared by
its standard error alone.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.scores import Estimate
from harness.core.statistics.clusters import cluster_labels
from harness.core.statistics.means import ratio

__all__ = ["SampleErrors", "pack", "sample_errors", "unpack"]

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleErrors:
    """The share of each sample in the error of an estimate, in its unit, and the number of its cluster.

    The standard error is the root of the squared sums by cluster, times clusters over clusters - 1, over n: each
    share is scaled so that this is the error of `statistics.linear`, which allows for clusters of unequal weight.
    Those of two runs can be subtracted where `samples_sha256` is the same.
    """

    samples_sha256: str
    values: NDArray[np.float64]
    clusters: NDArray[np.int32]


def sample_errors(
    estimate: Estimate,
    ids: Sequence[str],
    values: Sequence[float],
    weights: Sequence[float],
    clusters: Sequence[str | None],
) -> SampleErrors | None:
    """The shares of the valid samples of an estimate; None where it is no mean or scaled ratio of sums of theirs."""
    if estimate.value is None or estimate.stderr is None or len(ids) < 2 or math.fsum(weights) <= 0:
        return None
    plain = ratio(values, weights, clusters)
    scale = estimate.value / plain.value if plain.value else 1.0
    if plain.stderr is None or not _close(scale * plain.value, estimate.value):
        return None
    if not _close(abs(scale) * plain.stderr, estimate.stderr):
        return None
    bottom = np.asarray(weights, dtype=np.float64)
    labels = cluster_labels(len(ids), clusters).astype(np.int32)
    weight, count = np.bincount(labels, weights=bottom) / bottom.sum(), labels.max() + 1
    unequal = np.sqrt((1 - 1 / count) / (1 - weight))[labels]
    shares = scale * unequal * (np.asarray(values, dtype=np.float64) - plain.value * bottom) / bottom.mean()
    named = json.dumps([list(ids), labels.tolist()]).encode()
    return SampleErrors(samples_sha256=hashlib.sha256(named).hexdigest(), values=shares, clusters=labels)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-12)


def pack(errors: SampleErrors) -> bytes:
    """As bytes: the values, then the clusters, little-endian, compressed."""
    return zlib.compress(errors.values.astype("<f8").tobytes() + errors.clusters.astype("<i4").tobytes())


def unpack(samples_sha256: str, content: bytes) -> SampleErrors:
    """The inverse of `pack`."""
    plain = zlib.decompress(content)
    n = len(plain) // 12
    return SampleErrors(
        samples_sha256=samples_sha256,
        values=np.frombuffer(plain, dtype="<f8", count=n),
        clusters=np.frombuffer(plain, dtype="<i4", offset=8 * n),
    )
