"""Which samples stand or fall together, such as the questions of one passage."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Clusters",
    "cluster_count",
    "cluster_labels",
    "cluster_members",
    "inflation",
    "is_clustered",
    "sums_by_cluster",
]

Clusters = Sequence[str | None]
"""The name of each sample's cluster; None for a sample that stands alone."""


def is_clustered(clusters: Clusters | None) -> bool:
    """Whether at least two samples share a cluster; a sample without one stands alone."""
    named = [cluster for cluster in clusters or () if cluster is not None]
    return len(set(named)) < len(named)


def cluster_count(clusters: Clusters) -> int:
    """How many clusters there are, each sample without one being one by itself."""
    return len({cluster for cluster in clusters if cluster is not None}) + sum(cluster is None for cluster in clusters)


def cluster_labels(n: int, clusters: Clusters | None) -> NDArray[np.intp]:
    """The number of each sample's cluster, from 0."""
    if not is_clustered(clusters):
        return np.arange(n)
    assert clusters is not None
    names = [f"alone:{index}" if name is None else f"shared:{name}" for index, name in enumerate(clusters)]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.fromiter((numbers[name] for name in names), dtype=np.intp, count=n)


def cluster_members(n: int, clusters: Clusters | None) -> list[NDArray[np.intp]]:
    """The indices of each cluster's samples."""
    labels = cluster_labels(n, clusters)
    return np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])


def sums_by_cluster(residuals: NDArray[np.float64], clusters: Clusters | None) -> NDArray[np.float64]:
    """The sum of the residuals of each cluster."""
    return np.asarray(np.bincount(cluster_labels(len(residuals), clusters), weights=residuals), dtype=np.float64)


def inflation(influence: NDArray[np.float64], clusters: Clusters | None) -> float:
    """By how much clusters raise the variance of a statistic whose samples have this influence, at least 1.

    The design effect (Kish, 1965), from the sums by cluster. Where no sample has any influence, those of a cluster
    count as one.
    """
    summed = sums_by_cluster(influence, clusters)
    alone = float((influence**2).sum())
    if alone == 0:
        return len(influence) / len(summed)
    return max(1.0, float((summed**2).sum()) * len(summed) / (len(summed) - 1) / alone)
