"""One meter a machine, a warm-up that counts nowhere, and repeats that change no score."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.meters import IDLE, REPEATS, WARM_UP, NullMeter, Window
from harness.core.models import Batch
from harness.core.process.progress import Quiet
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scores import Estimate
from harness.record import RunRecord
from harness.run import metering
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate

REQUESTS = [GenerateUntil(context=f"text {n}", until=(), max_tokens=8) for n in range(6)]


class Clock:
    """Time that passes by the model's work alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(metering, "time", SimpleNamespace(monotonic=lambda: self.now))


class Worker:
    """Answers a batch in a second and writes ten tokens; `joules` are spent in each phase, in turn."""

    def __init__(self, clock: Clock, joules: Sequence[float | None]) -> None:
        self.clock, self.joules, self.windows = clock, list(joules), list[Window]()
        self.asked: list[Request] = []

    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [Batch(tuple(requests))]

    def answer(self, batch: Batch) -> list[Response]:
        self.asked += batch.requests
        self.clock.now += 1.0
        return [Response(request_id=request.id, text="") for request in batch.requests]

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = self.clock.now
        yield
        joules = self.joules.pop(0)
        self.windows.append(
            Window(
                phase=name,
                stage="decode",
                duration_s=self.clock.now - begun,
                energy_joules=joules,
                basis="measured",
                source="a test",
                reason="lost" if joules is None else None,
                token_count=10,
                request_count=6,
            )
        )

    def stage(self, name: str) -> None:
        pass

    def count(self, *, tokens: int, requests: int) -> None:
        pass

    def close(self) -> None:
        pass


def repeats(monkeypatch: pytest.MonkeyPatch, joules: Sequence[float | None], first: float = 5.0) -> int:
    """How often the requests are repeated where they cost these joules, and took `first` seconds at first."""
    worker = Worker(Clock(monkeypatch), joules)
    worker.windows.append(
        Window(phase="energy/generate_until", duration_s=first, energy_joules=1.0, basis="measured", source="a test")
    )
    metering.repeat(worker, REQUESTS, worker, lambda: worker.windows, Quiet())
    return sum(window.phase == REPEATS for window in worker.windows)


def test_equal_readings_end_the_repeats_as_soon_as_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repeats(monkeypatch, [100.0, 101.0, 99.0, 100.0, 100.0]) == 4


def test_readings_that_differ_go_on_until_the_interval_is_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Half of the t interval of 8 of them is 5.8 % of their mean (2.365 / sqrt(7) * 6.5 %), of 10 of them 4.9 %; an odd
    # number of them is skewed, which widens one side beyond 5 %.
    assert repeats(monkeypatch, [93.5, 106.5] * 20, first=1.0) == 10


def test_unlike_readings_end_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each takes two seconds, and the first answers took five: the 10th begins at 18 s.
    assert repeats(monkeypatch, [50.0, 500.0] * 20) == 10


def test_work_that_is_longer_than_the_time_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repeats(monkeypatch, [], first=60.0) == 0


def test_a_counter_without_energy_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repeats(monkeypatch, [None]) == 1


def test_warming_up_is_brief_and_a_phase_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(Clock(monkeypatch), [1.0])
    metering.warm_up(worker, REQUESTS, worker)
    assert [window.phase for window in worker.windows] == [WARM_UP]
    assert len(worker.asked) < len(REQUESTS)
    assert all(isinstance(one, GenerateUntil) and one.max_tokens < 8 for one in worker.asked)


def test_a_machine_has_one_meter_and_whoever_comes_second_has_the_reason() -> None:
    first: list[Window] = []
    second: list[Window] = []
    with metering.machine_meter("codecarbon", first.append, None, Quiet()) as held:
        assert not isinstance(held, NullMeter)
        with metering.machine_meter("codecarbon", second.append, None, Quiet()) as absent, absent.phase("load"):
            pass
    (window,) = second
    assert (window.phase, window.energy_joules) == ("load", None)
    assert "another run" in str(window.reason)
    with metering.machine_meter("codecarbon", second.append, None, Quiet()) as free:
        assert not isinstance(free, NullMeter)


def test_a_meter_that_fails_to_start_leaves_the_machine_free() -> None:
    with pytest.raises(Exception, match="atlantis"), metering.machine_meter("codecarbon", print, "atlantis", Quiet()):
        pass
    with metering.machine_meter("codecarbon", print, None, Quiet()) as meter:
        assert not isinstance(meter, NullMeter)


@pytest.fixture(scope="module")
def records(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunRecord]]:
    """One evaluation without a meter, one with it, and one that was broken off before its repeats."""
    folder = tmp_path_factory.mktemp("metered")

    def run(name: str, meter: str) -> RunRecord:
        options = EvalOptions(meter=meter, output=folder / name, offline=True)
        return evaluate(str(tiny_llama), suite=["energy"], task=["piqa"], limit=6, options=options)

    def break_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metering, "_IDLE_S", 0.15)
        patch.setattr(metering, "REPEAT_S", 0.4)
        patch.setattr(metering, "REPEATS_S", 3.0)
        found = {"without": run("without", "none"), "with": run("with", "codecarbon")}
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr("harness.run.pipeline.repeat", break_off)
            with pytest.raises(KeyboardInterrupt):
                run("broken", "codecarbon")
        yield {**found, "broken": run("broken", "codecarbon")}


def test_measuring_changes_no_byte_of_scores_or_estimates(records: dict[str, RunRecord]) -> None:
    for name in ("estimates.json", "scores.parquet", "responses.parquet"):
        assert len({(record.folder / name).read_bytes() for record in records.values()}) == 1, name
    journals = {name: (record.folder / "journal.jsonl").read_text().count("\n") for name, record in records.items()}
    assert len(set(journals.values())) == 1


def figures(record: RunRecord) -> dict[tuple[str, str], Estimate]:
    return {(one.task, one.metric): one for one in record.estimate_list if one.suite == "energy"}


def test_the_figures_of_a_token_are_those_of_the_repeats(records: dict[str, RunRecord]) -> None:
    for name in ("with", "broken"):
        windows, found = records[name].windows, figures(records[name])
        decoding = [window for window in windows if window.phase == REPEATS and window.stage == "decode"]
        joules = sum(window.energy_joules or 0.0 for window in decoding)
        rate = found["text_generation", "joules_per_token_decode"]
        assert rate.value == pytest.approx(joules / sum(window.token_count for window in decoding))
        assert rate.n == len(decoding)
        assert found["overall", "joules_per_token_decode"].value == rate.value
        assert {IDLE, WARM_UP} < {window.phase for window in windows}


def test_without_a_meter_every_figure_is_absent_with_a_reason(records: dict[str, RunRecord]) -> None:
    measured = [one for one in figures(records["without"]).values() if one.metric != "generated_tokens"]
    assert measured
    assert all(one.value is None and one.reason for one in measured)
