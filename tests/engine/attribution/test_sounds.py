"""When a model hears what makes it decide: one that listens to a quarter of a sound alone, as computed by hand."""

import io
import math
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from harness.core.attributions import AttributionSettings
from harness.core.models import Batch, Model
from harness.core.requests import AttributeSound, AudioLoglikelihood, Request, Response
from harness.core.tasks import TaskSettings
from harness.engine.attribution.model import AttributingModel
from harness.media.heat import heat_map
from harness.media.sounds import samples_of, sound, without_stretches
from suites.explainability.sounds import attribution
from suites.speech.beeps import GeneratedBeeps

SLOPE, THRESHOLD, RATE_HZ = 6.0, 1.5, 8000


class SecondQuarter(Model):
    """Says yes by how loud the second quarter is."""

    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [Batch(tuple(requests))] if requests else []

    def answer(self, batch: Batch) -> list[Response]:
        return [Response(request_id=one.id, loglikelihood=self._nats(one)) for one in batch.requests]

    def _nats(self, request: Request) -> float:
        assert isinstance(request, AudioLoglikelihood)
        samples, _ = samples_of(request.media[0])
        quarter = len(samples) // 4
        odds = SLOPE * float(np.abs(samples[quarter : 2 * quarter]).mean()) - THRESHOLD
        return -math.log1p(math.exp(-odds if request.continuation == " yes" else odds))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def asked(*methods: str) -> AttributeSound:
    samples = np.full(RATE_HZ, 0.5, dtype=np.float32)
    return AttributeSound(
        context="\ufffc Is it loud?",
        continuations=(" yes", " no"),
        methods=methods,
        settings=AttributionSettings(seed=1),
        media=(sound(samples, RATE_HZ),),
        segments=4,
    )


def test_the_moment_that_counts_has_all_the_worth_and_areas_are_as_computed_by_hand() -> None:
    (found,) = AttributingModel(SecondQuarter()).answer(
        Batch((asked("occlusion", "shapley_sampling", "integrated_gradients"),))
    )
    explained = found.attribution
    assert explained is not None
    assert explained.target.strip() == "yes"
    assert explained.probability == pytest.approx(sigmoid(SLOPE / 2 - THRESHOLD), abs=1e-4)
    assert explained.empty_probability == pytest.approx(sigmoid(-THRESHOLD))
    assert explained.units == ("from 0 to 1 of 4", "from 1 to 2 of 4", "from 2 to 3 of 4", "from 3 to 4 of 4")
    assert [method.name for method in explained.methods] == ["occlusion", "shapley_sampling", "random"]
    for method in explained.methods[:2]:
        assert method.values == pytest.approx((0, SLOPE / 2, 0, 0), abs=1e-3)
        assert method.deletion == pytest.approx([sigmoid(-THRESHOLD)] * 4)
        assert method.insertion == pytest.approx([sigmoid(SLOPE / 2 - THRESHOLD)] * 4, abs=1e-4)
    assert max(explained.methods[2].deletion) > sigmoid(-THRESHOLD)


def test_gradients_are_not_followed_into_sounds() -> None:
    (found,) = AttributingModel(SecondQuarter()).answer(Batch((asked("integrated_gradients"),)))
    assert found.invalid == "gradients aren't followed into sounds: ask for methods that take parts out"


def test_stretches_become_silent_and_the_others_stay() -> None:
    samples = (0.5 * np.random.default_rng(0).uniform(-1, 1, 103)).astype(np.float32)
    medium = sound(samples, RATE_HZ)
    found, rate_hz = samples_of(without_stretches(medium, [True, False, True]))
    assert rate_hz == RATE_HZ
    first, second = 35, 69  # the first samples whose third is the second, and the third
    assert not found[first:second].any()
    assert (np.delete(found, slice(first, second)) == np.delete(samples_of(medium)[0], slice(first, second))).all()
    assert without_stretches(medium, [True] * 3) == medium


def test_a_heat_strip_stands_under_the_spectrogram() -> None:
    medium = asked("occlusion").media[0]
    image = np.asarray(Image.open(io.BytesIO(heat_map(medium, [0, 2, -1, 0], (1, 4)))))  # type: ignore[arg-type]
    strip, width = image[-10], image.shape[1]
    places = [width // 8, 3 * width // 8, 5 * width // 8, 7 * width // 8]
    nothing, strongly_for, against, _ = (strip[place].astype(int) for place in places)
    assert (nothing == 255).all()
    assert strongly_for[2] > strongly_for[0] + 50  # blue
    assert against[0] > against[2] + 20  # vermillion
    with pytest.raises(ValueError, match="no grid"):
        heat_map(medium, [0, 1], (1, 4))  # type: ignore[arg-type]


def test_a_task_about_sounds_is_explained_by_its_own_sounds() -> None:
    task = attribution(GeneratedBeeps())
    for sample in task.samples([], TaskSettings(limit=2, num_fewshot=0, seed=0)):
        (one,) = task.requests(sample)
        assert isinstance(one, AttributeSound)
        assert len(one.continuations) == len(sample.fields["inner"].choices)
        assert one.media == (sample.fields["inner"].fields["sound"],)
