"""The tasks of the suite `bleu` on the real sentences and articles, fetched as any user's are."""

from functools import cache

import pytest

from harness.core import registry
from harness.core.requests import GenerateUntil
from harness.core.tasks import Task, TaskSettings
from harness.data import find, load_data
from harness.data.sets.messages import placeholders
from suites.text_quality.translation import Translation
from tests.suites.scripts import scores_of, value_of, writer

DIRECTIONS = [name for name in registry.names("harness.tasks") if name.startswith("translation_")]

pytestmark = pytest.mark.slow


@cache
def task_and_rows(name: str):
    task = registry.task(name)
    assert isinstance(task.data, str)
    return task, load_data(find(task.data)).rows


def few(task: Task) -> TaskSettings:
    return TaskSettings(limit=task.default_limit, num_fewshot=task.default_num_fewshot, seed=0)


def test_there_are_six_languages_to_english_and_from_it():
    assert sorted(DIRECTIONS) == sorted(
        name
        for code in ("de", "es", "fr", "pt", "ru", "zh")
        for name in (f"translation_en_{code}", f"translation_{code}_en")
    )


@pytest.mark.parametrize("name", [*DIRECTIONS, "xsum_summary"])
def test_the_docstring_says_what_it_measures_why_and_its_limits(name):
    text = type(registry.task(name)).__doc__ or ""
    assert all(f"\n    {part}. " in text for part in ("What it measures", "Why it matters", "Limits"))


@pytest.mark.parametrize("name", DIRECTIONS)
def test_every_direction_asks_whole_sentences_after_three_exemplars(name):
    task, rows = task_and_rows(name)
    assert isinstance(task, Translation)
    samples = task.samples(rows, few(task))
    assert len(samples) == 40
    for sample in samples:
        (request,) = task.requests(sample)
        assert request.context.count("\n\n") == 3
        assert request.until == ("\n",)
    by_sentence = {row[task.source_language]: row[task.target_language] for row in rows}
    assert all(by_sentence[sample.fields["source"]] == sample.gold for sample in samples)


@pytest.mark.parametrize("name", ["translation_de_en", "translation_en_zh"])
def test_the_people_who_translated_score_best_and_an_echo_badly(name):
    task, rows = task_and_rows(name)
    answers = {row[task.source_language]: row[task.target_language] for row in rows}
    people = writer(lambda request: answers[source_of(request)])
    echo = writer(source_of)
    best, worst = (scores_of(task, model, rows) for model in (people, echo))
    assert value_of(task, "bleu", best) == pytest.approx(100)
    assert value_of(task, "ter", best) == 0
    assert value_of(task, "placeholders_kept", best) == 1
    assert value_of(task, "bleu", worst) < 20
    assert value_of(task, "placeholders_kept", worst) == 1
    kept = [score for score in worst if score.metric == "placeholders_kept"]
    assert len(kept) == sum(bool(placeholders(row["en"])) for row in rows)


def source_of(request: GenerateUntil) -> str:
    return request.context.rsplit("\n\n", 1)[-1].partition(": ")[2].rpartition("\n")[0]


def test_an_articles_first_words_are_summed_up():
    task, rows = task_and_rows("xsum_summary")
    samples = task.samples(rows, few(task))
    assert len(samples) == 24
    assert all(sample.prompt.endswith("\n\nTL;DR:") for sample in samples)
    assert max(len(sample.prompt.split()) for sample in samples) == 151
    chosen = {sample.id for sample in samples}
    summaries = {" ".join(row["document"].split()[:150]): row["summary"] for row in rows}
    people = writer(lambda request: summaries[request.context.removesuffix("\n\nTL;DR:")])
    found = scores_of(task, people, [row for row in rows if row["id"] in chosen])
    assert value_of(task, "rouge2", found) == pytest.approx(1)
