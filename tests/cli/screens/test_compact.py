import pytest

from harness.cli import console
from harness.cli.compact import print_scores
from harness.core.scores import Estimate, TaskPart
from harness.decision.context import ScoreContext
from harness.decision.keys import Key


def one(suite: str, task: str, metric: str, value: float | None, **more: object) -> Estimate:
    reason = None if value is not None else "the counter is lost"
    fields = {"suite": suite, "task": task, "metric": metric, "value": value, "n": 9, "unit": "share", "reason": reason}
    return Estimate(**{**fields, "direction": "higher", "signature": "", **more})  # type: ignore[arg-type]


MANY = [
    *(one("accuracy", "piqa", f"metric_{n}", 0.1) for n in range(40)),
    one("accuracy", "piqa", "acc_norm", 0.625, stderr=0.06, low=0.5, high=0.75),
    one("accuracy", "siqa", "acc", 0.375, invalid_count=2),
    one("fairness", "adult", "difference", None),
    one("fairness", "weat", "d", None, applies=False, reason="no embedding"),
    one("energy", "run", "gpu_energy_joules", None),
    one(
        "energy",
        "text_generation",
        "joules_per_token_decode",
        2.5,
        unit="J/token",
        interval="t, ±9.0%: the aim of 5% was not reached in 7 windows",
        low=2.0,
        high=3.0,
        signature="seed:0|meter:a counter (error of 5 %)",
    ),
    *(
        one("puzzles", "sums", metric, value)
        for metric, value in (
            *(("accuracy_all", 0.25), ("accuracy_upper_bound", 0.875), ("cut", 0.5), ("unparsed", 0.125)),
            ("answer_tokens", 96.0),
        )
    ),
    *(
        one("puzzles", "knights", metric, value)
        for metric, value in (("accuracy_all", 0.5), ("cut", 0.0), ("chance", 0.25))
    ),
    one("accuracy", "overall", "acc_norm", 0.5, parts=(TaskPart("piqa", "acc_norm"), TaskPart("siqa", "acc"))),
]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(console.output, "width", 140)
    print_scores(MANY)
    return capsys.readouterr().out.splitlines()


def line(printed: list[str], beginning: str) -> str:
    (found,) = (text for text in printed if text.startswith(beginning))
    return found


def test_each_suite_has_its_score_with_what_it_is_made_of(printed: list[str]) -> None:
    assert line(printed, "accuracy  ").split() == [
        "accuracy",
        "acc_norm",
        "0.5000",
        "9",
        "↑",
        "piqa,",
        "siqa",
    ]
    assert line(printed, "suite  ").endswith("mean of")


def test_each_task_has_one_row_with_the_metric_that_counts(printed: list[str]) -> None:
    assert line(printed, "piqa ").split()[1:7] == ["acc_norm", "0.6250", "0.0600", "0.5000", "to", "0.7500"]
    assert line(printed, "siqa ").split()[1:] == ["acc", "0.3750", "9", "(+2", "invalid)", "↑"]
    assert not [text for text in printed if "metric_" in text]


def test_energy_says_how_well_it_is_known_and_by_which_instrument(printed: list[str]) -> None:
    said = "2.5 J/token (2 to 3), measured; t, ±9.0%: the aim of 5% was not reached"
    assert said in line(printed, "  text_generation")
    assert line(printed, "  by ") == "  by a counter (error of 5 %)"


def test_what_is_missing_is_grouped_by_its_reason(printed: list[str]) -> None:
    assert line(printed, "absent") == "absent, 2 scores of fairness/adult, energy/run: the counter is lost"
    assert line(printed, "not defined") == "not defined here: fairness/weat: no embedding"


def test_a_narrow_terminal_has_no_room_for_intervals_and_no_line_goes_beyond_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.output, "width", 80)
    print_scores(MANY)
    narrow = capsys.readouterr().out.splitlines()
    assert line(narrow, "piqa ").split() == ["piqa", "acc_norm", "0.6250", "0.0600", "9", "↑"]
    assert max(map(len, narrow)) <= 80


def test_all_rows_are_there_for_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    print_scores(MANY, every_row=True)
    assert "metric_39" in capsys.readouterr().out


def test_few_rows_are_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_scores(MANY[-9:])
    assert "scores by suite" not in capsys.readouterr().out


@pytest.mark.parametrize("whole", [True, False])
def test_groups_left_out_and_what_chance_gives_stand_beside_the_value(
    whole: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.output, "width", 160)
    how = "Newcombe over 2 groups; without island (n = 9); chance alone gives 0.0810, above 0.2000 in 1 of 20; p = 0.42"
    told = {"interval": how, "left_out": ("island (n = 9)",), "p_value": 0.42, "low": 0.0, "high": 0.25}
    gap = one("t", "loans", "parity_region", 0.05, direction=None, target=0.0, **told)
    print_scores([gap] if whole else [*MANY, gap])
    said = capsys.readouterr().out
    assert "island (n = 9)" in said
    if whole:
        assert "0 to 0.2500 (p = 0.42)" in said


def test_written_answers_are_told_with_what_was_cut_and_unread(printed: list[str]) -> None:
    assert ["task", "right", "chance", "at", "most", "cut", "unread", "tokens"] in [text.split() for text in printed]
    assert ["knights", "0.5000", "0.2500", "0"] in [text.split() for text in printed]
    (row,) = (text for text in printed if text.split()[:1] == ["sums"] and "↑" not in text)
    assert row.split() == ["sums", "0.2500", "0.8750", "0.5000", "0.1250", "96"]


@pytest.mark.parametrize("width", [80, 160])
def test_a_score_stands_beside_chance_and_a_baseline(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.output, "width", width)
    found = {"chance": 0.5, "than_chance": "can't tell", "optimum": 1.0, "baseline": 0.75, "than_baseline": "worse"}
    print_scores(MANY, {Key("accuracy", "piqa", "acc_norm"): ScoreContext(**found)})  # type: ignore[arg-type]
    said = capsys.readouterr().out.splitlines()
    told = line(said, "piqa ")
    assert "0.5000 can't tell" in told
    assert "0.7500 worse" in told
    assert max(map(len, said)) <= width
