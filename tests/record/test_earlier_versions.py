"""A record of version 0.1.0, whose estimates say in texts what has fields of its own since, is read like one of today.

`version_0_1_0.tar.xz` was written by that version: two tasks of a plug-in that make up a headline, one whose samples
don't fit the window, one whose code fails, and decisions by group with a group that is too small.
"""

import json
import tarfile
from pathlib import Path

import pytest

from harness.core.scores import SampleGroup, TaskPart
from harness.decision.comparison import compare
from harness.decision.gate import gate
from harness.decision.keys import Key
from harness.decision.policy import read_policy
from harness.decision.scored import Scored
from harness.record import RunRecord, load_record
from harness.record.estimates import estimate_of, estimate_row
from harness.report import ReportContext, Words, build_document, to_markdown
from harness.report.words import Language
from harness.store import Store, add_run, locate
from leaderboard.data.samples import SampleQuery, sample, samples_page

PACKED = Path(__file__).with_name("version_0_1_0.tar.xz")
RUN = "92fd06c871d9"
SOUTH = SampleGroup("region", "south")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = tmp_path_factory.mktemp("runs")
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    return load_record(folder / RUN)


def test_it_is_sound_and_its_estimates_have_their_parts_groups_and_failures(record: RunRecord) -> None:
    assert record.verify() == []
    found = Scored(record).estimates
    headline = found[Key("animals", "overall", "acc")]
    assert headline.is_headline
    assert headline.parts == (TaskPart("foxes", "acc"), TaskPart("dogs", "acc"))
    assert [key for key, one in found.items() if one.failed] == [Key("animals", "broken", "acc")]
    said = "failed: the code of the task or suite raised RuntimeError: no scores today"
    assert record.failures == [f"animals/broken {said}"]
    assert found[Key("own", "loans", "acc", SOUTH)].n == 6
    worst = found[Key("own", "loans", "worst_group_acc_region")]
    assert (worst.left_out, worst.p_value, worst.by_chance) == (("island (n = 1)",), 0.595, "(p = 0.595)")
    assert not any(one.parts for key, one in found.items() if not one.is_headline)


def test_what_is_read_is_written_and_read_the_same(record: RunRecord) -> None:
    for one in record.estimate_list:
        assert estimate_of(json.loads(json.dumps(estimate_row(one)))) == one


def test_a_gate_decides_by_its_headline_and_groups(record: RunRecord, tmp_path: Path) -> None:
    rules = [
        "{kind: floor, suite: animals, bound: 0.9, smallest_n: 5}",
        "{kind: floor, suite: own, task: loans, metric: acc, group: region=south, bound: 0.01, smallest_n: 5}",
        "{kind: floor, suite: animals, task: broken, metric: acc, bound: 0.1}",
    ]
    (tmp_path / "policy.yaml").write_text("format: 1\nname: old\nrules:\n" + "".join(f"- {rule}\n" for rule in rules))
    said = gate(record, read_policy(str(tmp_path / "policy.yaml")))
    assert [rule.verdict for rule in said.rules] == ["FAIL", "PASS", "ERROR"]


def test_it_is_compared_over_the_parts_of_its_headline(record: RunRecord) -> None:
    whole, *_ = compare(record, record).at("suite")
    assert (whole.task, whole.difference, whole.n) == ("overall", 0, 20)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_is_written_of_it(record: RunRecord, language: Language) -> None:
    text = to_markdown(build_document(ReportContext(record=record, words=Words(language))))
    assert {"en": "region: south", "zh": "地区：south"}[language] in text
    assert "no scores today" in text


def test_its_samples_are_shown_with_their_reasons_in_english(record: RunRecord) -> None:
    whole = record.scores[record.scores["invalid"].notna()].iloc[0]
    query = SampleQuery(suite=whole["suite"], task=whole["task"], metric=whole["metric"], outcome="invalid")
    found = samples_page(record, query).frame.iloc[0]
    assert (found["invalid"], found["wording"]) == (whole["invalid"], None)
    assert sample(record, query.suite, query.task, whole["sample_id"]).requests["wording"].isna().all()


def test_the_store_takes_it(record: RunRecord, tmp_path: Path) -> None:
    with Store(locate(None, tmp_path)) as store:
        assert add_run(store, record.folder) is None
