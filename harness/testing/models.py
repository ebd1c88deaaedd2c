"""What every model promises, whatever it computes with."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from harness.core.attributions import AttributionSettings
from harness.core.media import OBJECT
from harness.core.models import TOLERANCE_NATS, Model, respond
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    AudioGenerateUntil,
    AudioLoglikelihood,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MatchTexts,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
    Transcribe,
)
from harness.media.pictures import trial_picture
from harness.media.sounds import trial_sound
from harness.testing.demands import demand, told_of

__all__ = ["check_model", "trial_requests"]

Answers = Mapping[str, Response]

_ALONE = 8
_TEXTS = (
    *(f"The fox number {n} jumps over the lazy dog." for n in range(3)),
    " ",
    "中文也要能分词。",
    "👩‍👩‍👧 e\u0301 ﬃ \u202eabc\u202c",
    "\x00\ufffd\t\n",
    "İstanbul ß ŉ",
    "The committee met on Tuesday to discuss 1,024 proposals. " * 20,
)
_ANSWERS = ("loglikelihood", "text", "label_scores", "tags", "vector", "attribution", "token_loglikelihoods")
_EXACT = ("is_greedy", "text", "token_ids", "tags", "token_count", "context_token_count", "invalid")
_NEW: Mapping[type[Request], Callable[[str], Request]] = {
    Loglikelihood: lambda text: Loglikelihood(context=text, continuation=" over there"),
    LoglikelihoodRolling: lambda text: LoglikelihoodRolling(text=text),
    TokenLoglikelihoods: lambda text: TokenLoglikelihoods(text=text, max_tokens=40),
    PseudoLoglikelihood: lambda text: PseudoLoglikelihood(text=text),
    GenerateUntil: lambda text: GenerateUntil(context=text, max_tokens=3),
    MultimodalLoglikelihood: lambda text: MultimodalLoglikelihood(
        context=f"{OBJECT}{text}", continuation=" over there", media=(trial_picture(),)
    ),
    MultimodalGenerateUntil: lambda text: MultimodalGenerateUntil(
        context=f"{text}{OBJECT}", max_tokens=3, media=(trial_picture(),)
    ),
    AudioLoglikelihood: lambda text: AudioLoglikelihood(
        context=f"{OBJECT}{text}", continuation=" over there", media=(trial_sound(),)
    ),
    AudioGenerateUntil: lambda text: AudioGenerateUntil(
        context=f"{text}{OBJECT}", max_tokens=3, media=(trial_sound(),)
    ),
    Transcribe: lambda text: Transcribe(audio=trial_sound(), language="en", reference=text, max_tokens=3),
    MatchTexts: lambda text: MatchTexts(image=trial_picture(), texts=(text, "a river")),
    Classify: lambda text: Classify(text=text),
    Tag: lambda text: Tag(words=tuple(text.split())),
    Embed: lambda text: Embed(text=text),
    Attribute: lambda text: Attribute(
        context=text, continuations=(" yes", " no"), methods=("occlusion",), settings=AttributionSettings(seed=1)
    ),
    AttributePicture: lambda text: AttributePicture(
        context=f"{OBJECT}{text}",
        continuations=(" yes", " no"),
        methods=("occlusion",),
        settings=AttributionSettings(seed=1),
        media=(trial_picture(),),
        grid=(1, 2),
    ),
    AttributeSound: lambda text: AttributeSound(
        context=f"{OBJECT}{text}",
        continuations=(" yes", " no"),
        methods=("occlusion",),
        settings=AttributionSettings(seed=1),
        media=(trial_sound(),),
        segments=2,
    ),
}


def trial_requests(*asked: type[Request]) -> list[Request]:
    """Distinct requests of each class: plain, empty but for a space, in several scripts, of odd characters, long."""
    return [_NEW[kind](text) for kind in asked for text in _TEXTS]


def check_model(
    opened: Callable[[int], Model],
    requests: Sequence[Request],
    *,
    budgets: tuple[int, int] = (60, 4096),
    tolerance: float = TOLERANCE_NATS,
) -> None:
    """Raises `AssertionError` where a model breaks its contract, with what it broke.

    `opened` makes a fresh model for a number of tokens in a batch. Checked with distinct `requests`, such as those of
    `trial_requests`: each is answered once, by an answer or by the reason for none; nothing is asked where nothing is
    to be; the plan hangs on the set of requests alone; a batch answered again gives the same bytes; and neither the
    size of batches, between the `budgets`, nor the other requests, nor their order changes a number by more than the
    `tolerance` (nats of a log-likelihood, and as much of any other number).
    """
    model = opened(budgets[0])
    demand(list(model.plan([])) == [], "it plans batches for no requests")
    answers = _answers(model, requests)
    for request in requests:
        with told_of(f"{request!r:.80}"):
            _check_answer(answers[request.id])
    _check_plan(opened, requests, budgets[0])
    batches = opened(budgets[0]).plan(requests)
    for batch in reversed(batches):
        found = {response.request_id: response for response in model.answer(batch)}
        same = all(found.get(request.id) == answers[request.id] for request in batch.requests)
        demand(same, "a batch answered again, after others, gives other answers: a run couldn't be resumed")
    _check_same(answers, _answers(opened(budgets[1]), requests), "in batches of another size", tolerance)
    for request in _shuffled(requests)[:_ALONE]:
        _check_same(answers, _answers(opened(budgets[0]), [request]), "asked alone", tolerance)
    copies = [replace(request) for request in requests]
    demand(_answers(model, copies) == answers, "an equal request in another object gets another answer")


def _answers(model: Model, requests: Sequence[Request]) -> Answers:
    found: dict[str, Response] = {}
    for response in respond(model, requests):
        demand(response.request_id not in found, f"the request {response.request_id[:12]} is answered twice")
        found[response.request_id] = response
    wanted = {request.id for request in requests}
    demand(found.keys() <= wanted, "it answers what nobody asked: `request_id` must be the request's `id`")
    demand(found.keys() >= wanted, f"{len(wanted - found.keys())} of {len(wanted)} requests are not answered")
    return found


def _check_answer(response: Response) -> None:
    given = [name for name in _ANSWERS if getattr(response, name) is not None]
    demand(bool(given) or response.invalid is not None, "there is neither an answer nor, in `invalid`, the reason")
    demand(not given or response.invalid is None, f"it is invalid, and yet has {', '.join(given)}")
    demand((response.loglikelihood or 0) <= 0, f"a log-likelihood of {response.loglikelihood} is above 0")
    finite = all(map(math.isfinite, _numbers(response)))
    demand(finite, "a number isn't finite: answer `invalid`, with the reason")


def _check_plan(opened: Callable[[int], Model], requests: Sequence[Request], budget: int) -> None:
    planned, again = (
        [[request.id for request in batch.requests] for batch in opened(budget).plan(order)]
        for order in (requests, _shuffled(requests))
    )
    demand(planned == again, "another order of the requests gives another plan: a run couldn't be resumed")
    everything = sorted(one for batch in planned for one in batch)
    demand(everything == sorted(request.id for request in requests), "a request is in no batch, or in several")


def _check_same(answers: Answers, others: Answers, how: str, tolerance: float) -> None:
    for key, other in others.items():
        one = answers[key]
        for name in _EXACT:
            first, second = getattr(one, name), getattr(other, name)
            demand(first == second, f"{name} is {second!r:.60} {how}, and {first!r:.60} else")
        pairs = zip(_numbers(one), _numbers(other), strict=True)
        worst = max((abs(first - second) for first, second in pairs), default=0.0)
        demand(worst <= tolerance, f"a number differs by {worst:.3g} {how}; {tolerance:g} are rounding")


def _numbers(response: Response) -> Iterator[float]:
    """All numbers of an answer, but for the counts."""
    yield from () if response.loglikelihood is None else (response.loglikelihood,)
    yield from (response.label_scores or {}).values()
    for values in (response.vector, response.token_loglikelihoods, response.token_z_scores):
        yield from values or ()
    if response.attribution:
        yield from (response.attribution.probability, response.attribution.empty_probability)
        for method in response.attribution.methods:
            # The scale of values is that of the log-odds, which differ by some tens in a model of random weights.
            yield from (value / 10 for value in (*method.values, *(method.randomised or ())))
            yield from (*method.deletion, *method.insertion, (method.infidelity or 0) / 1000)


def _shuffled(requests: Sequence[Request]) -> list[Request]:
    return random.Random(3).sample(list(requests), len(requests))
