"""What becomes of an answer to a prompt that was not read whole."""

from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.core.tasks import Sample
from harness.core.text.reasons import Reason

__all__ = ["QUESTION_LOST", "long_continuation", "usable"]

QUESTION_LOST = "the prompt is longer than the model's window, so the beginning of its question was not read"


def usable(sample: Sample, request: Request, response: Response) -> Response:
    """The response, made invalid where the model didn't read the sample's own question from its beginning.

    A prompt that is too long loses its beginning. Exemplars that are lost there leave the question as it is. A text
    that is labelled or embedded loses its end instead, and is judged by what was read of it, as is usual.
    """
    asked = isinstance(request, Loglikelihood | GenerateUntil)
    if response.invalid or not asked or response.unread_character_count <= sample.question_start:
        return response
    return Response(
        request_id=response.request_id,
        token_count=response.token_count,
        context_token_count=response.context_token_count,
        unread_character_count=response.unread_character_count,
        invalid=QUESTION_LOST,
    )


def long_continuation(token_count: int) -> Reason:
    """Why a continuation of so many tokens has no log-likelihood: the model can't read it at once."""
    return Reason("the continuation of {count} tokens is longer than the model's window", count=token_count)
