"""Any task asked with noise: figures by hand, on models whose answers are known."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from harness.checkpoints import resolve
from harness.core.errors import TaskError, UnknownName
from harness.core.requests import Classify, GenerateUntil, Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.metrics.standard import ACC
from harness.suitefiles.selection import TaskOptions, select
from harness.tasks.choices import MultipleChoice
from harness.tasks.generation import Generation
from probes.perturbations.letters import Deletions, KeyboardTypos
from suites.robustness.corruption import MEAN_CORRUPTION_ERROR, RELATIVE_CORRUPTION_ERROR, MeanOverKinds
from suites.robustness.variants import perturbations, sample_perturbations
from suites.robustness.wrapper import RobustnessTask
from tests.cli.conftest import QUESTIONS
from tests.lm_eval.lm_eval_tasks import write_tasks
from tests.suites.scripts import scores_of, value_of, writer
from tests.tiny import build_tiny_checkpoint

ROWS = [
    {"question": f"Does the green parrot near house {number} like bread", "answer": number % 2} for number in range(8)
]


class Parrots(MultipleChoice):
    """Yes or no."""

    name = "parrots"
    metrics = (ACC,)

    def question(self, row: Any) -> str:
        return f"Question: {row['question']} or no?\nAnswer:"

    def choices(self, row: Any) -> Sequence[str]:
        return ("yes", "no")

    def gold(self, row: Any) -> int:
        return int(row["answer"])


class Retelling(Generation):
    """Find the word in the text."""

    name = "retelling"

    def question(self, row: Any) -> str:
        return f"Passage: {row['question']}.\nWhat colour is it?\nAnswer:"

    def reference(self, row: Any) -> str:
        return "green"


class Lost:
    """Puts a word into the text whose number of letters is the severity's."""

    name = "lost"

    def perturb(self, text: str, rng: Random, severity: int) -> str:
        return text.replace("house", "house" + "x" * severity)

    def limit(self, text: str, severity: int) -> int:
        return severity


def choosing(choice: Callable[[str], str]) -> ScriptedModel:
    """A model that gives the choice that hangs on the question."""

    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        likely = request.continuation == f" {choice(request.context)}"
        return Response(request_id=request.id, loglikelihood=-1.0 if likely else -9.0)

    return ScriptedModel(script)


def figures(task: Task, model: ScriptedModel) -> tuple[Callable[..., float | str], list[Score]]:
    scores = scores_of(task, model, ROWS)
    return lambda metric, **group: value_of(task, metric, scores, **group), scores


def samples(task: Task, num_fewshot: int = 0, limit: int | None = None, seed: int = 0) -> Sequence[Sample]:
    return task.samples(ROWS, TaskSettings(limit=limit, num_fewshot=num_fewshot, seed=seed))


def contexts(task: Task, sample: Sample) -> list[str]:
    return [request.context for request in task.requests(sample) if isinstance(request, Loglikelihood)]


def test_a_model_that_ignores_its_input_never_flips_and_loses_nothing() -> None:
    value, _ = figures(RobustnessTask(Parrots(), perturbations()), choosing(lambda _: "yes"))
    assert value("flip_rate") == value("relative_drop") == value("attack_success_rate") == 0
    assert value("consistency") == 1
    assert all(value(name) == 0.5 for name in ("clean_score", "noisy_score", "worst_case_score", "severity_area"))


def test_a_parity_model_flips_with_every_single_deletion() -> None:
    task = RobustnessTask(Parrots(), [Deletions()])
    value, _ = figures(task, choosing(lambda context: ("yes", "no")[len(context) % 2]))
    # Of the eight words with three letters or more, 1, 2, 3, 4 and 4 lose one.
    assert [value("flip_rate", severity=str(level)) for level in range(1, 6)] == [1, 0, 1, 0, 0]


