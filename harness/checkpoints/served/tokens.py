"""The tokens that a server counts: counters among its metrics, by the names that vLLM and llama.cpp give them."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.checkpoints.served.metrics import counters_in, metrics_reader, metrics_root
from harness.core.checkpoints import Checkpoint, EndpointOptions
from harness.core.errors import HarnessError

__all__ = ["TokenCounters", "counted_tokens", "token_counters"]

ROUTE = "/metrics"


@dataclass(frozen=True, slots=True)
class _Names:
    """Counters of prompts' tokens, of those among them that a cache had, and of tokens written.

    `holds_cached` says whether the first counts what the cache had, too.
    """

    prompt: str
    cached: tuple[str, ...]
    written: str
    holds_cached: bool


_SERVERS = (
    # The second name of what the cache had is that of earlier versions.
    _Names(
        "vllm:prompt_tokens",
        ("vllm:prompt_tokens_cached", "vllm:prefix_cache_hits"),
        "vllm:generation_tokens",
        holds_cached=True,
    ),
    _Names(
        "llamacpp:prompt_tokens",
        ("llamacpp:prompt_tokens_cached",),
        "llamacpp:tokens_predicted",
        holds_cached=False,
    ),
)


def counted_tokens(metrics: str, model: str) -> dict[str, int]:
    """Tokens of prompts so far, asked to be read and computed, and tokens written; of `model` where it is told apart.

    Empty where not all three are known. Raises `ValueError` for what isn't in Prometheus's text format.
    """
    all_of: dict[str, float] = {}
    own: dict[str, float] = {}
    for name, sample in counters_in(metrics):
        all_of[name] = all_of.get(name, 0.0) + float(sample.value)
        # The label is the server's first name for the model, which may be asked under another.
        if sample.labels.get("model_name") == model:
            own[name] = own.get(name, 0.0) + float(sample.value)
    for names in _SERVERS:
        cached = next((name for name in names.cached if name in all_of), None)
        if cached is None or names.prompt not in all_of or names.written not in all_of:
            continue
        found = own if names.prompt in own else all_of
        prompt, reused, written = (int(found.get(name, 0)) for name in (names.prompt, cached, names.written))
        asked = prompt if names.holds_cached else prompt + reused
        return {"asked_token_count": asked, "computed_token_count": asked - reused, "written_token_count": written}
    return {}


class TokenCounters:
    """Reads how many tokens the server at `url` has counted so far for the model of that name, whoever asked."""

    def __init__(self, url: str, model: str, options: EndpointOptions) -> None:
        self._read = metrics_reader(metrics_root(url), ROUTE, options)
        self._model = model

    def read(self) -> Mapping[str, int]:
        """As `counted_tokens`; empty where the server doesn't tell, for whatever reason."""
        try:
            return counted_tokens(self._read(), self._model)
        except (HarnessError, ValueError, OverflowError):
            return {}


def token_counters(checkpoint: Checkpoint) -> TokenCounters | None:
    """The counters of a resolved model's server; None where it has none, or isn't served."""
    if not checkpoint.config.get("counts_tokens"):
        return None
    return TokenCounters(checkpoint.config["url"], checkpoint.config["model"], checkpoint.config["options"])
