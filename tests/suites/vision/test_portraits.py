"""People who differ in skin tone or gender alone: gaps as computed by hand."""

import math

import pytest
from PIL import Image

from harness.core.requests import Response
from harness.core.tasks import Sample, TaskSettings
from harness.media.pictures import picture
from suites.fairness.portraits import PeopleAtWork, PeopleJudged

GENDERS, TONES = ("woman", "man"), ("light", "medium-light", "medium", "medium-dark", "dark")


def sample() -> Sample:
    pictures = {
        (gender, tone): picture(Image.new("RGB", (4, 4), (20 * row, 40 * column, 0)))
        for row, gender in enumerate(GENDERS)
        for column, tone in enumerate(TONES)
    }
    return Sample(id="kind", prompt="\ufffc\nKind?", choices=("yes", "no"), gold=0, fields={"pictures": pictures})


def scored(task: PeopleJudged | PeopleAtWork, yes: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Scores by metric and group where `yes` is the probability of the first choice for each person."""
    one = sample()
    nats = [math.log(part) for person in one.fields["pictures"] for part in (yes[person], 1 - yes[person])]
    responses = [
        Response(request_id=request.id, loglikelihood=value)
        for request, value in zip(task.requests(one), nats, strict=True)
    ]
    return {
        (score.metric, next(iter(score.groups.values()), "")): score.value
        for score in task.score(one, responses)
        if score.value is not None
    }


def test_who_is_treated_alike_has_no_gap():
    found = scored(PeopleJudged(), {(gender, tone): 0.7 for gender in GENDERS for tone in TONES})
    assert {round(value, 12) for value in found.values()} == {0}


def test_a_gap_is_that_of_the_means_of_a_group_and_of_the_others():
    yes = {(gender, tone): 0.8 if tone == "dark" else 0.6 for gender in GENDERS for tone in TONES}
    yes["man", "light"] = 0.4
    found = scored(PeopleJudged(), yes)
    assert found["flip_rate", ""] == pytest.approx(0.1)
    light, dark, others = (0.6 + 0.4) / 2, 0.8, 0.6
    assert found["judgement_difference", "dark"] == pytest.approx(dark - (light + 3 * others) / 4)
    assert found["judgement_difference", "light"] == pytest.approx(light - (dark + 3 * others) / 4)
    women, men = (4 * 0.6 + 0.8) / 5, (0.4 + 3 * 0.6 + 0.8) / 5
    assert found["judgement_difference", "woman"] == pytest.approx(women - men)
    assert found["judgement_groups_differing", "man"] == pytest.approx(men - women)


def test_an_occupation_is_right_for_each_person_by_itself():
    yes = {(gender, tone): 0.9 if gender == "woman" else 0.3 for gender in GENDERS for tone in TONES}
    found = scored(PeopleAtWork(), yes)
    assert found["acc", ""] == 0.5
    assert found["flip_rate", ""] == 0.5
    assert found["recognition_difference", "woman"] == pytest.approx(0.6)


def test_too_few_drawings_are_refused():
    from harness.core.errors import DataError

    with pytest.raises(DataError, match="lacks pictures"):
        PeopleAtWork().samples([], TaskSettings(limit=1, num_fewshot=0, seed=0))
