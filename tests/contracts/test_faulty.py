"""The other checks of `harness.testing` can fail: plug-ins that break one promise each, and how that is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest

from harness.core.models import Batch, Model
from harness.core.perturbations import Perturbation
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.core.scores import Estimate
from harness.core.tasks import Results, Sample, Suite
from harness.testing import check_model, check_perturbation, check_suite, trial_requests
from harness.testing.answers import StandIn


class Sound(Suite):
    """On animals."""

    name = "sound"
    tasks = ("piqa", "boolq")
    headline = (("piqa", "acc_norm"), ("boolq", "acc"))


class Unregistered(Sound):
    """A task that isn't there."""

    tasks = ("piqa", "boolq", "poems")


class Mixed(Sound):
    """Nats and shares in one mean."""

    tasks = ("piqa", "wikitext_sentences")
    headline = (("piqa", "acc_norm"), ("wikitext_sentences", "word_perplexity"))


class Elsewhere(Sound):
    """A headline of no task of its."""

    headline = (("siqa", "acc"),)


class Deriving(Sound):
    """An estimate that is not described."""

    def derive(self, results: Results) -> Sequence[Estimate]:
        return [
            Estimate(
                suite="sound", task="piqa", metric="joy", value=1.0, n=3, unit="joy", direction="higher",
                signature=results.signature,
            )
        ]  # fmt: skip


class Unfounded(Deriving):
    """A value of no sample."""

    derived = {("joy",): "How glad."}  # noqa: RUF012

    def derive(self, results: Results) -> Sequence[Estimate]:
        return [replace(one, n=0) for one in super().derive(results)]


def test_a_sound_suite_passes() -> None:
    check_suite(Sound())


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (Unregistered, "no task is registered as poems"),
        (Mixed, "differ in unit"),
        (Elsewhere, "siqa/acc, which is no metric"),
        (Deriving, "doesn't say what it means"),
        (Unfounded, "its n is 0"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_faulty_suite_is_found(suite: type[Suite], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_suite(suite())


class Noise:
    """A sound perturbation: letters are doubled."""

    name = "doubled"

    def perturb(self, text: str, rng: Random, severity: int) -> str:
        if not 0 <= severity <= 5:
            raise ValueError("no severity")
        return text + "!" * severity

    def limit(self, text: str, severity: int) -> int:
        return severity


class Always(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return super().perturb(text, rng, max(severity, 1) if severity < 6 else severity)


class Unseeded(Noise):
    own = Random(1)

    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return super().perturb(text, rng, severity)[:-1] + self.own.choice("abcdefgh") if severity else text

    def limit(self, text: str, severity: int) -> int:
        return 10


class Beyond(Noise):
    def limit(self, text: str, severity: int) -> int:
        return 0


class Backwards(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return super().perturb(text, rng, 6 - severity if severity in (1, 2, 3, 4, 5) else severity)

    def limit(self, text: str, severity: int) -> int:
        return 5


class Empties(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return "" if severity == 5 and len(text) == 1 else super().perturb(text, rng, severity)


class Breaking(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return super().perturb(text.replace("{0}", "{1}") if severity else text, rng, severity)

    def limit(self, text: str, severity: int) -> int:
        return 10


class Unbounded(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return text + "!" * severity


class Idle(Noise):
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return text


def test_a_sound_perturbation_passes() -> None:
    check_perturbation(Noise())


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Always, "changed at severity 0"),
        (Unseeded, "another text the second time"),
        (Beyond, "`limit` says 0"),
        (Backwards, "higher severity changes less"),
        (Empties, "nothing is left"),
        (Breaking, "doesn't survive"),
        (Unbounded, "not refused"),
        (Idle, "changes none"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_faulty_perturbation_is_found(one: type[Perturbation], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_perturbation(one())


class Reordered:
    """A perturbation of samples that asks about one choice fewer."""

    name = "fewer"
    on_embeddings = False

    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        if not 0 <= severity <= 5:
            raise ValueError("no severity")
        return asked[severity:]


def test_a_faulty_perturbation_of_samples_is_found() -> None:
    with pytest.raises(AssertionError, match="one request of its class for each"):
        check_perturbation(Reordered())


REQUESTS = trial_requests(Loglikelihood, GenerateUntil)


class Changed(StandIn):
    """A model whose answers or plans are changed on the way."""

    def __init__(self, budget: int) -> None:
        super().__init__()
        self.budget, self.count = budget, 0

    def answer(self, batch: Batch) -> list[Response]:
        self.count += 1
        return [self.change(one) for one in super().answer(batch)]

    def change(self, one: Response) -> Response:
        return one


class Positive(Changed):
    def change(self, one: Response) -> Response:
        return one if one.loglikelihood is None else replace(one, loglikelihood=0.5)


class NotANumber(Changed):
    def change(self, one: Response) -> Response:
        return one if one.loglikelihood is None else replace(one, loglikelihood=float("-inf"))


class Silent(Changed):
    def change(self, one: Response) -> Response:
        return Response(request_id=one.request_id)


class Counting(Changed):
    def change(self, one: Response) -> Response:
        return one if one.text is None else replace(one, text=f"{self.count}")


class Budgeted(Changed):
    def change(self, one: Response) -> Response:
        moved = self.budget * 1e-5
        return one if one.loglikelihood is None else replace(one, loglikelihood=one.loglikelihood - moved)


class Absent(Changed):
    def answer(self, batch: Batch) -> list[Response]:
        return super().answer(batch)[1:]


class InOrder(Changed):
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [Batch((request,)) for request in requests]


class Eager(Changed):
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [*super().plan(requests), Batch(())]


def test_a_sound_model_passes() -> None:
    check_model(Changed, REQUESTS)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Positive, "above 0"),
        (NotANumber, "isn't finite"),
        (Silent, "neither an answer"),
        (Counting, "gives other answers"),
        (Budgeted, "differs by 0.0404 in batches of another size"),
        (Absent, "are not answered"),
        (InOrder, "another plan"),
        (Eager, "batches for no requests"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_faulty_model_is_found(model: Callable[[int], Model], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_model(model, REQUESTS)
