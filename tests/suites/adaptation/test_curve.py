"""Accuracy by exemplars: of models that learn from them, that ignore them, and whose windows are short."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from harness.core.errors import TaskError
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Task, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.metrics.standard import ACC
from harness.suitefiles.wrappers import wrapped
from harness.tasks.choices import MultipleChoice
from suites.adaptation.concepts import MadeUpNames, MadeUpRules
from suites.adaptation.curve import ALL_SHOTS, AdaptationTask
from suites.adaptation.fewshot import FewshotCurve, fewshot_curve
from suites.adaptation.metrics import DRAW_SPREAD
from suites.vision.digits import Digits
from tests.suites.scripts import scores_of, value_of

SHAPES = ("bol", "dak", "fim")
ROWS = [{"thing": f"{name}-{number}", "name": at} for number in range(40) for at, name in enumerate(SHAPES)]


class Naming(MultipleChoice):
    """Which word belongs to a thing: the one that stood behind a thing of the same name before."""

    name = "naming"
    metrics = (ACC,)
    default_limit = 30

    def question(self, row: Any) -> str:
        return f"Thing: {row['thing']}\nWord:"

    def choices(self, row: Any) -> Sequence[str]:
        return ("un", "deux", "trois")

    def gold(self, row: Any) -> int:
        return int(row["name"])


class Copier:
    """Answers what stood behind most exemplars that are like the question, by `likeness`; the first choice if none."""

    def __init__(self, likeness: Callable[[str], str]) -> None:
        self.likeness = likeness

    def __call__(self, context: str) -> str | None:
        *shown, asked = re.split(r"\n\n", context)
        pairs = [re.fullmatch(r"\w+: (.+)\n\w+: (.+)", one) for one in shown]
        known = Counter(one[2] for one in pairs if one and self.likeness(one[1]) == self.likeness(_thing(asked)))
        return known.most_common(1)[0][0] if known else None


def _thing(asked: str) -> str:
    found = re.match(r"\w+: (.+)\n", asked)
    assert found
    return found[1]


def model(answer: Callable[[str], str | None], window: int | None = None) -> ScriptedModel:
    """Prefers the choice that `answer` says of the context; a longer context than the window loses its beginning."""

    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        lost = 0 if window is None else max(0, len(request.context) - window)
        liked = request.continuation.strip() == answer(request.context[lost:])
        # Without an answer the first in the alphabet is preferred, whatever it is.
        nats = -1.0 if liked else -5.0 - sum(map(ord, request.continuation[:3])) / 1000
        return Response(request_id=request.id, loglikelihood=nats, unread_character_count=lost)

    return ScriptedModel(script)


def curve(task: Task, scores: Sequence[Score]) -> list[float | str]:
    return [value_of(task, "shots_acc", scores, shots=f"{count:02}") for count in ALL_SHOTS]


def test_a_model_that_copies_has_a_rising_curve_and_learns_from_the_answers() -> None:
    task = FewshotCurve(Naming())
    scores = scores_of(task, model(Copier(lambda thing: thing.split("-")[0])), ROWS, limit=30)
    found = curve(task, scores)
    assert found[-1] == found[-2] == 1
    assert found == sorted(found)  # type: ignore[type-var]
    assert isinstance(found[0], float)
    assert found[0] < 0.6
    area, gain = (value_of(task, name, scores) for name in ("adaptation_area", "gain_per_doubling"))
    places = np.log2(1 + np.array(ALL_SHOTS))
    assert area == pytest.approx(np.trapezoid(np.array(found, dtype=float), places) / math.log2(33))
    assert gain == pytest.approx(np.polyfit(places, np.array(found, dtype=float), 1)[0])
    assert gain > 0.05
    at_random, effect = (value_of(task, name, scores, shots="32") for name in ("random_label_acc", "label_effect"))
    assert isinstance(at_random, float)
    assert effect == pytest.approx(1 - at_random)
    assert at_random < 0.8
    assert value_of(task, "order_flip_rate", scores) == 0


def test_a_model_that_ignores_exemplars_has_a_flat_curve() -> None:
    task = FewshotCurve(Naming())
    scores = scores_of(task, model(lambda _context: "deux"), ROWS, limit=30)
    assert len(set(curve(task, scores))) == 1
    figures = ("gain_per_doubling", "label_effect", "order_flip_rate", "draw_spread")
    assert [value_of(task, name, scores) for name in figures] == pytest.approx([0, 0, 0, 0])
    assert value_of(task, "adaptation_area", scores) == value_of(task, "shots_acc", scores, shots="00")


def test_a_model_that_goes_by_the_last_exemplar_hangs_on_order_and_draw() -> None:
    task = FewshotCurve(Naming())
    scores = scores_of(
        task, model(lambda context: context.split("\n\n")[-2].split()[-1] if "\n\n" in context else "un"), ROWS
    )
    # All questions are answered alike: by the last exemplar of the draw.
    values = {(one.groups["draw"], one.groups["shots"]): one.predicted for one in scores if one.metric == "draw_spread"}
    assert len(values) == 3 * 6
    assert value_of(task, "order_flip_rate", scores) in (0, 1)
    assert value_of(task, "label_effect", scores) == pytest.approx(0, abs=0.4)


def test_fewer_exemplars_are_the_beginning_of_more_and_none_is_asked() -> None:
    task = FewshotCurve(Naming())
    settings = TaskSettings(limit=6, num_fewshot=0, seed=2)
    samples = task.samples(ROWS, settings)
    assert len(samples) == 6
    larger = {one.id: one for one in task.samples(ROWS, TaskSettings(limit=12, num_fewshot=0, seed=2))}
    for sample in samples:
        assert [one.id for one in task.requests(sample)] == [one.id for one in task.requests(larger[sample.id])]
        contexts = [one.context for one in task.requests(sample)[::3] if isinstance(one, Loglikelihood)]
        alone, *behind = contexts
        assert len(contexts) == 1 + 3 * 6 + 1 + 6
        for draw in range(3):
            texts = [one.removesuffix(alone) for one in behind[6 * draw : 6 * draw + 6]]
            assert [text.count("\n\n") for text in texts] == [1, 2, 4, 8, 16, 32]
            assert all(longer.startswith(text) for text, longer in pairwise(texts))
        moved, first = behind[18], behind[5]
        assert sorted(moved.split("\n\n")) == sorted(first.split("\n\n"))
        assert moved != first
        things = [text.split("\nWord")[0] for text in first.split("\n\n")]
        assert things == [text.split("\nWord")[0] for text in behind[-1].split("\n\n")]
        assert things.count(things[-1]) == 1
        assert task.variant(sample, 0) == ""
        assert task.variant(sample, 3 * 19) == "32 exemplars in another order"
    other = task.samples(ROWS, TaskSettings(limit=6, num_fewshot=0, seed=3))
    assert task.requests(other[0])[3] != task.requests(samples[0])[3]


def test_as_turns_of_a_chat_exemplars_stand_before_the_question() -> None:
    task = FewshotCurve(Naming(), draws=1)
    (sample,) = task.samples(ROWS, TaskSettings(limit=1, num_fewshot=0, seed=0, multiturn=True))
    chats = [one.chat for one in task.requests(sample)[::3] if isinstance(one, Loglikelihood)]
    assert [len(chat.before) if chat else 0 for chat in chats] == [0, 2, 4, 8, 16, 32, 64, 64, 2, 4, 8, 16, 32, 64]


def test_what_the_window_does_not_hold_is_absent_with_the_reason() -> None:
    task = FewshotCurve(Naming())
    scores = scores_of(task, model(Copier(lambda thing: thing.split("-")[0]), window=250), ROWS, limit=9)
    assert not [one for one in scores if one.invalid]
    found = dict(zip(ALL_SHOTS, curve(task, scores), strict=True))
    assert all(isinstance(found[count], float) for count in (0, 1, 2, 4, 8))
    assert found[32] == "a prompt with 32 of the exemplars doesn't fit the model's window"
    assert value_of(task, "order_flip_rate", scores) == found[32]
    assert all(isinstance(value_of(task, name, scores), float) for name in ("adaptation_area", "draw_spread"))
    tight = scores_of(task, model(lambda _context: "un", window=30), ROWS, limit=3)
    assert value_of(task, "adaptation_area", tight) == "a prompt with 1 of the exemplars doesn't fit the model's window"
    assert isinstance(value_of(task, "shots_acc", tight, shots="00"), float)


def test_answers_that_cannot_be_used_are_invalid() -> None:
    task = FewshotCurve(Naming(), draws=2)
    (sample,) = task.samples(ROWS, TaskSettings(limit=1, num_fewshot=0, seed=0))
    asked = task.requests(sample)
    scores = task.score(sample, [Response(request_id=one.id, invalid="NaN logits") for one in asked])
    assert {one.metric for one in scores} == {metric.name for metric in task.metrics}
    assert {one.invalid for one in scores} == {"NaN logits"}


def test_few_rows_give_few_exemplars_and_say_so() -> None:
    task = FewshotCurve(Naming(), draws=1)
    scores = scores_of(task, model(lambda _context: "un"), ROWS[:12], limit=3)
    found = dict(zip(ALL_SHOTS, curve(task, scores), strict=True))
    assert [count for count, value in found.items() if isinstance(value, float)] == [0, 1, 2, 4, 8]
    assert found[32] == "the data have fewer than 32 rows to show as exemplars"
    with pytest.raises(TaskError, match="leave none"):
        task.samples(ROWS[:1], TaskSettings(limit=1, num_fewshot=0, seed=0))


def test_a_task_without_choices_is_refused() -> None:
    with pytest.raises(TaskError, match="is no choice between texts that takes exemplars"):
        wrapped("fewshot_curve", Digits())
    assert isinstance(fewshot_curve(Naming()), FewshotCurve)


@pytest.mark.parametrize(("task", "chance"), [(MadeUpRules(), 1 / 2), (MadeUpNames(), 1 / 4)])
def test_made_up_concepts_cannot_be_known_and_can_be_learnt(task: AdaptationTask, chance: float) -> None:
    samples = task.samples([], TaskSettings(limit=400, num_fewshot=0, seed=5))
    golds = Counter(sample.gold for sample in samples)
    assert all(count / 400 == pytest.approx(chance, abs=0.08) for count in golds.values())
    assert len({sample.choices for sample in samples}) > 390
    for sample in samples[:40]:
        first = sample.fields["arms"][1].exemplars
        assert len({question for question, _ in first}) == 32
        assert sample.prompt not in dict(first)
        assert {answer for _, answer in first} <= set(sample.choices)


def test_a_nearest_neighbour_learns_names_and_none_from_random_answers() -> None:
    """Exemplars of the same kind have the same name: who knows the kinds learns the names."""
    task = MadeUpNames()
    kinds = {thing: kind for kind in _kinds() for thing in kind}
    scores = scores_of(task, model(Copier(lambda thing: kinds[thing][0])), limit=150)
    found = curve(task, scores)
    assert found[-1] == 1
    assert value_of(task, "shots_acc", scores, shots="00") == pytest.approx(0.25, abs=0.1)
    assert value_of(task, "random_label_acc", scores, shots="32") == pytest.approx(0.25, abs=0.1)
    assert value_of(task, "adaptation_area", scores) == pytest.approx(0.7, abs=0.12)


def _kinds() -> list[tuple[str, ...]]:
    from suites.adaptation.concepts import _KINDS

    return [tuple(things.split()) for things in _KINDS]


def test_spread_is_the_deviation_between_draws() -> None:
    rights = {"0": [1, 1, 1, 0], "1": [0, 0, 1, 0], "2": [1, 1, 0, 0]}
    scores = [
        Score(
            sample_id=str(at),
            metric="draw_spread",
            value=float(right),
            groups={"shots": "4", "draw": draw},
            cluster=str(at),
        )
        for draw, values in rights.items()
        for at, right in enumerate(values)
    ]
    found = DRAW_SPREAD.reduce(scores, Random(0))
    assert found.value == pytest.approx(float(np.std([0.75, 0.25, 0.5], ddof=1)))
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
