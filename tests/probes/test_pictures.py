"""Noise in pictures has the strength that it says."""

import colorsys
from random import Random

import numpy as np
import pytest
from scipy import ndimage

from harness.core.requests import MultimodalLoglikelihood
from harness.core.tasks import TaskSettings
from harness.media.pictures import pixels_of
from probes.perturbations.pictures import (
    Brightness,
    DefocusBlur,
    GaussianNoise,
    GreyPatch,
    ImpulseNoise,
    LowContrast,
    LowResolution,
    Pixelation,
    Rotation,
    ShotNoise,
)
from suites.robustness.pictures import CorruptedDigits
from suites.robustness.wrapper import RobustnessTask
from suites.vision.digits import Digits
from suites.vision.drawn import COLOURS, canvas, draw_shape, scattered

GREY = np.full((64, 64, 3), 0.5)


def test_gaussian_noise_has_its_standard_deviation():
    noisy = GaussianNoise().corrupt(GREY, np.random.default_rng(0), 1)
    assert (noisy - GREY).std() == pytest.approx(0.08, rel=0.05)


def test_shot_noise_has_the_variance_of_poisson():
    noisy = ShotNoise().corrupt(GREY, np.random.default_rng(0), 1)
    assert noisy.var() == pytest.approx(0.5 / 60, rel=0.1)


def test_impulse_noise_changes_its_share_of_the_values():
    noisy = ImpulseNoise().corrupt(GREY, np.random.default_rng(0), 5)
    assert (noisy != GREY).mean() == pytest.approx(0.27, abs=0.02)
    assert set(np.unique(noisy)) == {0.0, 0.5, 1.0}


def test_a_blur_keeps_the_sum_of_what_is_inside():
    point = np.zeros((65, 65, 3))
    point[32, 32] = 1
    blurred = DefocusBlur().corrupt(point, np.random.default_rng(0), 5)
    assert blurred.sum() == pytest.approx(3)
    assert blurred.max() < 0.2


def test_a_blur_is_the_mean_over_a_disc_also_at_the_edges():
    pixels = np.random.default_rng(1).random((90, 130, 3))
    blurred = DefocusBlur().corrupt(pixels, np.random.default_rng(0), 5)
    places = np.arange(-5, 6)
    disc = places[:, None] ** 2 + places**2 <= (10 * 90 / 224) ** 2 + 0.25
    mean = ndimage.convolve(pixels, (disc / disc.sum())[:, :, None], mode="nearest")
    assert np.abs(blurred - mean).max() < 1e-8


def test_contrast_and_brightness_are_as_computed():
    step = np.concatenate([np.full((4, 2, 3), 0.2), np.full((4, 2, 3), 0.8)], axis=1)
    pale = LowContrast().corrupt(step, np.random.default_rng(0), 1)
    assert np.unique(pale.round(9)).tolist() == [0.38, 0.62]
    assert Brightness().corrupt(step, np.random.default_rng(0), 3).max() == 1


def test_light_leaves_each_colour_its_hue():
    drawn = np.array([list(COLOURS.values()), [(0, 0, 0)] * len(COLOURS)]) / 255
    for severity in range(1, 6):
        lit = Brightness().corrupt(drawn, np.random.default_rng(0), severity)
        hues = [colorsys.rgb_to_hsv(*colour)[0] for colour in lit[0]]
        assert hues == pytest.approx([colorsys.rgb_to_hsv(*colour)[0] for colour in drawn[0]])
        assert np.allclose(lit[1], Brightness.strengths[severity - 1])


@pytest.mark.parametrize("seed", range(3))
def test_what_stands_in_a_corner_is_still_seen_askew(seed: int):
    image, draw = canvas()
    for corner in ((2, 2), (194, 2), (2, 194), (194, 194)):
        draw_shape(draw, "circle", "red", corner, 28)
    for severity in range(1, 6):
        askew = Rotation().corrupt(np.asarray(image) / 255, np.random.default_rng(seed), severity)
        is_red = askew[:, :, 0] - askew[:, :, 1] > 0.4
        assert ndimage.label(is_red)[1] == 4
        assert not is_red[[0, -1]].any()
        assert not is_red[:, [0, -1]].any()