def test_every_figure_is_that_of_a_computation_by_hand() -> None:
    """Right without noise; wrong from three letters on."""
    task = RobustnessTask(Parrots(), [Lost()])

    def truth(context: str) -> str:
        number = int(re.findall(r"house\w* (\d)", context)[0])
        return ("yes", "no")[(number + ("xxx" in context)) % 2]

    value, scores = figures(task, choosing(truth))
    assert value("clean_score") == 1
    assert [value("noisy_score", severity=str(level)) for level in range(1, 6)] == [1, 1, 0, 0, 0]
    assert value("relative_drop", perturbation="lost") == pytest.approx(0.6)
    assert value("flip_rate") == pytest.approx(0.6)
    assert value("worst_case_score") == 0
    assert value("severity_area") == pytest.approx((0.5 + 1 + 1 + 0 + 0) / 5)
    # Three answers are right and three wrong: 3 + 3 of 15 pairs agree.
    assert value("consistency") == pytest.approx(6 / 15)
    assert value("attack_success_rate") == 1
    assert value("attack_queries") == 3
    drop = next(metric for metric in task.metrics if metric.name == "relative_drop")
    paired = drop.reduce([score for score in scores if score.metric == drop.name], Random(0))
    assert paired.stderr == pytest.approx(0, abs=1e-12)


def test_corruption_errors_weigh_kinds_alike_however_many_variants_each_has() -> None:
    noisy = {"blur": [0, 0, 0, 1], "rain": [1, 1]}

    def made(metric: MeanOverKinds, of: Callable[[float], float]) -> list[Score]:
        return [
            Score(
                sample_id=str(at),
                metric=metric.name,
                value=of(value),
                groups={"perturbation": kind},
                cluster=f"sample {at}",
            )
            for kind, values in noisy.items()
            for at, value in enumerate(values)
        ]

    # Blur has an error of 3 / 4, rain of 0; without noise the error of the same questions is 0.
    errors = made(MEAN_CORRUPTION_ERROR, lambda value: 1.0 - value)
    found = MEAN_CORRUPTION_ERROR.reduce(errors, Random(0))
    assert found.value == pytest.approx(3 / 8)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 3 / 8 < found.high <= 1
    everything = np.arange(len(errors))
    assert MEAN_CORRUPTION_ERROR.resampled(errors)(everything) == pytest.approx(3 / 8)
    rain = np.array([4, 5, 5])
    assert MEAN_CORRUPTION_ERROR.resampled(errors)(rain) == pytest.approx(0)
    worse = made(RELATIVE_CORRUPTION_ERROR, lambda value: 0.5 - value)
    assert RELATIVE_CORRUPTION_ERROR.reduce(worse, Random(0)).value == pytest.approx((0.25 - 0.5) / 2)


def test_a_model_that_is_never_right_has_nothing_to_lose() -> None:
    def wrong(context: str) -> str:
        return ("no", "yes")[int(re.findall(r"(\d)", context)[-1]) % 2]

    value, scores = figures(RobustnessTask(Parrots(), [KeyboardTypos()]), choosing(wrong))
    assert "nothing to lose" in str(value("relative_drop"))
    assert not [score for score in scores if score.metric == "attack_success_rate"]


def test_exemplars_answers_and_choices_are_never_touched() -> None:
    task = RobustnessTask(Parrots(), perturbations())
    clean = samples(Parrots(), num_fewshot=3)
    for sample, original in zip(samples(task, num_fewshot=3), clean, strict=True):
        before = original.prompt[: original.question_start]
        assert before.count("Answer: ") == 3
        assert (sample.gold, sample.choices) == (original.gold, original.choices)
        assert all(context.startswith(before) for context in contexts(task, sample))
        assert {request.continuation for request in task.requests(sample)} == {" yes", " no"}  # type: ignore[attr-defined]
        # The question names a choice, which no perturbation of its words may change.
        assert all(re.search(r"\bno\b", context[len(before) :]) for context in contexts(task, sample))


def test_variants_hang_on_seed_and_sample_and_not_on_how_many_are_asked() -> None:
    task = RobustnessTask(Parrots(), perturbations())
    every = {sample.id: contexts(task, sample) for sample in samples(task)}
    some = {sample.id: contexts(task, sample) for sample in samples(task, limit=3)}
    assert len(some) == 3
    assert all(every[name] == asked for name, asked in some.items())
    assert every != {sample.id: contexts(task, sample) for sample in samples(task, seed=1)}


