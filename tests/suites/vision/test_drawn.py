"""What is drawn is what is asked for: told from the pixels alone."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from harness.core.tasks import Sample, TaskSettings
from harness.media.pictures import image_of
from suites.vision.drawn import COLOURS, Drawn
from suites.vision.figures import DrawnFigures
from suites.vision.presence import ObjectPresence
from suites.vision.scenes import DrawnScenes

TASKS = (DrawnScenes, DrawnFigures, ObjectPresence)


def drawn(task: type[Drawn], kind: str, count: int = 60) -> list[Sample]:
    samples = task().samples([], TaskSettings(limit=count, num_fewshot=0, seed=5))
    return [one for one in samples if one.fields["groups"]["kind"] == kind]


def answer(sample: Sample) -> str:
    assert isinstance(sample.gold, int)
    return sample.choices[sample.gold]


def pixels(sample: Sample) -> NDArray[np.int64]:
    return np.asarray(image_of(sample.fields["picture"]), dtype=int)


def of_colour(sample: Sample, colour: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (pixels(sample) == COLOURS[colour]).all(axis=2)
    return found


def middle(sample: Sample, colour: str) -> tuple[float, float]:
    rows, columns = np.nonzero(of_colour(sample, colour))
    return float(columns.mean()), float(rows.mean())


def words(sample: Sample) -> list[str]:
    return sample.prompt.replace("?", " ").replace(",", " ").split()


def test_a_relation_is_that_of_the_middles_of_both_shapes():
    for sample in drawn(DrawnScenes, "relation"):
        first, second = (word for word in words(sample) if word in COLOURS)
        (x, y), (other_x, other_y) = middle(sample, first), middle(sample, second)
        seen = {"left of": x < other_x, "right of": x > other_x, "above": y < other_y, "below": y > other_y}
        assert seen[answer(sample)]


def test_as_many_shapes_are_counted_as_fill_their_boxes_alike():
    """A circle fills 79 % of its box, a square all, a triangle half, a star less."""
    fills = {"circle": (0.74, 0.86), "square": (0.95, 1.01), "triangle": (0.44, 0.6), "star": (0.2, 0.44)}
    numbers = ("one", "two", "three", "four", "five", "six")
    for sample in drawn(DrawnScenes, "counting"):
        colour = next(word for word in words(sample) if word in COLOURS)
        shape = next(name for name in fills if f"{name}s" in words(sample))
        labelled, _ = ndimage.label(of_colour(sample, colour), structure=np.ones((3, 3)))
        low, high = fills[shape]
        count = sum(
            low <= (labelled[box] > 0).mean() < high
            for box in ndimage.find_objects(labelled)
            if (labelled[box] > 0).sum() > 50
        )
        assert answer(sample) == numbers[count - 1], sample.id


def test_the_tallest_bar_is_the_highest_column():
    for sample in drawn(DrawnFigures, "tallest"):
        image = pixels(sample)
        colour = next(one for one in COLOURS if of_colour(sample, one).any())
        columns = of_colour(sample, colour).sum(axis=0)
        _, starts = np.unique(np.flatnonzero(columns) - np.arange(np.count_nonzero(columns)), return_index=True)
        heights = [int(columns[np.flatnonzero(columns)[start]]) for start in starts]
        assert len(heights) == 5, image.shape
        assert answer(sample) == "ABCDE"[heights.index(max(heights))]


def test_what_is_asked_for_is_there_or_is_not():
    for kind, expected in (("present", "yes"), ("absent", "no"), ("nearly", "no")):
        for sample in drawn(ObjectPresence, kind, 32):
            assert answer(sample) == expected
            colour = next(word for word in words(sample) if word in COLOURS)
            if kind != "absent":
                assert of_colour(sample, colour).any()


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.name)
def test_a_seed_draws_the_same_pictures_and_another_seed_others(task: type[Drawn]):
    def pictures(limit: int, seed: int) -> list[str]:
        made = task().samples([], TaskSettings(limit=limit, num_fewshot=0, seed=seed))
        return [one.fields["picture"] for one in made]

    assert pictures(6, 0) == pictures(12, 0)[:6]
    assert not set(pictures(6, 0)) & set(pictures(6, 1))
