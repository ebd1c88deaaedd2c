"""What a server counts, in the text format of Prometheus."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from harness.checkpoints.served.client import Patience, ServerClient
from harness.core.checkpoints import EndpointOptions

__all__ = ["counters_in", "metrics_reader", "metrics_root"]

_MOST_SECONDS = 5.0
"""For one answer: metrics are read between batches."""
_PATIENCE = Patience(busy=1, unreachable=1, timeouts=1)


def metrics_root(url: str) -> str:
    """Where a server has its metrics, by the address of its API."""
    return url.removesuffix("/v1")


def metrics_reader(url: str, path: str, options: EndpointOptions, *, has_key: bool = True) -> Callable[[], str]:
    """What reads the text of a route of `url`, by one connection that is kept; it may be sent the key or not."""
    asked = replace(
        options,
        api_key_env=options.api_key_env if has_key else "",
        timeout_s=min(options.timeout_s, _MOST_SECONDS),
        concurrency=1,
    )
    client = ServerClient(url, asked, _PATIENCE)
    return lambda: client.text(path)


def counters_in(metrics: str) -> Iterator[tuple[str, Sample]]:
    """Every sample under its name without `_total`. Raises `ValueError` for what isn't in Prometheus's text format."""
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            yield sample.name.removesuffix("_total"), sample
