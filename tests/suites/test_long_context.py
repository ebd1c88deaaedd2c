"""Long texts hold what is asked for, where they say; answers are read as people would."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.reports.installed import suite_reports
from harness.core.requests import Response
from harness.core.scores import Estimate, SampleGroup
from harness.core.tasks import TaskSettings
from harness.report.words import Words

SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)
NAMES = ("needles", "variable_tracking", "common_words")


def stand_in(window):
    return Checkpoint(
        ref="x",
        kind="causal",
        path=Path(),
        origin="",
        architecture="",
        dtype="float32",
        parameter_count=1,
        size_bytes=1,
        max_length=window,
        has_chat_template=False,
        files={},
        fingerprint="",
    )


def task_of(name, window=3000):
    return registry.task(name).suited(stand_in(window))


def value(task, sample, text):
    (found,) = (
        one
        for one in task.score(sample, [Response(request_id="", text=text, stop="end", token_count=9)])
        if one.metric == "accuracy_all"
    )
    return found.value, found.remark


def test_needles_stand_at_their_depth_and_nowhere_else():
    task = task_of("needles")
    assert task.lengths == (512, 1024, 2048)
    for sample in task.samples([], SETTINGS)[:15]:
        text, _, question = sample.prompt.partition("\n\n")
        assert sample.prompt.count(sample.gold) == 1
        name = re.search(r"of (\w+)\?", question)[1]
        assert f"The secret number of {name} is {sample.gold}." in text
        depth = int(sample.fields["groups"]["depth"].removesuffix(" %")) / 100
        assert text.index(sample.gold) / len(text) == pytest.approx(depth, abs=0.06)
        assert value(task, sample, f" {sample.gold}. Next")[0] == 1
        assert value(task, sample, f" {int(sample.gold):,}")[0] == 1
        assert value(task, sample, f" {sample.gold[:-1]}")[0] == 0
        assert value(task, sample, " unknown") == (0, "unparsed")


def test_variables_are_those_that_a_reader_of_the_assignments_finds():
    task = task_of("variable_tracking")
    for sample in task.samples([], SETTINGS)[:6]:
        body = sample.prompt.split("\n\n", 1)[1]
        asked = re.search(r"hold the value (\d+)\?", body)[1]
        held = {}
        for name, source in re.findall(r"VAR (\w+) = (?:VAR )?(\w+)\.", body):
            held[name] = held.get(source, source)
        right = {name for name, number in held.items() if number == asked}
        assert set(sample.gold.split(", ")) == right
        assert len(right) == 5
        assert value(task, sample, " and ".join(sorted(right, reverse=True)))[0] == 1
        assert value(task, sample, ", ".join(sorted(held)))[0] == 0
        assert value(task, sample, ", ".join(sorted(right)[:4]))[0] == 0


def test_common_words_are_the_commonest():
    task = task_of("common_words")
    for sample in task.samples([], SETTINGS)[:6]:
        words = re.findall(r"[a-z]+", sample.prompt.split("\n\n")[0].split(": ")[1])
        counts = sorted(((words.count(word), word) for word in set(words)), reverse=True)
        assert {word for _, word in counts[:3]} == set(sample.gold.split(", "))
        assert counts[2][0] >= 6 * counts[3][0]
        assert value(task, sample, sample.gold.upper())[0] == 1
        assert value(task, sample, f"{sample.gold}, {counts[3][1]}")[0] == 0


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_the_same_each_time_and_a_larger_limit_holds_a_smaller(name):
    task, other = task_of(name), task_of(name)
    few = task.samples([], TaskSettings(limit=4, num_fewshot=0, seed=3))
    many = other.samples([], TaskSettings(limit=9, num_fewshot=0, seed=3))
    assert [one.prompt for one in few] == [one.prompt for one in many[:4]]
    assert task.data_digest != other.data_digest
    assert few[0].prompt != task.samples([], SETTINGS)[0].prompt


def test_a_window_that_holds_no_text_is_refused_and_a_large_one_filled():
    task = registry.task("needles")
    assert "512 tokens" in task.refusal(stand_in(400))
    assert task.refusal(stand_in(None)) is None
    assert task.suited(stand_in(131072)).lengths[-1] == 65536
    assert task.suited(stand_in(None)).lengths[-1] == 8192


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_scored_again_with_its_own_lengths_although_no_window_is_known(name):
    asked = task_of(name)
    again = registry.task(name).as_recorded(asked.definition).suited(stand_in(None))
    assert again.definition == asked.definition
    assert again.samples([], SETTINGS) == asked.samples([], SETTINGS)


@pytest.mark.parametrize("lengths", [[], [1024], [512, 10**12], ["512"], "512", None])
def test_lengths_that_no_run_has_are_not_taken_from_a_record(lengths):
    again = registry.task("needles").as_recorded({"lengths": lengths}).suited(stand_in(None))
    assert again.lengths == task_of("needles", 10_000).lengths


def test_a_report_draws_right_answers_by_length_and_by_place():
    def found(attribute, group, value):
        shared = {"suite": "long_context", "task": "needles", "metric": "accuracy_all", "unit": "share", "n": 4}
        more = {"direction": "higher", "signature": "", "group": SampleGroup(attribute, group)}
        return Estimate(**shared, **more, value=value)

    places = [("512, 0 %", 0.5), ("512, 50 %", 0.25), ("1024, 0 %", 1.0)]
    estimates = [found("length", "512", 0.75), found("length", "1024", 0.5)]
    estimates += [found("length and depth", place, value) for place, value in places]
    run = SimpleNamespace(estimates=estimates)
    by_length, by_place = suite_reports()["long_context"].figures(run, Words("en"))
    assert drawn(by_length, "length") == {(512, 0.75), (1024, 0.5)}
    assert drawn(by_place, "length", "depth") == {(512, 0, 0.5), (512, 50, 0.25), (1024, 0, 1.0)}


def drawn(figure, *fields):
    (rows,) = figure.draw().to_dict()["datasets"].values()
    return {(*(row[field] for field in fields), row["value"]) for row in rows}


def test_needles_of_a_place_are_counted_together():
    task = task_of("needles")
    places = [task.groups(sample)["length and depth"] for sample in task.samples([], SETTINGS)]
    assert places[:6] == ["512, 0 %", "512, 25 %", "512, 50 %", "512, 75 %", "512, 100 %", "1024, 0 %"]
    assert {places.count(place) for place in places} == {20}
