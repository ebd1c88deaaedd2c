"""One word for one notion in all Chinese, by the glossary in docs/chinese.md; every task and metric has a name."""

from pathlib import Path

import pytest
import yaml

from harness.core import registry
from harness.core.requests import Request
from harness.core.scores import SampleGroup
from harness.metrics.written import WRITTEN
from harness.report import LANGUAGES, Language, Words

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "chinese.md"
CATALOGUES = [
    *(path for top in ("harness", "leaderboard", "suites") for path in (ROOT / top).rglob("locale/zh.yaml")),
    *(ROOT / "harness" / "report" / "forms").glob("*.yaml"),
]


def glossary() -> list[tuple[list[str], list[str]]]:
    """The words that are not to be used, each row with the longer words that may hold them."""
    rows = [
        line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    return [
        ([word for word in row[2].strip().split("、") if word], [word for word in row[3].strip().split("、") if word])
        for row in rows[1:]
    ]


def said(path: Path) -> str:
    """All Chinese of a catalogue, without the English sentences and the comments."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: list[str] = []

    def collect(value: object, key: object = None) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                collect(inner, name)
        elif isinstance(value, list):
            for inner in value:
                collect(inner, key)
        elif key != "en":
            found.append(str(value))

    collect(read)
    return "\n".join(found)


def test_no_word_is_used_for_which_the_glossary_has_another() -> None:
    rows = glossary()
    assert len(rows) > 25
    assert len(CATALOGUES) > 25
    found = []
    for path in CATALOGUES:
        text = said(path)
        for words, allowed in rows:
            left = text
            for longer in allowed:
                left = left.replace(longer, "")
            found += [(word, path.relative_to(ROOT).as_posix()) for word in words if word in left]
    # 适用人群 is the words of the Chinese standard itself.
    assert set(found) <= {("人群", "harness/report/forms/gbt-45654.yaml")}


def test_every_task_of_a_suite_has_a_chinese_name() -> None:
    words, missing = Words("zh"), []
    suites = [registry.suite(name) for name in registry.names("harness.suites")]
    named = {task: suite.name for suite in suites for task in suite.tasks}
    for task, suite in named.items():
        missing += [task] if words.task(suite, task) == task else []
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_task_metric_or_group_shows_the_marks_of_a_program(language: Language) -> None:
    words, shown = Words(language), set[str]()
    for name in registry.names("harness.suites"):
        of = words.of(name)
        for task in map(registry.task, registry.suite(name).tasks):
            shown |= {words.task(name, task.name), *(of.metric(one.name) for one in task.metrics)}
            shown |= {words.attribute(by) for one in task.metrics for by in one.by}
    assert len(shown) > 300
    assert sorted(one for one in shown if "_" in one) == []


def test_what_is_measured_of_a_kind_of_request_is_named() -> None:
    assert Words("zh").task("energy", "accuracy/loglikelihood_rolling") == "准确性（整段对数似然）"
    assert Words("en").task("energy", "accuracy/generate_until") == "Accuracy (writing)"
    asked = {kind.kind for kind in Request.__subclasses__()}
    assert [kind for kind in asked if Words("zh").grouping(kind).isascii()] == []


def test_definitions_that_differ_in_a_quoted_name_are_told_once() -> None:
    gaps = [
        " ".join(metric.meaning.split())
        for name in registry.suite("long_tail").tasks
        for metric in registry.task(name).metrics
        if metric.name == "rarity_gap"
    ]
    told = Words("zh").defined_together(sorted(set(gaps)))
    assert len(set(gaps)) > 1
    assert told.startswith("acc_norm、acc、bits_per_byte 在由罕见词组成的文本上")


def test_a_group_is_named_as_people_name_it() -> None:
    assert Words("en").group(SampleGroup("bias_type", "race-color")) == "bias type: race-color"
    assert Words("zh").group(SampleGroup("sex & race", "Female & Black")) == "性别 & 种族：女 & 黑人"
    assert Words("zh").reason("Female & Black 9, Male 27, other (n = 2)") == "女 & 黑人 9、男 27、其他（n = 2）"
    assert Words("en").reason("without a name") == "without a name"
    assert Words("zh").unit("share of negative") == "负例比例"
    assert Words("zh").unit("share of 负面") == "占“负面”的比例"
    assert Words("en").unit("share of 负面") == "share of 负面"


def test_metrics_are_named_in_chinese_with_what_they_are_of() -> None:
    words = Words("zh")
    assert words.metric("equalized_odds_difference_sex") == "均等几率差（性别）"
    assert words.metric("precision_PER") == "精确率（PER）"
    assert words.metric("somebody_elses") == "somebody_elses"
    assert [one.name for one in WRITTEN if words.metric(one.name) == one.name] == []
    assert Words("en").metric("acc_norm") == "accuracy (by length)"
    assert Words("en").metric("equalized_odds_ratio_sex") == "ratio of equalized odds (sex)"
