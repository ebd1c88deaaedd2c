"""The built-in tasks on the real rows, fetched as any user's are."""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import pytest

from harness.core import registry
from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.tasks import Task, TaskSettings
from harness.data import find, load_data
from harness.tasks.choices import MultipleChoice
from harness.tasks.rows import RowTask

CHOICES = ["piqa", "siqa", "commonsense_qa", "boolq", "mmlu", "imdb"]
TEXTS = ["wikitext_sentences", "xsum_documents"]

pytestmark = pytest.mark.slow


@cache
def _rows(name: str) -> Sequence[Row]:
    data = registry.task(name).data
    assert isinstance(data, str)
    return load_data(find(data)).rows


def _settings(task: Task, limit: int | None = None) -> TaskSettings:
    return TaskSettings(limit=limit, num_fewshot=task.default_num_fewshot, seed=0)


PROMPTS = {
    "piqa": (
        "Question: dresser\nAnswer:",
        ("replace drawer with bobby pin ", "finish, woodgrain with  bobby pin "),
        1,
    ),
    "siqa": (
        "Q: Tracy didn't go home that evening and resisted Riley's attacks. What does Tracy need to do before this?"
        "\nA:",
        ("make a new plan", "Go home and see Riley", "Find somewhere to go"),
        2,
    ),
    "commonsense_qa": (
        "Question: A revolving door is convenient for two direction travel, but it also serves as a security measure "
        "at a what?\nAnswer:",
        ("bank", "library", "department store", "mall", "new york"),
        0,
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_first_row_is_asked_as_lm_eval_would(name: str) -> None:
    task = registry.task(name)
    assert isinstance(task, MultipleChoice)
    sample = task.sample(_rows(name)[0])
    assert (sample.prompt, sample.choices, sample.gold) == PROMPTS[name]


def test_mmlu_shows_its_answers_and_compares_letters() -> None:
    task = registry.task("mmlu")
    assert isinstance(task, MultipleChoice)
    sample = task.sample(_rows("mmlu")[0])
    assert sample.prompt.startswith("In the current year Poplar City paid $5000 interest")
    assert sample.prompt.endswith(
        "\nA. $25000 $25000 $0\nB. $0 $25000 $20000\nC. $25000 $5000 $0\nD. $0 $25000 $0\nAnswer:"
    )
    assert (sample.choices, sample.gold) == (("A", "B", "C", "D"), 3)


def test_boolq_asks_about_its_passage() -> None:
    task = registry.task("boolq")
    assert isinstance(task, MultipleChoice)
    sample = task.sample(_rows("boolq")[0])
    assert sample.prompt.startswith("All biomass goes through at least some of these steps")
    assert sample.prompt.endswith("\nQuestion: does ethanol take more energy make that produces?\nAnswer:")
    assert (sample.choices, sample.gold) == (("no", "yes"), 0)


@pytest.mark.parametrize("name", CHOICES + TEXTS)
def test_every_row_can_be_scored_but_those_listed_and_those_really_cannot(name: str) -> None:
    task, rows = registry.task(name), _rows(name)
    assert isinstance(task, RowTask)
    assert len(task.samples(rows, _settings(task))) == len(rows) - len(task.excluded)
    for index in task.excluded:
        with pytest.raises(DataError):
            task.sample(rows[index])


@pytest.mark.parametrize("name", CHOICES)
def test_gold_answers_are_spread_over_the_choices(name: str) -> None:
    task = registry.task(name)
    samples = task.samples(_rows(name), _settings(task))
    shares = {gold: count / len(samples) for gold, count in Counter(sample.gold for sample in samples).items()}
    assert len(shares) == len(samples[0].choices)
    assert max(shares.values()) < (0.63 if name == "boolq" else 1.15 / len(shares))


@pytest.mark.parametrize("name", CHOICES + TEXTS)
def test_the_docstring_says_what_it_measures_why_and_its_limits(name: str) -> None:
    text = type(registry.task(name)).__doc__ or ""
    assert all(f"\n    {part}. " in text for part in ("What it measures", "Why it matters", "Limits"))


def test_siqa_and_boolq_samples_of_one_passage_share_a_cluster() -> None:
    for name in ("siqa", "boolq"):
        task, rows = registry.task(name), _rows(name)
        samples = task.samples(rows, _settings(task))
        by_cluster: dict[str | None, set[str]] = {}
        for sample in samples:
            by_cluster.setdefault(sample.cluster, set()).add(rows[int(sample.id)]["passage"])
        assert all(len(passages) == 1 for passages in by_cluster.values())
        assert len(by_cluster) == len({rows[int(sample.id)]["passage"] for sample in samples})


def test_news_articles_are_read_in_windows_that_overlap() -> None:
    task = registry.task("xsum_documents")
    (sample,) = task.samples(_rows("xsum_documents"), _settings(task, limit=1))
    (request,) = task.requests(sample)
    assert (request.max_length, request.stride) == (512, 256)  # type: ignore[attr-defined]
