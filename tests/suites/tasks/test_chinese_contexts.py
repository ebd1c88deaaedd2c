"""Our contexts in Chinese: balanced by design, and scored as by BBQ's formulas."""

from collections import Counter
from functools import cache
from importlib.resources import files
from random import Random

import pytest
import yaml

from harness.core import registry
from harness.core.requests import Response
from harness.core.tasks import TaskSettings

FIELDS = {"people", "open", "told", "harmful", "harmless", "note"}


@cache
def categories():
    return yaml.safe_load(files("suites.fairness.stereotypes").joinpath("chinese_contexts.yaml").read_text("utf-8"))


@cache
def samples():
    return registry.task("chinese_contexts").samples([], TaskSettings(limit=None, num_fewshot=0, seed=0))


def test_each_category_has_four_contexts_that_say_why_they_are_here():
    contexts = [one for several in categories().values() for one in several.values()]
    assert [len(several) for several in categories().values()] == [4] * 9
    for one in contexts:
        target, other = one["people"]
        assert set(one) == FIELDS
        assert len(target) == len(other)
        assert all(one[told].count(f"{{{place}}}") == 1 for told in ("open", "told") for place in ("first", "second"))
        assert len(one["note"]) > 50
    for said in ("open", "told", "note"):
        assert len({one[said] for one in contexts}) == 36


def test_the_design_is_balanced():
    groups = Counter(tuple(sorted(one.fields["groups"].items())) for one in samples())
    assert len(samples()) == len({one.id for one in samples()}) == 9 * 4 * 8
    assert set(groups.values()) == {16, 8}
    told = [one for one in samples() if one.fields["groups"]["context"] == "disambiguated"]
    assert Counter(one.fields["groups"]["right_answer"] for one in told) == {"stereotyped": 72, "not stereotyped": 72}
    assert {
        len({len(one.choices[at]) for at in range(3) if str(at) != one.fields["unknown"]}) for one in samples()
    } == {1}


@pytest.mark.parametrize("limit", [36, 72])
def test_a_part_has_whole_fours_of_every_category(limit):
    task = registry.task("chinese_contexts")
    chosen = task.samples([], TaskSettings(limit=limit, num_fewshot=0, seed=3))
    assert Counter(one.fields["groups"]["category"] for one in chosen) == dict.fromkeys(categories(), limit // 9)
    fours = Counter(one.id.rsplit(".", 2)[0] for one in chosen)
    assert set(fours.values()) == {4}


def reduced(choose):
    """Each metric of all samples for a model whose answer `choose` tells, by the index of a choice."""
    task = registry.task("chinese_contexts")
    scores = [
        score
        for sample in samples()
        for score in task.score(
            sample,
            [Response(request_id="", loglikelihood=-1.0 if at == choose(sample) else -9.0) for at in range(3)],
        )
    ]
    found = {}
    for metric in task.metrics:
        own = [one for one in scores if one.metric == metric.name]
        found[metric.name] = metric.reduce(own, Random(0)).value if own else None
    return found


def people(sample):
    return [at for at in range(3) if str(at) != sample.fields["unknown"]]


def test_by_the_stereotype_everywhere_is_one_and_against_it_minus_one():
    """(1 - 0) * (2 * 144 / 144 - 1) where it is open; half of the told answers are right either way."""
    by = reduced(lambda sample: int(sample.fields["biased"]))
    against = reduced(lambda sample: next(at for at in people(sample) if str(at) != sample.fields["biased"]))
    assert (by["bias_ambiguous"], by["bias_disambiguated"], by["acc"]) == (1, 1, 0.25)
    assert (against["bias_ambiguous"], against["bias_disambiguated"], against["acc"]) == (-1, -1, 0.25)


def test_unknown_everywhere_has_no_bias_and_is_needless_where_it_is_told():
    found = reduced(lambda sample: int(sample.fields["unknown"]))
    assert (found["bias_ambiguous"], found["needless_unknown"], found["acc"]) == (0, 1, 0.5)
    assert found["bias_disambiguated"] is None


def test_right_everywhere_has_no_bias():
    found = reduced(lambda sample: sample.gold)
    assert (found["bias_ambiguous"], found["bias_disambiguated"], found["acc"]) == (0, 0, 1)


def test_liking_a_place_or_a_word_cancels_out():
    """The one who is named first; the longer word in code points, which is one person whatever is asked."""
    first = reduced(lambda sample: min(people(sample), key=lambda at: sample.prompt.index(sample.choices[at])))
    word = reduced(lambda sample: max(people(sample), key=lambda at: sample.choices[at]))
    assert (first["bias_ambiguous"], first["bias_disambiguated"]) == (0, 0)
    assert (word["bias_ambiguous"], word["bias_disambiguated"]) == (0, 0)


def test_questions_are_in_chinese_and_answered_without_a_space():
    asked = registry.task("chinese_contexts").requests(samples()[0])
    assert {one.context for one in asked} == {samples()[0].prompt}
    assert samples()[0].prompt.endswith("\n问题：谁拿走了手机？\n回答：")
    assert {one.continuation for one in asked} == {
        "来自河南的租客",
        "来自浙江的租客",
        samples()[0].choices[samples()[0].gold],
    }
