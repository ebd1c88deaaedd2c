"""What a headline is made of, sample by sample and compact, so that two runs can be compared without their records.

A headline part whose metric is a function of a ratio of sums over samples, as a mean is, has for each sample its share
in the error: the linearised residual whose sum over clusters gives the standard error (see `statistics.linear`). The
difference of two runs over the same samples has the differences of these shares, so neighbours are compared in pairs.
A part whose metric is no such function (BLEU, a rank correlation) has none, and is compared by its standard error
alone.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.metrics import Metric
from harness.core.scores import Score
from harness.core.statistics import Sums, linear
from harness.core.statistics.clusters import cluster_labels

__all__ = ["SampleErrors", "pack", "sample_errors", "unpack"]


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


def sample_errors(metric: Metric, scores: Sequence[Score]) -> SampleErrors | None:
    """The shares of a metric's valid scores; None where it is no function of a ratio of sums, or shows no error.

    Raises `Undefined` as the metric does.
    """
    statistic = metric.resampled(scores)
    if not isinstance(statistic, Sums) or statistic.slope is None or len(scores) < 2:
        return None
    top, bottom = statistic.parts.T
    clusters = [score.cluster for score in scores]
    found = linear(top, bottom, clusters) if bottom.sum() > 0 else None
    if found is None or not found.shows_error:
        return None
    labels = cluster_labels(len(scores), clusters).astype(np.int32)
    weight, count = np.bincount(labels, weights=bottom) / bottom.sum(), labels.max() + 1
    unequal = np.sqrt((1 - 1 / count) / (1 - weight))[labels]
    shares = statistic.slope(found.value) * unequal * (top - found.value * bottom) / bottom.mean()
    if not np.isfinite(shares).all():
        return None
    named = json.dumps([[score.sample_id for score in scores], labels.tolist()]).encode()
    return SampleErrors(samples_sha256=hashlib.sha256(named).hexdigest(), values=shares, clusters=labels)


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
