"""Rows that are trained on in place of being shown: the same questions, the same rows, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from harness.checkpoints import resolve
from harness.core.errors import InputError, TaskError
from harness.core.meters import Window
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Estimate, Score
from harness.core.tasks import Results, TaskSettings
from harness.core.training.lessons import LoraRecipe
from harness.core.training.requests import TunedLoglikelihood
from harness.engine.kinds.scripted import ScriptedModel
from harness.engine.opening import open_model
from harness.run.options import EvalOptions
from harness.run.planning import plan
from harness.suitefiles.selection import rebuilt
from harness.suitefiles.wrappers import wrapped
from suites.adaptation.fewshot import FewshotCurve, FewshotPIQA
from suites.adaptation.lora import ALL_ROWS, LoraCurve, lora_curve
from suites.adaptation.suite import Adaptation
from suites.vision.digits import Digits
from tests.suites.adaptation.test_curve import SHAPES, Naming
from tests.suites.scripts import scores_of, value_of

ROWS = [{"thing": f"{name}-{number}", "name": at} for number in range(80) for at, name in enumerate(SHAPES)]
SETTINGS = TaskSettings(limit=12, num_fewshot=0, seed=2)


def looked_up(request: Request) -> Response:
    """Prefers what a row about a thing of the same name says; without one, the last word in the alphabet."""
    assert isinstance(request, Loglikelihood)
    rows = request.lessons.rows if isinstance(request, TunedLoglikelihood) else ()
    known = [answer for prompt, answer in rows if prompt.split("-")[0] == request.context.split("-")[0]]
    liked = request.continuation == (known[0] if known else " un")
    return Response(request_id=request.id, loglikelihood=-1.0 if liked else -5.0)


def curve(task: LoraCurve, scores: Sequence[Score]) -> list[float | str]:
    return [value_of(task, "trained_acc", scores, rows=f"{count:03}") for count in ALL_ROWS]


def test_a_model_that_learns_its_rows_has_a_rising_curve() -> None:
    task = lora_curve(Naming())
    assert task.name == "lora_curve:naming"
    scores = scores_of(task, ScriptedModel(looked_up), ROWS, limit=24)
    found = curve(task, scores)
    assert isinstance(found[0], float)
    assert found[0] < 0.6
    assert found[1:] == [1, 1, 1]
    gain, area = (value_of(task, name, scores) for name in ("gain_per_doubling", "adaptation_area"))
    assert isinstance(gain, float)
    assert gain > 0
    assert isinstance(area, float)
    assert found[0] < area < 1


def test_questions_and_first_rows_are_those_of_the_curve_over_exemplars() -> None:
    shown, trained = FewshotCurve(Naming()), lora_curve(Naming())
    questions, samples = shown.samples(ROWS, SETTINGS), trained.samples(ROWS, SETTINGS)
    assert [one.prompt for one in samples] == [one.prompt for one in questions]
    lessons = samples[0].fields["lessons"]
    assert list(lessons) == [8, 32, 128]
    assert all(longer.rows[: len(shorter.rows)] == shorter.rows for shorter, longer in pairwise(lessons.values()))
    exemplars = questions[0].fields["arms"][1].exemplars
    assert [(prompt, answer.strip()) for prompt, answer in lessons[32].rows] == list(exemplars)
    prompts = [prompt for prompt, _ in lessons[128].rows]
    assert len(set(prompts)) == 128
    assert not set(prompts) & {one.prompt for one in samples}
    alone = trained.requests(samples[0])[:3]
    assert [one.id for one in alone] == [one.id for one in shown.requests(questions[0])[:3]]
    assert trained.variant(samples[0], 2) == ""
    assert trained.variant(samples[0], 3) == "trained on 8 rows"
    other = trained.samples(ROWS, replace(SETTINGS, seed=3))
    assert other[0].fields["lessons"][8] != lessons[8]


def test_few_rows_are_told_and_none_is_refused() -> None:
    task = lora_curve(Naming())
    found = curve(task, scores_of(task, ScriptedModel(looked_up), ROWS[:60], limit=20))
    assert [isinstance(one, float) for one in found] == [True, True, True, False]
    assert found[-1] == "the data have fewer than 128 rows to train on"
    tight = scores_of(task, ScriptedModel(looked_up), ROWS[:8], limit=3)
    assert curve(task, tight)[1] == "the data have fewer than 8 rows to train on"
    assert value_of(task, "gain_per_doubling", tight) == "the data have fewer than 8 rows to train on"
    with pytest.raises(TaskError, match="leave none"):
        task.samples(ROWS[:1], SETTINGS)
    with pytest.raises(TaskError, match="is no choice between texts that takes exemplars"):
        wrapped("lora_curve", Digits())


def test_answers_that_cannot_be_used_are_invalid() -> None:
    task = lora_curve(Naming())
    (sample,) = task.samples(ROWS, replace(SETTINGS, limit=1))
    asked = task.requests(sample)
    scores = task.score(sample, [Response(request_id=one.id, invalid="NaN") for one in asked])
    assert {one.metric for one in scores} == {metric.name for metric in task.metrics}
    assert {one.invalid for one in scores} == {"NaN"}


@pytest.mark.parametrize("task", [lora_curve(Naming()), lora_curve(FewshotPIQA())], ids=lambda one: one.name)
def test_the_recipe_is_a_part_of_the_definition(task: LoraCurve) -> None:
    assert task.definition["recipe"]["learning_rate"] == LoraRecipe().learning_rate
    assert task.definition["rows"] == list(ALL_ROWS)


def test_a_recorded_task_is_made_again() -> None:
    task = FewshotPIQA().adapted("lora")
    again = rebuilt(task.name, task.definition)
    assert (
        (again.name, again.definition) == (task.name, task.definition) == ("lora_curve:fewshot_piqa", again.definition)
    )


def test_a_transformer_learns_from_rows_what_it_did_not_know(tiny_llama: Path) -> None:
    """Of more steps than the recipe has: the tiny model has random weights."""
    task = lora_curve(Naming())
    task.recipe = LoraRecipe(epochs=12, learning_rate=0.01)
    task.rows = (0, 8, 32)
    model = open_model(resolve(str(tiny_llama)))
    scores = scores_of(task, model, ROWS, limit=12)
    found = [value_of(task, "trained_acc", scores, rows=rows) for rows in ("000", "032")]
    assert isinstance(found[0], float)
    assert found[0] < 0.7
    assert found[1] == 1
    assert torch.is_grad_enabled()


def window(stage: str | None, seconds: float, joules: float | None) -> Window:
    return Window(
        phase="adaptation/tuned_loglikelihood",
        stage=stage,
        duration_s=seconds,
        energy_joules=joules,
        basis="estimated",
        source="s",
        reason=None if joules is not None else "no counter",
    )


def costs(windows: Sequence[Window]) -> dict[tuple[str, str | None], Estimate]:
    task = lora_curve(Naming())
    scores = [
        Score(sample_id="0", metric="trained_acc", value=value, groups={"rows": rows})
        for rows, value in (("000", 1.0), ("008", 1.0), ("032", 0.0), ("128", None))
    ]
    results = Results(scores={("adaptation", task.name): scores}, estimates=[], windows=windows, signature="s")
    found = Adaptation().derive(results)
    return {(one.metric, one.group and one.group.value): one for one in found}


def test_seconds_and_joules_are_sums_over_the_windows_of_the_training() -> None:
    name = "lora_curve:naming"
    found = costs(
        [
            *(window(f"train 8 {name}", 2, 30), window("prefill", 50, 70), window(f"train 32 {name}", 5, 80)),
            *(window(f"train 8 {name}", 1, 10), window("train 8 lora_curve:other", 9, 90)),
        ]
    )
    values = {key: one.value for key, one in found.items()}
    assert values == {
        ("training_seconds", "008"): 3,
        ("training_energy_joules", "008"): 40,
        ("training_seconds", "032"): 5,
        ("training_energy_joules", "032"): 80,
        ("training_seconds", None): 5,
        ("training_energy_joules", None): 80,
    }
    blind = costs([window(f"train 8 {name}", 2, None), window(f"train 32 {name}", 2, 1)])
    assert blind["training_energy_joules", "008"].reason == "no counter"
    assert blind["training_seconds", "008"].value == 2
    assert {one.reason for one in costs([]).values()} == {"no energy was recorded"}


def planned(folder: Path, task: str, **options: object) -> list[str]:
    chosen = EvalOptions(offline=True, meter="none", limit=2, **options)  # type: ignore[arg-type]
    return [one.task for one in plan(str(folder), suite=(), task=task, options=chosen).spec.tasks]


def test_the_option_adds_what_is_trained_and_nothing_is_trained_without_it(tiny_llama: Path) -> None:
    assert planned(tiny_llama, "fewshot_piqa") == ["fewshot_piqa"]
    both = ["fewshot_piqa", "lora_curve:fewshot_piqa"]
    assert planned(tiny_llama, "fewshot_piqa", adapt="lora") == both
    assert planned(tiny_llama, ",".join(both), adapt="lora") == both
    with pytest.raises(InputError, match=r"--adapt lora: none of the tasks asked for learns from a number of rows"):
        planned(tiny_llama, "made_up_names", adapt="lora")


def test_what_cannot_be_trained_is_refused_in_one_line(tiny_llama: Path, tmp_path: Path) -> None:
    task, checkpoint = lora_curve(Naming()), resolve(str(tiny_llama))
    assert task.refusal(checkpoint) is None
    quantised = replace(checkpoint, config={**checkpoint.config, "quantization_config": {"quant_method": "torchao"}})
    assert task.refusal(quantised) == "a quantised model isn't trained here"
    adapter = replace(checkpoint, adapter=tmp_path)
    assert task.refusal(adapter) == "an adapter isn't trained here: merge it into its base first"


def test_other_kinds_are_not_trained(tmp_path: Path) -> None:
    from tests.tiny import build_tiny_seq2seq

    folder = build_tiny_seq2seq(tmp_path)
    with pytest.raises(InputError, match="isn't trained here"):
        planned(folder, "lora_curve:piqa")
    assert planned(folder, "fewshot_piqa", adapt="lora") == ["fewshot_piqa"]
