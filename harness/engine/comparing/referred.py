"""A model beside a reference: each request goes to the one it is about, or to both."""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.models import Batch, Model
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import Loglikelihood, Request, Response

__all__ = ["ReferredModel"]


class ReferredModel(Model):
    """Answers as `model`; what is asked of the reference is answered by `reference`, what compares both by `comparer`.

    A request of another reference than this one is never made: tasks are told its fingerprint (`UsesReference`).
    """

    def __init__(self, model: Model, reference: Model, comparer: Model) -> None:
        self.model, self.reference, self.comparer = model, reference, comparer

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """The model's own batches, then the reference's, then those of both."""
        referred = {
            plain.id: one for one in requests if isinstance(one, ReferenceLoglikelihood) for plain in [_plain(one)]
        }
        compared = [one for one in requests if isinstance(one, Divergence)]
        own = [one for one in requests if not isinstance(one, ReferenceLoglikelihood | Divergence)]
        return [
            *(replace(batch, work=(self.model, batch)) for batch in self.model.plan(own)),
            *(
                replace(batch, requests=tuple(referred[one.id] for one in batch.requests), work=(self.reference, batch))
                for batch in self.reference.plan([_plain(one) for one in referred.values()])
            ),
            *(replace(batch, work=(self.comparer, batch)) for batch in self.comparer.plan(compared)),
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        model, inner = batch.work
        answers = list(model.answer(inner))
        if model is not self.reference:
            return answers
        names = {plain.id: one.id for plain, one in zip(inner.requests, batch.requests, strict=True)}
        return [replace(one, request_id=names[one.request_id]) for one in answers]


def _plain(request: ReferenceLoglikelihood) -> Loglikelihood:
    """What the reference is asked, which knows nothing of being one."""
    return Loglikelihood(
        context=request.context, continuation=request.continuation, noise=request.noise, chat=request.chat
    )
