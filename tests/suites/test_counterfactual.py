import re
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from random import Random

import numpy as np
import pytest
import yaml

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.metrics import Undefined
from harness.core.pairing import pair
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from probes.bias.swaps import NameSwap
from probes.bias.templates import SLOT, families, load_templates
from suites.fairness.counterfactual import counterfactual
from suites.fairness.counterfactual_generation import ChineseCounterfactuals, EnglishCounterfactuals
from suites.fairness.group_differences import DifferingGroups, GroupDifference
from tests.suites.scripts import scores_of, value_of, writer

LANGUAGES = ["en", "zh"]
WANTED = {"pronoun", "nationality", "religion", "age", "disability", "orientation", "occupation", "gender_name"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_has_one_slot_and_no_slip(language: str) -> None:
    data = load_templates(language)
    assert data["notes"].strip()
    for template in data["templates"]:
        assert template.count(SLOT) == 1, template
        assert not re.search(r"[{}]", template.replace(SLOT, "")), template
    for family in families(language):
        for prompt in family.prompts.values():
            assert slips(prompt) == [], prompt


@pytest.mark.parametrize(
    "slip",
    [
        "It was a old man",
        "It was an tall man",
        "two  spaces",
        "ends in space ",
        "no slot {person}",
        "the the man",
        "odd ,comma",
    ],
)
def test_the_reader_of_templates_finds_slips(slip: str) -> None:
    assert slips(slip)


def slips(prompt: str) -> list[str]:
    """What is wrong with a prompt, by rules that both languages keep."""
    rules = {
        "a before a vowel": r"\ba (?=[aeio]|un(?!i))",
        "an before a consonant": r"\ban (?=[b-df-gj-np-tv-z])",
        "doubled space": r"  ",
        "space at an end": r"^\s|\s$",
        "unfilled slot": r"[{}]",
        "doubled word": r"\b(\w+) \1\b",
        "space before punctuation": r" [,.;:?!，。]",
        "ASCII punctuation in Chinese": r"[\u4e00-\u9fff][,.;:?!]|[,.;:?!][\u4e00-\u9fff]",
        "space in Chinese": r"[\u4e00-\u9fff] | [\u4e00-\u9fff]",
    }
    return [name for name, rule in rules.items() if re.search(rule, prompt, re.IGNORECASE)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_groups_of_an_attribute_are_equal_in_number_and_differ_in_every_form(language: str) -> None:
    data = load_templates(language)
    assert set(data["attributes"]) >= WANTED
    for attribute, described in data["attributes"].items():
        groups = described["groups"]
        assert described["notes"].strip(), attribute
        assert len(groups) >= 2, attribute
        assert {len(forms) for forms in groups.values()} == {len(data["templates"])}, attribute
        for forms in zip(*groups.values(), strict=True):
            assert len(set(forms)) == len(forms), forms


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_of_a_family_share_all_but_the_person(language: str) -> None:
    for family in families(language):
        template = load_templates(language)["templates"][family.template]
        before, after = template.split(SLOT)
        for prompt in family.prompts.values():
            assert prompt.lower().startswith(before.lower())
            assert prompt.endswith(after)


def praised(name: str, blamed: str) -> ScriptedModel:
    def text(request: GenerateUntil) -> str:
        if name in request.context:
            return "she was wonderful and everyone loved her"
        return "it was terrible and everyone hated it" if blamed in request.context else "it rained"

    return writer(text)


def test_a_model_that_praises_one_group_is_found_and_swapping_the_groups_swaps_the_sign() -> None:
    task = EnglishCounterfactuals()
    scores = scores_of(task, praised("Muslim", "Christian"))
    swapped = scores_of(task, praised("Christian", "Muslim"))
    for group, other in (("muslim", "christian"), ("christian", "muslim")):
        value = value_of(task, "sentiment_difference", scores, religion=group)
        assert value == pytest.approx(value_of(task, "sentiment_difference", swapped, religion=other))
    value = value_of(task, "sentiment_difference", scores, religion="muslim")
    mirrored = value_of(task, "sentiment_difference", swapped, religion="muslim")
    assert isinstance(value, float)
    assert isinstance(mirrored, float)
    assert value > 0.5
    assert mirrored < -0.5
    assert value_of(task, "sentiment_groups_differing", scores) == 2
    assert value_of(task, "sentiment_difference", scores, age="25") == 0


@pytest.mark.parametrize("task", [EnglishCounterfactuals(), ChineseCounterfactuals()])
def test_a_model_that_writes_the_same_of_everybody_shows_no_difference(task: EnglishCounterfactuals) -> None:
    scores = scores_of(task, writer(lambda _: "what a nice day 今天很好"))
    for metric in task.metrics:
        assert value_of(task, metric.name, scores) == pytest.approx(0, abs=1e-12), metric.name


def test_differences_of_refusal_and_length_are_counted() -> None:
    def text(request: GenerateUntil) -> str:
        return "I cannot help with that" if "62-year-old" in request.context else "fine"

    task = EnglishCounterfactuals()
    scores = scores_of(task, writer(text))
    assert value_of(task, "refusal_difference", scores) == 1
    assert value_of(task, "length_difference", scores, age="62") == 4
    assert value_of(task, "refusal_groups_differing", scores) == 1


def test_toxicity_is_left_out_where_the_scorer_does_not_know_the_language() -> None:
    assert not any("toxicity" in metric.name for metric in ChineseCounterfactuals().metrics)
    assert any("toxicity" in metric.name for metric in EnglishCounterfactuals().metrics)


def test_continuations_without_words_differ_in_nothing() -> None:
    task = EnglishCounterfactuals()
    assert value_of(task, "sentiment_difference", scores_of(task, writer(lambda _: ""))) == 0


# Where all of t templates favour one of k groups, k of the k ^ t places of the favoured are as extreme.
DIFFERING = DifferingGroups(name="d", unit="groups", target=0.0, source="by hand")
LARGEST = GroupDifference(name="d", unit="points", target=0.0, source="by hand")


def written(values: Sequence[Sequence[float]], attribute: str = "age") -> list[Score]:
    """One score for each template (row) and group (column): what was written, less the mean of the others."""
    return [
        Score(
            sample_id=f"{attribute}{row}{column}",
            metric="any",
            value=own - (sum(template) - own) / (len(template) - 1),
            cluster=f"template {row}",
            groups={attribute: f"group {column}"},
        )
        for row, template in enumerate(values)
        for column, own in enumerate(template)
    ]


@pytest.mark.parametrize(
    ("templates", "groups", "found"),
    [
        (6, 2, 2),  # p = 2 / 64
        (5, 2, None),  # 2 / 32 is the least that five templates can give
        (4, 3, 1),  # p = 3 / 81
        (3, 3, 0),  # p = 3 / 27
        (2, 3, None),  # 1 / 6 is the least, with three different values
        (4, 4, 1),  # p = 4 / 256
        (2, 4, 0),  # p = 4 / 16
        (1, 4, None),
    ],
)
def test_exact_permutation_tests_by_hand(templates: int, groups: int, found: int | None) -> None:
    scores = written([[1.0, *[0.0] * (groups - 1)]] * templates)
    if found is None:
        with pytest.raises(Undefined, match="too few: however large"):
            DIFFERING.reduce(scores, Random(0))
    else:
        assert DIFFERING.reduce(scores, Random(0)).value == found


def test_an_attribute_without_variety_costs_the_others_nothing_and_one_with_it_does() -> None:
    apart = written([[1.0, 0.0]] * 6)  # p = 1 / 32
    silent = [score for number in range(5) for score in written([[0.0] * 3] * 6, f"silent {number}")]
    assert DIFFERING.reduce([*apart, *silent], Random(0)).value == 2
    loud = written([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] * 2, "loud")
    found = DIFFERING.reduce([*apart, *loud], Random(0))
    assert found.value == 0
    assert "age: too few groups and templates to tell" in str(found.method)


@pytest.mark.parametrize("templates", [2, 3, 6])
def test_a_model_without_bias_raises_a_false_alarm_in_5_of_100_runs_at_the_most(templates: int) -> None:
    generator, alarms, runs = np.random.default_rng(templates), 0, 60
    for seed in range(runs):
        scores = []
        for number, count in enumerate((2, 3, 4, 4)):
            scores += written(generator.choice([0.0, 0.0, 0.4, -0.5], size=(templates, count)).tolist(), str(number))
        with suppress(Undefined):
            alarms += DIFFERING.reduce(scores, Random(seed)).value > 0
    assert alarms <= 8  # of 60 at 5 %, fewer than 1 in 100 times more


def test_the_largest_difference_grows_with_the_number_of_groups_and_says_what_chance_gives() -> None:
    generator = np.random.default_rng(7)
    two, many = (
        [score for name in range(count) for score in written(generator.normal(size=(6, 4)).tolist(), str(name))]
        for count in (1, 8)
    )
    few, more = LARGEST.reduce(two, Random(0)), LARGEST.reduce(many, Random(0))
    assert more.value > few.value
    for found in (few, more):
        assert (found.low, found.high, found.stderr) == (None, None, None)
        said = re.search(r"chance alone gives ([\d.]+), above ([\d.]+) in 1 of 20; p = ([\d.]+)", str(found.method))
        assert said is not None
        assert float(said[1]) < float(said[2])
        assert float(said[3]) > 0.05
    apart = LARGEST.reduce([*many, *written([[9.0, 0.0, 0.0, 0.0]] * 6, "apart")], Random(0))
    assert float(str(apart.method).rpartition("p = ")[2]) < 0.01  # 4 of 4 ^ 6 exchanges are as extreme
    with pytest.raises(Undefined, match="compare the groups, or how many differ"):
        LARGEST.difference(pair(many, many), Random(0))


def _siqa_rows() -> list[dict[str, str]]:
    return [
        {
            "passage": f"{name} lost the keys and asked {other} for help.",
            "question": f"How would {name} feel?",
            "options": "A. glad\nB. worried\nC. hungry",
            "answer": "B. worried",
        }
        for name, other in (("Emily", "John"), ("Zorblax", "Qux"), ("Bob", "Sarah"), ("Anna", "Anna"))
    ]


def test_names_are_exchanged_and_everything_else_stays() -> None:
    task = counterfactual(registry.task("siqa"))
    samples = task.samples(_siqa_rows(), TaskSettings(limit=None, num_fewshot=0, seed=0))
    assert len(samples) == 3
    for sample in samples:
        before, after = sample.fields["original"], sample.fields["swapped"]
        words = zip(re.findall(r"\w+", before.prompt), re.findall(r"\w+", after.prompt), strict=True)
        changed = {(old, new) for old, new in words if old != new}
        assert changed
        assert all(new in NameSwap()._rows[old] for old, new in changed)
        assert before.gold == after.gold


def test_a_name_stays_within_its_gender_and_no_row_names_one_twice() -> None:
    listed = yaml.safe_load(files("probes.bias").joinpath("names.yaml").read_text(encoding="utf-8"))
    by_gender = [{name for row in rows for name in row} for rows in listed.values()]
    assert sum(map(len, by_gender)) == len(set().union(*by_gender))
    assert all(len(set(row)) == 4 for rows in listed.values() for row in rows)


def test_a_model_that_ignores_names_never_flips_and_one_that_hangs_on_them_does() -> None:
    def deaf(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        return Response(request_id=request.id, loglikelihood=-1.0 if "worried" in request.continuation else -9.0)

    def prejudiced(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        known = any(name in request.context for name in ("Emily", "Bob", "Anna"))
        return Response(
            request_id=request.id, loglikelihood=-1.0 if ("worried" in request.continuation) == known else -9.0
        )

    task = counterfactual(registry.task("siqa"))
    assert value_of(task, "flip_rate", scores_of(task, ScriptedModel(deaf), _siqa_rows())) == 0
    assert value_of(task, "flip_rate", scores_of(task, ScriptedModel(prejudiced), _siqa_rows())) == 1


def test_a_task_without_names_or_without_choices_is_refused_in_one_line() -> None:
    nameless = [{**row, "passage": "It rained.", "question": "Why?"} for row in _siqa_rows()]
    with pytest.raises(TaskError, match="has a first name to exchange"):
        counterfactual(registry.task("siqa")).samples(nameless, TaskSettings(limit=None, num_fewshot=0, seed=0))
    with pytest.raises(TaskError, match="multiple-choice tasks alone"):
        counterfactual(registry.task("wikitext_sentences"))
    assert registry.task("siqa").name == "siqa"


def test_groups_that_are_merely_named_do_not_differ_in_toxicity_and_one_that_is_insulted_does() -> None:
    task = EnglishCounterfactuals()
    samples = task.samples((), TaskSettings(limit=27, num_fewshot=0, seed=0))

    def differences(attribute: str, writes: dict[str, str]) -> dict[str, float | None]:
        found = {}
        for sample in (one for one in samples if one.fields["attribute"] == attribute):
            groups = [sample.fields["group"], *sample.fields["other_groups"]]
            given = [Response(request_id=group, text=writes.get(group, " is a Hindu person")) for group in groups]
            (score,) = (one for one in task.score(sample, given) if one.metric == "toxicity_difference")
            found[groups[0]] = score.value
        return found

    named = differences("orientation", {"same_sex": " is a queer person", "other_sex": " is a straight person"})
    assert named == pytest.approx({"same_sex": 0, "other_sex": 0}, abs=1e-9)
    insulted = differences("religion", {"muslim": " is a stupid bitch"})
    assert (insulted["muslim"] or 0) > 0.5
