"""The kinds of language models, and what each can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.core.requests import (
    Attribute,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    PseudoLoglikelihood,
    Request,
    Tag,
    TokenLoglikelihoods,
)

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of model: its `title` for people, the requests that it `answers`, and whether they may bear noise."""

    name: str
    title: str
    answers: tuple[type[Request], ...]
    takes_noise: bool = False

    def refusal(self, asked: type[Request]) -> str | None:
        """Why a model of this kind can't answer requests of the class `asked`; None where it can."""
        return None if asked in self.answers else f"a {self.title} {_WANTED[asked.kind]}"


_WANTED: Mapping[str, str] = {
    Loglikelihood.kind: "gives no likelihood of one text after another",
    LoglikelihoodRolling.kind: "doesn't predict a text from left to right",
    GenerateUntil.kind: "doesn't write",
    TokenLoglikelihoods.kind: "doesn't give the likelihood of each token of a text",
    PseudoLoglikelihood.kind: "can't fill in a masked token",
    Classify.kind: "has no head that labels texts",
    Tag.kind: "has no head that labels words",
    Embed.kind: "gives no embedding of a text",
    Attribute.kind: "isn't asked for explanations, which take hundreds of questions for each decision",
}
"""What a kind lacks, as the end of a sentence."""

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                name="causal",
                title="causal language model",
                answers=(Loglikelihood, LoglikelihoodRolling, TokenLoglikelihoods, GenerateUntil, Attribute),
                takes_noise=True,
            ),
            Kind(
                name="masked",
                title="masked language model",
                answers=(Loglikelihood, PseudoLoglikelihood, Attribute),
                takes_noise=True,
            ),
            Kind(
                name="seq2seq",
                title="sequence-to-sequence model",
                answers=(Loglikelihood, GenerateUntil, Attribute),
                takes_noise=True,
            ),
            Kind(name="classifier", title="sequence classifier", answers=(Classify, Attribute), takes_noise=True),
            Kind(name="tagger", title="token classifier", answers=(Tag,)),
            Kind(name="encoder", title="sentence encoder", answers=(Embed,)),
            Kind(
                name="completions",
                title="served model with token probabilities",
                answers=(Loglikelihood, LoglikelihoodRolling, GenerateUntil),
            ),
            Kind(name="chat", title="served chat model", answers=(GenerateUntil,)),
        )
    }
)
"""Every kind, by name. A masked model's `Loglikelihood` is the pseudo-log-likelihood of the continuation."""
