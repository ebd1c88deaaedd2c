"""A chat template that asks for the day is told that of the run, whenever the run goes on."""

import json
from datetime import date
from pathlib import Path

import pytest

import harness
from harness.decision.comparable import differing_conditions
from harness.run import planning
from harness.run.options import EvalOptions
from tests.cli.conftest import write_suite
from tests.tiny import CHAT_TEMPLATE, build_tiny_checkpoint

ASKING = "{{ strftime_now('%d %B %Y') }}\n" + CHAT_TEMPLATE


def calendar(day: date) -> type:
    """One on which it is always that day."""
    return type("Calendar", (), {"today": staticmethod(lambda: day)})


@pytest.mark.parametrize("template", [ASKING, CHAT_TEMPLATE])
def test_a_run_that_goes_on_after_midnight_is_told_the_day_on_which_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    model = build_tiny_checkpoint(tmp_path / "model")
    (model / "chat_template.jinja").write_text(template)
    write_suite(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planning, "date", calendar(date(2030, 12, 31)))
    options = EvalOptions(apply_chat_template=True, meter="none", store="none")
    first = harness.evaluate(str(model), suite="mine.yaml", options=options)
    (first.folder / "seal.json").unlink()
    monkeypatch.setattr(planning, "date", calendar(date(2031, 1, 1)))
    second = harness.evaluate(str(model), suite="mine.yaml", options=options)
    assert second.folder == first.folder
    asks = template is ASKING
    assert json.loads((second.folder / "spec.json").read_text())["chat_date"] == ("2030-12-31" if asks else None)
    assert ("date:2030-12-31" in second.estimates["signature"].iloc[0]) == asks


def test_runs_of_two_days_are_compared_under_that_condition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_tiny_checkpoint(tmp_path / "model")
    (model / "chat_template.jinja").write_text(ASKING)
    write_suite(tmp_path)
    monkeypatch.chdir(tmp_path)
    records = []
    for day in (date(2030, 12, 31), date(2031, 1, 1)):
        monkeypatch.setattr(planning, "date", calendar(day))
        options = EvalOptions(apply_chat_template=True, meter="none", store="none", output=tmp_path / str(day))
        records.append(harness.evaluate(str(model), suite="mine.yaml", options=options))
    assert differing_conditions(*records) == ["chat_date: 2030-12-31 against 2031-01-01"]