def test_an_angle_is_as_said():
    line = np.ones((201, 201, 3))
    line[100, :] = 0
    askew = Rotation().corrupt(line, np.random.default_rng(0), 5)
    rows, columns = np.nonzero(askew[:, 40:161, 0] < 0.5)
    assert abs(np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0]))) == pytest.approx(30, abs=0.5)


def test_pixels_become_blocks():
    rows = np.repeat(np.linspace(0, 1, 64)[:, None, None], 64, axis=1).repeat(3, axis=2)
    assert len(np.unique(Pixelation().corrupt(rows, np.random.default_rng(0), 5)[:, 0, 0])) == 16


def test_fewer_pixels_keep_what_is_coarse_and_no_detail():
    checks = np.indices((64, 64)).sum(axis=0)[:, :, None].repeat(3, axis=2) % 2
    assert LowResolution().corrupt(checks.astype(float), np.random.default_rng(0), 2).std() < 0.02
    halves = np.repeat([0.0, 1.0], 32)[None, :, None].repeat(64, axis=0).repeat(3, axis=2)
    low = LowResolution().corrupt(halves, np.random.default_rng(0), 5)
    assert np.abs(low - halves)[:, np.r_[0:24, 40:64]].max() < 0.02
    assert len(np.unique(low)) > len(np.unique(Pixelation().corrupt(halves, np.random.default_rng(0), 5)))


@pytest.mark.parametrize("severity", range(1, 6))
def test_a_patch_has_its_size_and_leaves_three_quarters_of_each_thing_in_sight(severity: int):
    side = round(GreyPatch.strengths[severity - 1] * 224)
    for seed in range(4):
        pixels = np.asarray(scattered(Random(seed), [("red", "star"), ("blue", "circle")] * 3)) / 255
        covered = GreyPatch().corrupt(pixels, np.random.default_rng(seed), severity)
        hidden = (covered == 0.5).all(axis=2)
        assert hidden.sum() == side**2
        assert np.array_equal(covered[~hidden], pixels[~hidden])
        things, count = ndimage.label(pixels.min(axis=2) < 0.9)
        assert count == 6
        assert all(hidden[things == one].mean() <= 0.27 for one in range(1, 7))  # but for pale edges


def test_a_patch_lies_elsewhere_by_the_draw_and_where_nothing_fits_hides_the_least():
    places = {GreyPatch().corrupt(np.ones((64, 64, 3)), np.random.default_rng(seed), 1).tobytes() for seed in range(8)}
    assert len(places) == 8
    dotted = np.ones((60, 60, 3))
    dotted[1::4, 1::4] = dotted[2::4, 2::4] = dotted[1::4, 2::4] = dotted[2::4, 1::4] = 0
    assert (GreyPatch().corrupt(dotted, np.random.default_rng(0), 5) == 0.5).all(axis=2).sum() == 18**2


def test_each_choice_sees_the_same_corrupted_picture_and_severities_share_their_draw():
    task = CorruptedDigits()
    settings = TaskSettings(limit=3, num_fewshot=0, seed=1)
    for sample, again in zip(task.samples([], settings), task.samples([], settings), strict=True):
        asked = task.requests(sample)
        assert [one.id for one in asked] == [one.id for one in task.requests(again)]
        assert len(asked) == 10 * 11
        pictures = [asked[start].media for start in range(0, len(asked), 10)]
        assert all(isinstance(one, MultimodalLoglikelihood) for one in asked)
        assert all(
            {one.media for one in asked[start : start + 10]} == {asked[start].media} for start in range(0, 110, 10)
        )
        assert len(set(pictures)) == 11
        clean, *noisy = (pixels_of(media[0]) for media in pictures)
        assert all(one.shape == clean.shape for one in noisy)


def test_a_task_about_pictures_has_noise_in_pictures_and_texts_and_none_on_embeddings():
    task = RobustnessTask(Digits())
    assert {"rotation", "keyboard_typos"} <= {one.name for one in task.noise}
    assert not any(one.on_embeddings for one in task.noise)
