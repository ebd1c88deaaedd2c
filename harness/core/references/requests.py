"""What can be asked of a model beside a reference; the answers are those of `harness.core.requests.Response`."""

from dataclasses import dataclass
from typing import ClassVar

from harness.core.requests import Loglikelihood, Request

__all__ = ["Divergence", "ReferenceLoglikelihood"]


@dataclass(frozen=True, kw_only=True)
class Divergence(Request):
    """How far is what the model expects to come next from what a reference expects, at each token of `text`?

    Read as for `TokenLoglikelihoods`, by both. `reference` is the reference's fingerprint. For each token the answer
    holds the Kullback-Leibler divergence of the model's distribution from the reference's, in nats, the log-probability
    that either gives the token, whether both find the same token likeliest there, and where the token ends in the text.
    """

    kind: ClassVar[str] = "divergence"
    lack: ClassVar[str] = "isn't held against a reference token by token"
    needs_reference: ClassVar[bool] = True
    text: str
    reference: str
    max_tokens: int = 256


@dataclass(frozen=True, kw_only=True)
class ReferenceLoglikelihood(Loglikelihood):
    """As `Loglikelihood`, asked of the reference with the fingerprint `reference` in place of the model."""

    kind: ClassVar[str] = "reference_loglikelihood"
    lack: ClassVar[str] = "isn't held against a reference"
    needs_reference: ClassVar[bool] = True
    reference: str
