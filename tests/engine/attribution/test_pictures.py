"""What a model looks at in a picture: one that looks at a corner alone, as computed by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from harness.core.attributions import AttributionSettings
from harness.core.models import Batch, Model
from harness.core.requests import AttributePicture, MultimodalLoglikelihood, Request, Response
from harness.engine.attribution.model import AttributingModel
from harness.media.pictures import picture_of_pixels, pixels_of, without_cells
from suites.explainability.sounds import attribution
from suites.vision.digits import Digits

SLOPE, THRESHOLD = 4.0, 1.5


class Corner(Model):
    """Says yes by how bright the upper left quarter is."""

    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [Batch(tuple(requests))] if requests else []

    def answer(self, batch: Batch) -> list[Response]:
        return [Response(request_id=one.id, loglikelihood=self._nats(one)) for one in batch.requests]

    def _nats(self, request: Request) -> float:
        assert isinstance(request, MultimodalLoglikelihood)
        pixels = pixels_of(request.media[0])
        height, width, _ = pixels.shape
        odds = SLOPE * float(pixels[: height // 2, : width // 2].mean()) - THRESHOLD
        return -math.log1p(math.exp(-odds if request.continuation == " yes" else odds))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def lit_corner() -> AttributePicture:
    pixels = np.zeros((8, 8, 3))
    pixels[:4, :4] = 1
    return AttributePicture(
        context="\ufffc Is it lit?",
        continuations=(" yes", " no"),
        methods=("occlusion", "shapley_sampling"),
        settings=AttributionSettings(seed=1),
        media=(picture_of_pixels(pixels),),
        grid=(2, 2),
    )


def test_the_corner_has_all_the_worth_and_areas_are_as_computed_by_hand():
    (found,) = AttributingModel(Corner()).answer(Batch((lit_corner(),)))
    explained = found.attribution
    assert explained is not None
    assert explained.target.strip() == "yes"
    filled = 64 / 255  # the mean of a quarter in white and three in black, to eight bits
    assert explained.probability == pytest.approx(sigmoid(SLOPE - THRESHOLD))
    assert explained.empty_probability == pytest.approx(sigmoid(SLOPE * filled - THRESHOLD))
    assert explained.units[0] == "row 1, column 1"
    for method in explained.methods[:2]:
        assert method.values == pytest.approx((SLOPE * (1 - filled), 0, 0, 0), abs=1e-6)
        # One or two of the four cells are out, the corner always among them.
        assert method.deletion == pytest.approx([sigmoid(SLOPE * filled - THRESHOLD)] * 4)
        assert method.insertion == pytest.approx([sigmoid(SLOPE - THRESHOLD)] * 4)
        assert method.infidelity == pytest.approx(0, abs=1e-6)


def test_gradients_are_not_followed_into_pictures():
    request = lit_corner()
    asked = AttributePicture(
        **{name: getattr(request, name) for name in ("context", "continuations", "settings", "media", "grid")},
        methods=("integrated_gradients",),
    )
    (found,) = AttributingModel(Corner()).answer(Batch((asked,)))
    assert "gradients aren't followed into this model" in (found.invalid or "")


def test_cells_are_filled_with_the_mean_and_the_others_stay():
    (medium,) = lit_corner().media
    covered = pixels_of(without_cells(medium, (2, 2), [False, True, True, True]))
    assert np.allclose(covered[:4, :4], 64 / 255)
    assert not covered[4:].any()
    assert without_cells(medium, (2, 2), [True] * 4) == medium
    with pytest.raises(ValueError, match="grid has 4"):
        without_cells(medium, (2, 2), [True] * 5)


def test_a_task_about_pictures_is_explained_by_its_own_pictures():
    from harness.core.tasks import TaskSettings

    task = attribution(Digits())
    for sample in task.samples([], TaskSettings(limit=2, num_fewshot=0, seed=0)):
        (asked,) = task.requests(sample)
        assert isinstance(asked, AttributePicture)
        assert len(asked.continuations) == 10
        assert asked.media == (sample.fields["inner"].fields["picture"],)
