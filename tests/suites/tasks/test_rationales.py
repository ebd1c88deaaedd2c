"""Explanations beside the reasons that people gave, on a bag of words whose true attribution is known."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, f1_score, precision_recall_curve

from harness.core.attributions import Attribution, MethodResult
from harness.core.errors import HarnessError
from harness.core.models import respond
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import TaskSettings
from harness.data import load_data
from harness.engine.attribution.model import AttributingModel
from harness.engine.kinds.scripted import ScriptedModel
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions
from suites.explainability.declared import DeclaredRationales
from suites.explainability.plausibility import (
    RATIONALE_AUPRC,
    RATIONALE_F1,
    RATIONALE_IOU_F1,
    marked_units,
    plausibility,
)

WEIGHTS = {"good": 2.0, "fine": 1.0, "bad": -1.5}
SUITE = """
tasks:
  - name: reasons
    type: rationales
    data: reviews.jsonl
    text: text
    rationale: why
    prompt: "Review: {text} Liked?"
    gold: liked
    labels: ["yes", "no"]
"""
ROWS = [
    {"text": "a good fine bad film", "why": [[2, 11]], "liked": "yes"},
    {"text": "the film was bad", "why": ["bad"], "liked": "yes"},
]


def explained(units: tuple[str, ...], values: list[float]) -> Attribution:
    one = MethodResult(name="occlusion", values=tuple(values), deletion=(), insertion=())
    return Attribution(
        decision=0, target="yes", tie=False, probability=1.0, empty_probability=0.5, units=units, methods=(one,)
    )


def measured(marked: list[bool], values: list[float], share: float) -> dict[str, float]:
    units = tuple(f" w{at}" for at in range(len(values)))
    found = plausibility(explained(units, values), np.array(marked), share, seed=0)
    return {metric.name: value for metric, _, value in found}


@pytest.mark.parametrize("seed", range(4))
def test_area_and_f1_of_random_values_are_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    marked, values = rng.random(30) < 0.3, rng.random(30)
    found = measured(marked.tolist(), values.tolist(), share=0.2)
    precision, recall, _ = precision_recall_curve(marked, values)
    assert found["rationale_auprc"] == pytest.approx(auc(recall, precision))
    assert found["rationale_auprc"] == pytest.approx(average_precision_score(marked, values), abs=0.1)
    assert found["rationale_f1"] == pytest.approx(f1_score(marked, values >= np.sort(values)[-6]))


def test_a_case_worked_by_hand() -> None:
    # Words 0 and 1 are marked, and word 4; the three best are 1, 2 and 4. Of marked and picked, 1 and 4 are shared.
    found = measured([True, True, False, False, True, False], [0.1, 0.9, 0.8, 0.2, 0.7, 0.3], share=0.5)
    assert found[RATIONALE_F1.name] == pytest.approx(2 / 3)
    # Passages: marked {0, 1} and {4}, picked {1, 2} and {4}. {1, 2} shares 1 of 3 words with {0, 1}: not half.
    assert found[RATIONALE_IOU_F1.name] == pytest.approx(1 / 2)
    # Down the ranking 1, 2, 4, 5, 3, 0: precision 1, 1/2, 2/3, 1/2, 2/5, 1/2 at recall 1/3, 1/3, 2/3, 2/3, 2/3, 1.
    area = (1 + 1) / 2 / 3 + (1 / 2 + 2 / 3) / 2 / 3 + (2 / 5 + 1 / 2) / 2 / 3
    assert found[RATIONALE_AUPRC.name] == pytest.approx(area)


def test_a_passage_that_covers_half_is_found() -> None:
    found = measured([True, True, False, False], [0.9, 0.1, 0.0, 0.0], share=0.25)
    assert found[RATIONALE_IOU_F1.name] == 1.0


def test_the_lift_of_random_values_is_zero_within_its_error() -> None:
    rng = np.random.default_rng(1)
    lifts = [
        measured((rng.permutation(20) < 5).tolist(), rng.random(20).tolist(), 0.25)["rationale_auprc_lift"]
        for _ in range(40)
    ]
    assert abs(np.mean(lifts)) < 3 * np.std(lifts) / math.sqrt(len(lifts))


def test_words_are_marked_by_any_sign_of_theirs_but_white_space() -> None:
    assert marked_units(["a", " good", " film,"], [(1, 3), (10, 12)]).tolist() == [False, True, True]
    assert marked_units(["a", " good"], [(1, 2)]).tolist() == [False, False]


def bag_of_words(request: Request) -> Response:
    assert isinstance(request, Loglikelihood)
    odds = sum(WEIGHTS.get(word, 0.0) for word in request.context.split())
    odds = odds if request.continuation == " yes" else -odds
    return Response(request_id=request.id, loglikelihood=-math.log1p(math.exp(-odds)))


def declared(folder: Path, rows: list[dict[str, Any]], suite: str = SUITE) -> DeclaredRationales:
    (folder / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(suite)
    chosen = select([str(folder / "mine.yaml")], [], limit=None, num_fewshot=None, seed=0, options=TaskOptions())
    (planned,) = chosen.planned
    assert isinstance(planned.task, DeclaredRationales)
    return planned.task


def scored(task: DeclaredRationales) -> list[Score]:
    assert task.data is not None
    assert not isinstance(task.data, str)
    samples = task.samples(load_data(task.data).rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    model = AttributingModel(ScriptedModel(bag_of_words))
    task.methods = ("occlusion", "shapley_sampling")
    return [score for one in samples for score in task.score(one, list(respond(model, task.requests(one))))]


def test_a_file_of_marked_texts_is_explained_and_held_against_its_marks(tmp_path: Path) -> None:
    scores = scored(declared(tmp_path, ROWS))
    values = {
        (score.metric, score.sample_id): score.value
        for score in scores
        if score.groups.get("method", "occlusion") == "occlusion"
    }
    # Marked are good and fine, which speak for yes the most; the other text's decision is no, for which bad speaks.
    assert values["rationale_auprc", "0"] == values["rationale_auprc", "1"] == 1.0
    # Marked are 8 of 16 and 3 of 13 characters, on average 37 %: 2 of 5 words, and 1 of 4.
    assert values["rationale_f1", "0"] == values["rationale_f1", "1"] == 1.0
    assert values["rationale_iou_f1", "0"] == 1.0
    assert (values["acc", "0"], values["acc", "1"]) == (1.0, 0.0)
    assert values["rationale_auprc_lift", "0"] is not None
    assert values["rationale_auprc_lift", "0"] > 0
    assert values["aopc_comprehensiveness", "0"] is not None


@pytest.mark.parametrize(
    ("why", "fault"),
    [
        ([], "is not a list of marked parts"),
        ("bad", "is not a list of marked parts"),
        ([[2, 99]], r"\[2, 99\] is no part of a text of 20 characters"),
        (["film film"], "stands in the text not at all"),
        ([[1, 2]], "marks only white space"),
    ],
)
def test_marks_that_are_none_are_refused_with_their_row(tmp_path: Path, why: Any, fault: str) -> None:
    task = declared(tmp_path, [ROWS[1], {**ROWS[0], "why": why}])
    with pytest.raises(HarnessError, match=rf"reviews.jsonl, row 2, field 'why'.*{fault}"):
        scored(task)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("prompt:", "by: classifier\n    prompt:"), "a classifier reads the text alone"),
        (('prompt: "Review: {text} Liked?"', ""), "prompt is missing"),
        (("{text}", "{liked}"), r"lacks \{text\}"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    with pytest.raises(HarnessError, match=fault):
        declared(tmp_path, ROWS, SUITE.replace(*change))
