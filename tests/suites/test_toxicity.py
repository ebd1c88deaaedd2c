from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.core import registry
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scorers import UsesToxicity
from harness.core.tasks import TaskSettings
from harness.data import fetch
from harness.engine.kinds.scripted import ScriptedModel
from suites.toxicity.do_not_answer import DoNotAnswer
from suites.toxicity.harmbench import HarmBench
from suites.toxicity.over_refusal import OverRefusal
from suites.toxicity.real_toxicity import RealToxicity, RealToxicity25
from suites.toxicity.strongreject import StrongReject
from tests.suites.scripts import scores_of, value_of, writer

ROWS = [{"class": name, "prompt": f"{name} prompt {n}"} for name in ("insult", "threat") for n in range(10)]


@dataclass
class WordScorer:
    """The score of a text is the number that it holds."""

    name: str = "numbers"
    languages: Sequence[str] = ()
    threshold: float = 0.5
    identity: Mapping[str, Any] = field(default_factory=lambda: {"scorer": "numbers"})

    def score(self, texts: Sequence[str]) -> Sequence[float]:
        return [float(text) if text else 0.0 for text in texts]


def test_expected_maximum_toxicity_is_the_mean_of_each_prompts_worst_continuation() -> None:
    task = RealToxicity()
    task.use_toxicity(WordScorer())
    # The worst of a prompt's five is 0.4 for an insult, 0.8 for a threat.
    worst = {"insult": 0.4, "threat": 0.8}
    scores = scores_of(task, writer(lambda asked: str(worst[asked.context.split()[0]] * (asked.seed == 3))), ROWS)
    assert value_of(task, "expected_maximum_toxicity", scores) == pytest.approx(0.6)
    assert value_of(task, "expected_maximum_toxicity", scores, **{"class": "threat"}) == pytest.approx(0.8)
    assert value_of(task, "toxicity_probability", scores) == pytest.approx(0.5)


def test_a_model_that_swears_is_found_and_a_polite_one_is_not() -> None:
    task = RealToxicity()
    rude = scores_of(task, writer(lambda _: "you stupid fucking idiot, go to hell"), ROWS)
    polite = scores_of(task, writer(lambda _: "and then we walked home by the river"), ROWS)
    assert value_of(task, "toxicity_probability", rude) == 1
    assert value_of(task, "toxicity_probability", polite) == 0


def test_empty_continuations_count_as_harmless_and_are_told() -> None:
    task = RealToxicity()
    scores = scores_of(task, writer(lambda asked: "" if asked.seed else "the end"), ROWS)
    assert value_of(task, "toxicity_probability", scores) == 0
    assert value_of(task, "empty_rate", scores) == pytest.approx(4 / 5)


def test_continuations_of_one_prompt_are_different_draws_of_the_runs_seed() -> None:
    def seeds(task: RealToxicity, seed: int) -> set[int]:
        sample, *_ = task.samples(ROWS, TaskSettings(limit=None, num_fewshot=0, seed=seed))
        return {request.seed for request in task.requests(sample) if isinstance(request, GenerateUntil)}

    assert len(seeds(RealToxicity(), 0)) == 5
    assert len(seeds(RealToxicity25(), 0)) == 25
    assert not seeds(RealToxicity(), 0) & seeds(RealToxicity(), 1)


def test_a_limit_takes_as_many_prompts_of_each_class_and_a_larger_one_contains_it() -> None:
    def ids(limit: int) -> set[str]:
        settings = TaskSettings(limit=limit, num_fewshot=0, seed=0)
        return {sample.id for sample in RealToxicity().samples(ROWS, settings)}

    assert sum(int(one) < 10 for one in ids(8)) == 4
    assert ids(4) < ids(8) < ids(13)


def test_the_scorer_is_part_of_what_defines_a_task() -> None:
    task = RealToxicity()
    own = dict(task.definition)
    assert isinstance(task, UsesToxicity)
    task.use_toxicity(WordScorer())
    assert task.definition["toxicity"] == {"scorer": "numbers"} != own["toxicity"]


@pytest.mark.parametrize("task", [RealToxicity(), DoNotAnswer()])
def test_an_answer_that_cannot_be_used_makes_its_scores_invalid(task: RealToxicity) -> None:
    def failing(request: Request) -> Response:
        return Response(request_id=request.id, invalid="NaN")

    scores = scores_of(task, ScriptedModel(failing), ROWS, limit=2)
    assert {score.invalid for score in scores} == {"NaN"}


@pytest.mark.parametrize("task", [DoNotAnswer(), HarmBench()])
def test_a_model_that_always_declines_scores_1_and_one_that_never_does_0(task: DoNotAnswer) -> None:
    declining = scores_of(task, writer(lambda _: "I'm sorry, but I can't assist with that."), ROWS)
    helping = scores_of(task, writer(lambda _: "Sure, the first step is to buy flour."), ROWS)
    assert value_of(task, "refusal_rate", declining) == 1
    assert value_of(task, "refusal_rate", helping) == 0
    assert {score.predicted for score in declining if score.metric == "refusal_rate"} == {"refuse (I cannot help)"}


def test_over_refusal_is_told_by_language() -> None:
    task = OverRefusal()
    chinese = scores_of(task, writer(lambda asked: "" if asked.context.isascii() else "抱歉，我无法回答这个问题。"))
    assert value_of(task, "refusal_rate", chinese) == 0.5
    assert value_of(task, "refusal_rate", chinese, **{"class": "zh"}) == 1
    assert value_of(task, "empty_rate", chinese, **{"class": "en"}) == 1
    assert task.data_digest is not None


def test_harmless_requests_are_thirty_different_ones_a_language() -> None:
    samples = OverRefusal().samples((), TaskSettings(limit=None, num_fewshot=0, seed=0))
    assert len({sample.prompt for sample in samples}) == 60
    assert [sample.fields["class"] for sample in samples].count("zh") == 30


def bases(task):
    return {metric.name: metric.basis for metric in task.metrics}


@pytest.mark.parametrize("name", ["do_not_answer", "harmbench", "strongreject", "over_refusal"])
def test_what_rules_hear_is_an_estimate(name: str) -> None:
    assert bases(registry.task(name))["refusal_rate"] == "estimated"


def test_strongreject_asks_what_is_licensed_evenly_and_tells_an_estimate() -> None:
    task = StrongReject()
    rows = fetch("strongreject").rows
    licence = {row["forbidden_prompt"]: row["source"] for row in rows}
    asked = task.samples(rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    assert len(asked) == 221 + 35 + 25  # as the package's notice counts the sources whose licence is stated
    assert {licence[sample.prompt] for sample in asked} == {"custom", "DAN", "AdvBench"}
    few = task.samples(rows, TaskSettings(limit=18, num_fewshot=0, seed=0))
    assert set(Counter(sample.fields["class"] for sample in few).values()) == {3}
    assert bases(task)["refusal_rate"] == "estimated"
    (refused, *_) = task.score(few[0], [Response(request_id="", text="I'm sorry, but I can't help with that.")])
    assert (refused.metric, refused.value, refused.gold) == ("refusal_rate", 1, "refuse")
