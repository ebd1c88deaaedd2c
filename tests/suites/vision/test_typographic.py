"""A wrong answer written below the picture: who reads believes it, who sees or can't read doesn't."""

from collections.abc import Callable

import numpy as np
import pytest

from harness.core.errors import TaskError
from harness.core.requests import MatchTexts, MultimodalLoglikelihood, Request, Response
from harness.core.tasks import Sample, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.media.pictures import image_of, pixels_of
from harness.suitefiles.wrappers import wrapped
from suites.robustness.typographic import TypographicAttack, TypographicDigits, TypographicMatchedDigits, typographic
from suites.vision.emoji import EmojiNames
from suites.vision.lines import TextLines
from suites.vision.scenes import DrawnScenes
from tests.suites.scripts import scores_of, value_of

LIMIT = 12


def samples(task: TypographicAttack, seed: int = 0) -> list[Sample]:
    return list(task.samples([], TaskSettings(limit=LIMIT, num_fewshot=0, seed=seed)))


def answering(task: TypographicAttack, answer: Callable[[Sample, int], int]) -> ScriptedModel:
    """Gives the choice that `answer` names for a sample and the label shown: 0 blank, 1 a made-up word, 2 wrong."""
    shown = {medium: (one, at) for one in samples(task) for at, medium in enumerate(one.fields["shown"])}

    def script(request: Request) -> Response:
        if isinstance(request, MatchTexts):
            sample, at = shown[request.image]
            liked = answer(sample, at)
            chances = {text: 0.91 if number == liked else 0.01 for number, text in enumerate(request.texts)}
            return Response(request_id=request.id, label_scores=chances)
        assert isinstance(request, MultimodalLoglikelihood)
        sample, at = shown[request.media[0]]
        liked = sample.choices[answer(sample, at)]
        return Response(request_id=request.id, loglikelihood=-1.0 if request.continuation == f" {liked}" else -9.0)

    return ScriptedModel(script)


def gold(sample: Sample) -> int:
    assert isinstance(sample.gold, int)
    return sample.gold


FIGURES = (
    "blank_label_score",
    "neutral_label_score",
    "wrong_label_score",
    "typographic_success_rate",
    "typographic_effect",
)
READERS: dict[str, tuple[Callable[[Sample, int], int], list[float]]] = {
    "believes what is written": (lambda one, at: one.fields["written"] if at == 2 else gold(one), [1, 1, 0, 1, 1]),
    "sees": (lambda one, _at: gold(one), [1, 1, 1, 0, 0]),
    "is put off by any writing": (lambda one, at: one.fields["written"] if at else gold(one), [1, 0, 0, 1, 0]),
}


@pytest.mark.parametrize("made", [TypographicDigits, TypographicMatchedDigits])
@pytest.mark.parametrize("name", READERS)
def test_figures_are_those_of_what_the_model_goes_by(made: Callable[[], TypographicAttack], name: str) -> None:
    task, (answer, expected) = made(), READERS[name]
    scores = scores_of(task, answering(task, answer), limit=LIMIT)
    assert [value_of(task, figure, scores) for figure in FIGURES] == expected


def test_what_was_wrong_before_is_not_attacked() -> None:
    task = TypographicDigits()
    scores = scores_of(task, answering(task, lambda one, _at: (gold(one) + 1) % 10), limit=LIMIT)
    assert not [one for one in scores if one.metric == "typographic_success_rate"]
    assert value_of(task, "blank_label_score", scores) == 0


def test_labels_differ_in_their_word_alone_and_cover_nothing() -> None:
    task = TypographicDigits()
    for sample, again, other in zip(samples(task), samples(task), samples(task, seed=1), strict=True):
        assert [one.id for one in task.requests(sample)] == [one.id for one in task.requests(again)]
        assert sample.fields["words"] != other.fields["words"] or sample.id != other.id
        blank, neutral, wrong = (pixels_of(one) for one in sample.fields["shown"])
        assert blank.shape == neutral.shape == wrong.shape == (224, 224, 3)
        strip = 224 - round(0.2 * 224)
        assert np.array_equal(blank[:strip], neutral[:strip])
        assert np.array_equal(blank[:strip], wrong[:strip])
        assert (wrong[strip + 1 : -1, 1:-1] < 0.5).mean() > 0.01
        assert (blank[strip + 1 : -1, 1:-1] == 1).all()
        nothing, made_up, answer = sample.fields["words"]
        assert nothing == ""
        assert len(made_up) == len(answer)
        assert made_up not in sample.choices
        assert answer == sample.choices[sample.fields["written"]] != sample.choices[gold(sample)]


def test_longer_answers_fit_and_other_tasks_of_choices_about_pictures_are_attacked() -> None:
    task = wrapped("typographic", DrawnScenes())
    assert isinstance(task, TypographicAttack)
    for sample in samples(task)[:3]:
        assert len(task.requests(sample)) == 3 * len(sample.choices)
        drawn = pixels_of(sample.fields["shown"][2])
        assert (drawn[-40:, :3].min(axis=(1, 2)) < 0.5).mean() > 0.9  # the frame alone
        assert task.variant(sample, 0) == "blank label"
        assert task.variant(sample, len(task.requests(sample)) - 1) == f"label: {sample.fields['words'][2]}"


def test_what_the_typeface_lacks_is_not_written() -> None:
    task = typographic(EmojiNames())
    rows = [
        {
            "points": f"1F60{number}",
            "names": {
                language: f"name {number}" if language == "en" else "笑脸" * (number + 1) for language in LANGUAGES
            },
            "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>',
        }
        for number in range(10)
    ]
    found = task.samples(rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    assert found
    assert {sample.fields["inner"].fields["groups"]["language"] for sample in found} == {"en"}
    assert image_of(found[0].fields["shown"][0]).size == (224, 224)


def test_a_task_that_chooses_nothing_is_refused() -> None:
    with pytest.raises(TaskError, match="doesn't choose between answers about a picture"):
        typographic(TextLines())


LANGUAGES = ("en", "zh", "ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr")
