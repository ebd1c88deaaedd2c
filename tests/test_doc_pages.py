"""The pages on suites say what the docstrings say, today."""

import re
from pathlib import Path

import pytest

from harness.core import registry
from harness.doc_pages import pages

FOLDER = Path(__file__).parents[1] / "docs" / "suites"


def test_the_pages_are_up_to_date() -> None:
    made = pages(registry.names("harness.suites"))
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in made.keys() | written.keys() if made.get(name) != written.get(name))
    assert not stale, "run: python -m harness.doc_pages docs/suites"


EXPLAINED = (
    "stereoset",
    "crows_pairs_complete",
    "winobias",
    "winogender",
    "bbq_complete",
    "adult",
    "compas",
    "german_credit",
)
OF_OTHERS = ("acc", "acc_norm", "mcc")


@pytest.mark.parametrize("name", EXPLAINED)
def test_every_metric_of_fairness_is_explained_with_its_range_and_formula(name: str) -> None:
    task = registry.task(name)
    for metric in task.metrics:
        assert len(metric.source) > 10
        assert metric.name in OF_OTHERS or "Formula: " in metric.meaning, metric.name


@pytest.mark.parametrize("name", registry.names("harness.tasks"))
def test_every_metric_of_every_task_says_what_it_is(name: str) -> None:
    """In a sentence or more, with its range or what it is a share, a mean or a count of."""
    unsaid = [
        metric.name
        for metric in registry.task(name).metrics
        if len(metric.meaning) < 40 or not re.search(r"\d|share|mean|how|number of", metric.meaning, re.IGNORECASE)
    ]
    assert not unsaid


@pytest.mark.parametrize("name", ["ss", "demographic_parity_difference_sex", "selection_rate", "mcc"])
def test_a_page_names_the_optimum_and_the_source_of_a_metric(name: str) -> None:
    page = pages(["fairness"])["fairness.md"]
    (entry,) = (part for part in page.partition("## Metrics")[2].split("\n### ") if f"`{name}`" in part.splitlines()[0])
    assert "- Best: " in entry
    assert "- Source: " in entry


@pytest.mark.parametrize(
    ("suite", "metric"),
    [
        ("bleu", "bertscore_f1"),
        ("calibration", "brier_stated"),
        ("explainability", "rationale_iou_f1"),
        ("privacy", "exposure"),
    ],
)
def test_metrics_that_only_a_users_own_tasks_have_stand_on_a_page_too(suite: str, metric: str) -> None:
    page = (FOLDER / f"{suite}.md").read_text(encoding="utf-8")
    assert f"`{metric}`" in page.partition("## Metrics of ")[2]
    assert "Not explained further" not in page