def test_each_severity_has_two_variants_by_different_perturbations_that_apply() -> None:
    for sample in samples(RobustnessTask(Parrots(), perturbations())):
        variants = sample.fields["variants"]
        assert [variant.severity for variant in variants] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        assert all(
            one.perturbation != other.perturbation for one, other in zip(variants[::2], variants[1::2], strict=True)
        )
        assert not any(variant.perturbation.endswith("_zh") for variant in variants)


def test_an_answer_that_cannot_be_used_is_counted_as_such() -> None:
    def broken(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        sane = "house 3" not in request.context
        return Response(request_id=request.id, loglikelihood=-1.0 if sane else None, invalid=None if sane else "NaN")

    scores = scores_of(RobustnessTask(Parrots(), [KeyboardTypos()]), ScriptedModel(broken), ROWS)
    assert {score.sample_id for score in scores if score.invalid} == {"3"}


def test_an_answer_that_a_passage_holds_stays_in_it_so_that_a_reader_who_finds_it_is_never_wrong() -> None:
    def reader(request: GenerateUntil) -> str:
        return "green" if " green" in request.context else "gone"

    task = RobustnessTask(Retelling(), perturbations())
    scores = scores_of(task, writer(reader), ROWS)
    assert value_of(task, "noisy_score", scores) == 1
    assert value_of(task, "clean_score", scores) == 1


def test_a_task_of_lm_eval_keeps_its_exemplars_and_is_scored_by_lm_eval(tmp_path: Path) -> None:
    folder = write_tasks(tmp_path)
    options = TaskOptions(include_path=folder, offline=True)
    chosen = select([], ["robustness:lm-eval:tiny_choice"], limit=4, num_fewshot=2, seed=7, options=options)
    (planned,) = chosen.planned
    plain = select([], ["lm-eval:tiny_choice"], limit=4, num_fewshot=2, seed=7, options=options).planned[0]
    originals = plain.task.samples((), plain.settings)
    for sample, original in zip(planned.task.samples((), planned.settings), originals, strict=True):
        exemplars = original.prompt[: original.question_start]
        assert exemplars.count("Answer:") == 2
        assert original.prompt[original.question_start :].startswith("Question:")
        assert all(context.startswith(exemplars) for context in contexts(planned.task, sample))
        assert len(set(contexts(planned.task, sample))) > 5


def test_a_task_that_a_suite_file_declares_can_be_disturbed_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: x\ntasks:\n  - {name: 'robustness:foxes', limit: 5}\n  - name: foxes\n"
        "    type: multiple_choice\n    data: foxes.csv\n    prompt: '{question}'\n    choices: ['yes', 'no']\n"
        "    gold: gold\n",
        encoding="utf-8",
    )
    lines = [f"{row['question']},{row['gold'] % 2}" for row in QUESTIONS]  # type: ignore[operator]
    (tmp_path / "foxes.csv").write_text("\n".join(["question,gold", *lines]), encoding="utf-8")
    chosen = select([str(tmp_path / "mine.yaml")], [], limit=None, num_fewshot=None, seed=0, options=TaskOptions())
    assert [(one.suite, one.task.name, one.settings.limit) for one in chosen.planned] == [
        ("mine", "robustness:foxes", 5),
        ("mine", "foxes", 100),
    ]


def test_what_has_no_text_to_disturb_is_refused_in_one_line() -> None:
    with pytest.raises(TaskError, match="noise is for answers to a text"):
        select([], ["robustness:wikitext_sentences"], limit=1, num_fewshot=0, seed=0, options=TaskOptions())
    with pytest.raises(UnknownName, match="did you mean piqa"):
        select([], ["robustness:piqqa"], limit=1, num_fewshot=0, seed=0, options=TaskOptions())
    (planned,) = select(
        [], ["robustness:imdb_classifier"], limit=1, num_fewshot=0, seed=0, options=TaskOptions()
    ).planned
    assert planned.task.asks == (Classify,)


