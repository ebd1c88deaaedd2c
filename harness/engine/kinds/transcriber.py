"""A model with a text to write after a sound, asked what is said in it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.media import OBJECT
from harness.core.models import Batch, Model, ParallelModel, answered, respond
from harness.core.requests import AudioGenerateUntil, AudioLoglikelihood, Request, Response, Transcribe

__all__ = ["Transcriber"]

_ASKED = f"{OBJECT}\nWrite down word for word what is said in this recording.\nTranscript:"
_ENDS = ("\n",)


class Transcriber(ParallelModel):
    """Answers `Transcribe` requests by asking `model` in words, and all others by passing them on.

    The answer is the first line that is written. Where the model `predicts`, the likelihood of a reference is that of
    the text behind the same words, without an end. The language isn't told.
    """

    def __init__(self, model: Model, *, predicts: bool) -> None:
        self.model = model
        self.predicts = predicts

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """The inner model's batches of all others, then those of what is written down."""
        asked = sorted((one for one in requests if isinstance(one, Transcribe)), key=lambda one: one.id)
        by_id: dict[str, list[Request]] = {}
        for one in asked:
            by_id.setdefault(_written(one).id, []).append(one)
        inner = {_written(one).id: _written(one) for one in asked}
        return [
            *self.model.plan([one for one in requests if not isinstance(one, Transcribe)]),
            *(
                replace(batch, requests=tuple(one for each in batch.requests for one in by_id[each.id]), work=batch)
                for batch in (self.model.plan(list(inner.values())) if inner else [])
            ),
        ]

    @override
    def answer_each(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """In the order in which the inner model is done with them."""
        inner = [one.work if _is_asked(one) else one for one in batches]
        outer = {id(below): above for below, above in zip(inner, batches, strict=True)}
        for below, answers in answered(self.model, inner):
            batch = outer[id(below)]
            yield batch, self._transcripts(batch, answers) if _is_asked(batch) else answers

    def _transcripts(self, batch: Batch, answers: Sequence[Response]) -> list[Response]:
        asked = [one for one in batch.requests if isinstance(one, Transcribe)]
        texts = {one.request_id: one for one in answers}
        known = {one.id: likely for one in asked if self.predicts and (likely := _reference(one))}
        found = {
            one.request_id: one for one in respond(self.model, [*{one.id: one for one in known.values()}.values()])
        }
        return [
            _joined(one, texts[_written(one).id], found[known[one.id].id] if one.id in known else None) for one in asked
        ]


def _is_asked(batch: Batch) -> bool:
    """Whether it is of sounds to be written down; a batch is of these alone, or of none."""
    return any(isinstance(one, Transcribe) for one in batch.requests)


def _written(request: Transcribe) -> AudioGenerateUntil:
    return AudioGenerateUntil(context=_ASKED, until=_ENDS, max_tokens=request.max_tokens, media=(request.audio,))


def _reference(request: Transcribe) -> AudioLoglikelihood | None:
    if request.reference is None:
        return None
    said = f" {request.reference.strip()}"
    return AudioLoglikelihood(context=_ASKED, continuation=said, media=(request.audio,))


def _joined(request: Transcribe, written: Response, likely: Response | None) -> Response:
    invalid = written.invalid or (likely.invalid if likely else None)
    return replace(
        written,
        request_id=request.id,
        text=None if invalid or written.text is None else written.text.strip(),
        loglikelihood=None if invalid or likely is None else likely.loglikelihood,
        invalid=invalid,
    )
