"""The best of several checkpoints, told with no more samples than it takes."""

import json

import pytest

from harness.core.errors import InputError
from harness.run.options import EvalOptions
from harness.run.sequential.budget import Budget
from harness.run.sequential.elimination import rank_checkpoints
from tests.tiny import build_tiny_checkpoint

SUITE = """
name: favourites
tasks:
  - name: letters
    type: multiple_choice
    data: rows.jsonl
    prompt: "{question}"
    choices: [a, b]
    gold: answer
    metrics: [acc]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Three checkpoints of random weights, each of which likes one of two letters better after most numbers."""
    folder = tmp_path_factory.mktemp("ranking")
    for seed in range(3):
        build_tiny_checkpoint(folder / f"model-{seed}", seed=seed)
    (folder / "favourites.yaml").write_text(SUITE)
    return folder


def ask(place, golds) -> str:
    lines = [{"question": f"Number {number}:", "answer": gold} for number, gold in enumerate(golds)]
    (place / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(place / "favourites.yaml")


def test_the_best_is_found_and_the_others_are_left_out_early(place, tmp_path):
    suite = ask(place, ["a"] * 400)
    options = EvalOptions(output=tmp_path, meter="none", store="none")
    found = rank_checkpoints([str(place / f"model-{seed}") for seed in range(3)], top=1, suite=suite, options=options)
    best = max(one.score for one in found.models)
    for one in found.models:
        assert one.record.verify() == []
        # Nobody who has the best score is called worse than it, and nobody below it is called the best.
        assert one.place != "out" or one.score < best
        assert one.place != "in" or one.score == best
    assert sum(one.place == "in" for one in found.models) <= 1
    assert min(one.n for one in found.models) < 400


def test_twins_can_not_be_told_apart(place, tmp_path):
    suite, twin = ask(place, ["a", "b"] * 50), build_tiny_checkpoint(place / "twin", seed=0)
    options = EvalOptions(output=tmp_path, meter="none", store="none")
    with pytest.raises(InputError, match="are the same"):
        rank_checkpoints([str(place / "model-0"), str(twin)], top=1, suite=suite, options=options)
    config = json.loads((twin / "config.json").read_text())
    (twin / "config.json").write_text(json.dumps({**config, "note": "the same weights"}))
    found = rank_checkpoints([str(place / "model-0"), str(twin)], top=1, suite=suite, options=options)
    assert found.ended_by == "exhausted"
    assert [one.place for one in found.models] == ["open", "open"]


def test_a_budget_ends_it(place, tmp_path):
    suite = ask(place, ["a", "b"] * 50)
    options = EvalOptions(output=tmp_path, meter="none", store="none")
    models = [str(place / "model-0"), str(place / "model-1")]
    found = rank_checkpoints(models, top=1, suite=suite, options=options, budget=Budget.parse("10 requests"))
    assert found.ended_by in ("budget", "decided")
    assert all(one.n <= 64 for one in found.models)


def test_a_ranking_of_all_that_the_limit_allows_is_sealed(place, tmp_path):
    suite = ask(place, ["a", "b"] * 50)
    options = EvalOptions(output=tmp_path, meter="none", store="none", limit=40)
    found = rank_checkpoints([str(place / "model-0"), str(place / "model-1")], top=1, suite=suite, options=options)
    assert [one.n for one in found.models] == [40, 40]
    assert [one.record.verify() for one in found.models] == [[], []]


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("exchangeability_piqa", "no number of which more, or less, is better"),
        ("robustness_piqa", "nothing to rank by"),
    ],
)
def test_what_can_not_rank_is_said_before_anything_is_asked(place, tmp_path, task, fault):
    (place / "one.yaml").write_text(f"name: one\ntasks: [{task}]\n")
    options = EvalOptions(output=tmp_path, meter="none", store="none", limit=4)
    with pytest.raises(InputError, match=fault):
        rank_checkpoints(
            [str(place / "model-0"), str(place / "model-1")], top=1, suite=str(place / "one.yaml"), options=options
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("names", "top"), [(["a", "a"], 1), (["a"], 1), (["a", "b"], 2), (["a", "b"], 0)])
def test_what_is_no_ranking_is_refused(names, top):
    with pytest.raises(InputError, match="harness rank"):
        rank_checkpoints(names, top=top, suite="accuracy")