def wearing_down(step: float) -> ScriptedModel:
    """Sure of the right answer, less so by `step` nats for each edit of the question, until it gives the other one."""

    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        number = int(re.findall(r"house \S*?(\d)", request.context)[0])
        clean = f"Question: {ROWS[number]['question']} or no?\nAnswer:"
        right = request.continuation == f" {('yes', 'no')[number % 2]}"
        lost = step * Levenshtein.distance(request.context, clean)
        return Response(request_id=request.id, loglikelihood=-10.0 - lost if right else -15.5)

    return ScriptedModel(script)


class OneLetter:
    """Doubles one letter of one word, whatever the severity."""

    name = "one_letter"

    def perturb(self, text: str, rng: Random, severity: int) -> str:
        places = [found.start() for found in re.finditer(r"(?<=green )\w|(?<=the )\w|(?<=like )\w", text)]
        at = rng.choice(places)
        return text[:at] + text[at] + text[at:] if severity else text

    def limit(self, text: str, severity: int) -> int:
        return 1


@pytest.mark.parametrize(("step", "turned", "queries"), [(2.0, 1, 4), (1.0, 0, None), (6.0, 1, 1)])
def test_the_attack_adds_up_what_came_nearest_where_single_variants_turn_nothing(step, turned, queries) -> None:
    task = RobustnessTask(Parrots(), [OneLetter()], per_severity=1, severities=(1, 2, 3))
    scores = scores_of(task, wearing_down(step), ROWS)
    assert value_of(task, "clean_score", scores) == 1
    assert value_of(task, "attack_success_rate", scores) == turned
    assert value_of(task, "random_attack_success_rate", scores) == (queries == 1)
    asked = [score.value for score in scores if score.metric == "attack_queries"]
    # Three variants of one edit each; the first round makes it two edits, the second three.
    assert bool(asked) == bool(turned)
    assert not asked or (min(asked) == 1 if queries == 1 else all(3 < found <= 5 for found in asked))


def test_the_attack_stays_inside_its_budget_and_its_severity() -> None:
    task = RobustnessTask(Parrots(), perturbations())
    model = choosing(lambda _: "yes")
    scores_of(task, model, ROWS)
    variants = {sample.id: sample.fields["variants"] for sample in samples(task)}
    fixed = sum(len(several) + 1 for several in variants.values())
    assert len({request.context for request in model.asked}) <= fixed + 6 * len(ROWS)  # type: ignore[attr-defined]


def test_severities_and_perturbations_can_be_picked_by_name() -> None:
    task = RobustnessTask(Parrots()).configured(severities=[4, 2], perturbations=["letter_swaps", "casing"])
    for sample in samples(task):
        assert {variant.severity for variant in sample.fields["variants"]} == {2, 4}
        assert {variant.perturbation for variant in sample.fields["variants"]} <= {"letter_swaps", "casing"}
    assert task.definition["severities"] == [2, 4]
    whole = {sample.id: set(contexts(RobustnessTask(Parrots(), perturbations()), sample)) for sample in
             samples(RobustnessTask(Parrots(), perturbations()))}  # fmt: skip
    some = RobustnessTask(Parrots(), perturbations()).configured(severities=[3])
    assert all(set(contexts(some, sample)) <= whole[sample.id] for sample in samples(some))
    with pytest.raises(TaskError, match="severities are"):
        task.configured(severities=[0, 6])
    with pytest.raises(UnknownName, match="did you mean casing"):
        task.configured(perturbations=["cassing"])


def test_noise_on_embeddings_is_absent_with_the_reason_where_they_are_out_of_reach(tmp_path: Path) -> None:
    near = resolve(str(build_tiny_checkpoint(tmp_path)))
    far = replace(near, kind="completions")
    task = RobustnessTask(Parrots(), sample_perturbations(["embedding_noise"]))
    assert "out of reach" in str(task.refusal(far))
    assert task.refusal(near) is None
    assert not any(one.on_embeddings for one in RobustnessTask(Parrots()).suited(far).noise)
    assert any(one.on_embeddings for one in RobustnessTask(Parrots()).suited(near).noise)


def test_the_code_of_a_task_of_tasks_is_that_of_all_its_parts() -> None:
    one, other = (RobustnessTask(inner, [Lost()]).code for inner in (Parrots(), Retelling()))
    assert set(one) == {RobustnessTask, Parrots, Lost}
    assert set(other) == {RobustnessTask, Retelling, Lost}
