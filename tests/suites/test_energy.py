from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import DataError
from harness.core.meters import Window
from harness.core.requests import GenerateUntil, Response
from harness.core.scores import Estimate, Score
from harness.core.tasks import Results, TaskSettings
from suites.energy.suite import Energy
from suites.energy.text_generation import TextGeneration


def window(phase: str, stage: str | None, seconds: float, joules: float | None, **more: Any) -> Window:
    defaults: dict[str, Any] = {
        "basis": "measured",
        "source": "a test",
        "region": "FRA",
        "carbon_grams_per_kwh": 50.0,
        "components_joules": {} if joules is None else {"cpu": joules * 0.75, "ram": joules * 0.25},
        "absent": {"gpu": "no GPU here"},
        "reason": "the counter was reset" if joules is None else None,
    }
    return Window(phase=phase, stage=stage, duration_s=seconds, energy_joules=joules, **{**defaults, **more})


IDLE = window("idle", None, 5.0, 50.0)
RUN = (
    IDLE,  # 10 W
    window("load", None, 2.0, 60.0),
    window("accuracy/loglikelihood", "prefill", 5.0, 250.0, token_count=1000, request_count=40),
    window("accuracy/loglikelihood", "prefill", 5.0, 350.0, token_count=1000, request_count=60),
    window("energy/generate_until", "prefill", 1.0, 40.0, token_count=100),
    window("energy/generate_until", "decode", 10.0, 300.0, token_count=50, request_count=4),
)


def derive(*windows: Window) -> dict[tuple[str, str], Estimate]:
    results = Results(scores={}, estimates=[], windows=windows, signature="seed:0")
    found = Energy().derive(results)
    assert len({(one.task, one.metric) for one in found}) == len(found)
    return {(one.task, one.metric): one for one in found}


@pytest.mark.parametrize(
    ("task", "metric", "value", "unit"),
    [
        ("idle", "idle_power_watts", 10.0, "W"),
        ("run", "energy_joules", 60 + 250 + 350 + 40 + 300, "J"),
        ("run", "net_energy_joules", 1000 - 10 * (2 + 5 + 5 + 1 + 10), "J"),
        ("run", "cpu_energy_joules", 750.0, "J"),
        ("run", "ram_energy_joules", 250.0, "J"),
        ("run", "carbon_grams", 1000 / 3.6e6 * 50, "gCO2e"),
        ("run", "joules_per_token_prefill", (250 + 350 + 40) / 2100, "J/token"),
        ("run", "net_joules_per_token_prefill", (250 + 350 + 40 - 110) / 2100, "J/token"),
        ("run", "joules_per_token_decode", 300 / 50, "J/token"),
        ("run", "net_joules_per_token_decode", 200 / 50, "J/token"),
        ("load", "energy_joules", 60.0, "J"),
        ("load", "net_energy_joules", 40.0, "J"),
        ("accuracy/loglikelihood", "net_energy_joules", 500.0, "J"),
        ("accuracy/loglikelihood", "wh_per_1000_requests", 600 / 3600 / 100 * 1000, "Wh/1,000 requests"),
        ("accuracy/loglikelihood", "net_wh_per_1000_requests", 500 / 3600 / 100 * 1000, "Wh/1,000 requests"),
        ("energy/generate_until", "wh_per_1000_requests", 340 / 3600 / 4 * 1000, "Wh/1,000 requests"),
    ],
)
def test_figures_are_what_the_windows_give_by_hand(task: str, metric: str, value: float, unit: str) -> None:
    estimate = derive(*RUN)[task, metric]
    assert estimate.value == pytest.approx(value)
    assert estimate.unit == unit
    assert estimate.direction == "lower"
    assert estimate.suite == "energy"


def test_the_error_of_energy_per_token_is_that_of_a_ratio_over_windows() -> None:
    estimate = derive(IDLE, *RUN[2:4])["run", "joules_per_token_prefill"]
    # Equal weights: the mean of 0.25 and 0.35, with standard deviation sqrt(0.005) over sqrt(2) windows.
    assert estimate.n == 2
    assert estimate.stderr == pytest.approx(0.05)


def test_tokens_made_of_media_have_rates_of_their_own_where_there_are_any() -> None:
    media = [
        window("vision/multimodal_loglikelihood", "encode", seconds, joules, token_count=tokens)
        for seconds, joules, tokens in ((2.0, 90.0, 600), (1.0, 30.0, 200))
    ]
    before, after = derive(*RUN), derive(*RUN, *media)
    assert not any("encode" in metric for _, metric in before)
    assert after["run", "joules_per_token_encode"].value == pytest.approx(120 / 800)
    assert after["run", "net_joules_per_token_encode"].value == pytest.approx((120 - 3 * 10) / 800)
    assert after["run", "seconds_per_token_encode"].value == pytest.approx(3 / 800)
    assert after["run", "seconds_per_token_encode"].basis == "measured"
    guessed = derive(*RUN, *(replace(one, basis="estimated") for one in media))
    assert guessed["run", "joules_per_token_encode"].basis == "estimated"
    assert guessed["run", "seconds_per_token_encode"].basis == "measured"
    assert after["run", "joules_per_token_prefill"] == before["run", "joules_per_token_prefill"]
    unread = derive(*RUN, replace(media[0], energy_joules=None))
    assert unread["run", "joules_per_token_encode"].value is None
    assert unread["run", "seconds_per_token_encode"].value == pytest.approx(2 / 600)


def test_a_phase_of_two_stages_has_no_error_for_energy_per_request() -> None:
    found = derive(*RUN)
    assert found["energy/generate_until", "wh_per_1000_requests"].stderr is None
    assert found["accuracy/loglikelihood", "wh_per_1000_requests"].stderr is not None


def test_the_interval_of_gross_energy_ends_at_0() -> None:
    # Two windows so unlike that t with one degree of freedom would reach far below 0.
    unlike = (replace(RUN[2], energy_joules=10.0), replace(RUN[3], energy_joules=900.0))
    estimate = derive(IDLE, *unlike)["accuracy/loglikelihood", "wh_per_1000_requests"]
    assert estimate.low == 0
    assert estimate.high is not None
    assert estimate.value is not None
    assert estimate.value < estimate.high


def test_sums_have_no_sampling_error_and_count_their_windows() -> None:
    estimate = derive(*RUN)["run", "energy_joules"]
    assert (estimate.n, estimate.stderr, estimate.interval) == (5, None, None)


def test_the_phase_that_measures_idle_power_is_in_no_sum() -> None:
    assert derive(*RUN)["run", "energy_joules"].value == derive(*RUN[1:])["run", "energy_joules"].value
    assert ("idle", "energy_joules") not in derive(*RUN)


def test_a_gpu_that_is_not_seen_is_absent_with_the_meters_reason_and_never_0() -> None:
    estimate = derive(*RUN)["run", "gpu_energy_joules"]
    assert (estimate.value, estimate.reason) == (None, "no GPU here")


def test_without_an_idle_phase_gross_figures_stay_and_net_ones_are_absent() -> None:
    found = derive(*RUN[1:])
    assert found["run", "energy_joules"].value == pytest.approx(1000.0)
    for key in (("run", "net_energy_joules"), ("run", "net_joules_per_token_decode"), ("idle", "idle_power_watts")):
        assert found[key].value is None
        assert "no idle phase" in str(found[key].reason)


def test_net_energy_below_0_is_absent_with_the_reason_and_never_clipped() -> None:
    estimate = derive(IDLE, window("load", None, 10.0, 60.0))["run", "net_energy_joules"]
    assert estimate.value is None
    assert "10.0 W of the idle phase" in str(estimate.reason)


def test_without_windows_everything_is_absent_with_a_reason() -> None:
    found = derive()
    assert ("run", "energy_joules") in found
    assert all(one.value is None and one.reason for one in found.values())


def test_windows_without_energy_make_the_sum_absent_where_they_are_long() -> None:
    estimate = derive(*RUN, window("a/loglikelihood", "prefill", 3.0, None))["run", "energy_joules"]
    assert estimate.value is None
    assert estimate.invalid_count == 1
    assert "the counter was reset" in str(estimate.reason)


def test_windows_without_energy_are_counted_as_unused_where_they_are_short() -> None:
    found = derive(*RUN, window("a/loglikelihood", "prefill", 0.05, None))
    assert found["run", "energy_joules"].value == pytest.approx(1000.0)
    assert found["run", "energy_joules"].invalid_count == 1
    assert found["a/loglikelihood", "energy_joules"].value is None


def test_one_estimated_window_makes_a_sum_estimated_and_carbon_always_is() -> None:
    found = derive(*RUN)
    assert found["run", "energy_joules"].basis == "measured"
    assert found["run", "carbon_grams"].basis == "estimated"
    mixed = derive(*RUN[:-1], replace(RUN[-1], basis="estimated"))
    assert mixed["run", "energy_joules"].basis == "estimated"
    assert mixed["load", "energy_joules"].basis == "measured"


def test_the_signature_names_the_region_its_intensity_and_the_instrument() -> None:
    assert derive(*RUN)["run", "carbon_grams"].signature == "seed:0|gCO2e/kWh:FRA:50|meter:a test"


def test_carbon_is_absent_where_the_intensity_is_not_known() -> None:
    estimate = derive(IDLE, replace(RUN[1], carbon_grams_per_kwh=None))["run", "carbon_grams"]
    assert estimate.value is None
    assert "load" in str(estimate.reason)


@given(
    st.lists(st.tuples(st.floats(0.2, 10), st.floats(10, 500), st.integers(1, 999)), min_size=1, max_size=8),
    st.floats(0.1, 9),
)
def test_net_energy_is_gross_minus_idle_power_times_time(pieces: list[tuple[float, float, int]], watts: float) -> None:
    work = [
        window("a/generate_until", "decode", seconds, seconds * power, token_count=tokens, request_count=1)
        for seconds, power, tokens in pieces
    ]
    found = derive(window("idle", None, 4.0, 4.0 * watts), *work)
    gross, net = found["run", "energy_joules"].value, found["run", "net_energy_joules"].value
    assert gross is not None
    assert net is not None
    assert gross - net == pytest.approx(watts * sum(seconds for seconds, _, _ in pieces))


ROWS = [{"id": str(number), "document": " ".join(["word"] * number), "summary": "s"} for number in range(200)]


def settings(limit: int | None) -> TaskSettings:
    return TaskSettings(limit=limit, num_fewshot=0, seed=0)


def test_text_generation_asks_for_32_greedy_tokens_after_at_most_60_words() -> None:
    task = TextGeneration()
    samples = task.samples(ROWS, settings(20))
    assert len({sample.id for sample in samples}) == 20
    for sample in samples:
        assert len(sample.prompt.split()) == min(60, int(sample.id))
        (request,) = task.requests(sample)
        assert isinstance(request, GenerateUntil)
        assert (request.max_tokens, request.temperature, request.until) == (32, 0.0, ())


def test_text_generation_leaves_out_empty_documents_and_refuses_rows_without_one() -> None:
    task = TextGeneration()
    assert "0" not in {sample.id for sample in task.samples(ROWS, settings(None))}
    with pytest.raises(DataError, match="document"):
        task.samples([{"id": "1", "summary": "s"}], settings(1))


def test_text_generation_scores_the_tokens_written_or_says_why_not() -> None:
    task = TextGeneration()
    sample = task.samples(ROWS, settings(1))[0]
    (written,) = task.score(sample, [Response(request_id="r", text="...", token_count=9)])
    (failed,) = task.score(sample, [Response(request_id="r", invalid="NaN")])
    assert (written.value, written.invalid) == (9.0, None)
    assert (failed.value, failed.invalid) == (None, "NaN")
    assert {written.metric} == {metric.name for metric in task.metrics}


TEXTS = {
    ("energy", "text_generation"): [Score(sample_id=str(n), metric="generated_tokens", value=9.0) for n in range(4)]
}


def derive_all(*windows: Window, **more: Any) -> dict[tuple[str, str], Estimate]:
    results = Results(**{"scores": TEXTS, "estimates": [], "windows": windows, "signature": "seed:0", **more})
    return {(one.task, one.metric): one for one in Energy().derive(results)}


def repeated(*joules: float) -> list[Window]:
    """Repeats of four prompts: 400 tokens read for 40 J, then 40 written for some joules."""
    return [
        one
        for cost in joules
        for one in (
            window("repeats", "prefill", 1.0, 40.0, token_count=400),
            window("repeats", "decode", 4.0, cost, token_count=40, request_count=4),
        )
    ]


def test_repeats_and_warm_up_are_in_no_sum_of_the_run_and_idle_in_measuring() -> None:
    found = derive_all(*RUN, window("warm-up", "prefill", 1.0, 5.0), *repeated(100.0, 100.0))
    assert found["run", "energy_joules"].value == pytest.approx(1000.0)
    assert found["run", "joules_per_token_decode"].value == pytest.approx(300 / 50)
    assert found["measuring", "energy_joules"].value == pytest.approx(50 + 5 + 2 * 140)
    assert not {task for task, _ in found} & {"repeats", "warm-up"}


def test_the_energy_of_a_token_is_that_of_the_repeats_and_of_the_first_answers_without_them() -> None:
    found = derive_all(*RUN, *repeated(99.0, 100.0, 101.0, 100.0))
    rate = found["text_generation", "joules_per_token_decode"]
    assert rate.value == pytest.approx(400 / 160)
    assert (rate.n, rate.interval) == (4, "t, skewness corrected")
    assert rate.signature.startswith("queries:4|")
    assert found["text_generation", "joules_per_token_prefill"].value == pytest.approx(0.1)
    first = derive_all(*RUN)["text_generation", "joules_per_token_decode"]
    assert first.value == pytest.approx(300 / 50)
    assert "the aim is ±5%" in str(first.interval)


def test_a_wide_interval_says_that_the_aim_was_not_reached() -> None:
    rate = derive_all(*repeated(50.0, 150.0))["text_generation", "joules_per_token_decode"]
    # 50 and 150: a standard error of 50 on a mean of 100, and t of 12.71 with one degree of freedom.
    assert "±635.3%" in str(rate.interval)
    assert "5% was not reached in 2 windows" in str(rate.interval)


def test_the_energy_of_1000_queries_adds_up_both_stages_and_their_errors() -> None:
    estimate = derive_all(*repeated(90.0, 110.0))["text_generation", "wh_per_1000_queries"]
    assert estimate.value == pytest.approx((2 * 40 + 200) / 8 * 1000 / 3600)
    # Reading cost the same each time; writing 100 J ± 10 J for four queries.
    assert estimate.stderr == pytest.approx(10 / 4 * 1000 / 3600)
    gpu = derive_all(*repeated(90.0, 110.0))["text_generation", "gpu_wh_per_1000_queries"]
    assert (gpu.value, gpu.reason) == (None, "no GPU here")


def quiz(right: int, asked: int, metric: str = "acc") -> dict[str, Any]:
    """A suite of one task, three requests a sample."""
    scores = [Score(sample_id=str(n), metric=metric, value=float(n < right)) for n in range(asked)]
    share = right / asked
    accuracy = Estimate(
        suite="accuracy",
        task="quiz",
        metric=metric,
        value=share,
        stderr=0.1,
        n=asked,
        unit="share",
        direction="higher",
        signature="",
    )
    return {
        "scores": {**TEXTS, ("accuracy", "quiz"): scores},
        "estimates": [accuracy],
        "request_counts": {("accuracy", "quiz"): 3 * asked},
    }


@pytest.mark.parametrize("metric", ["acc", "accuracy_all"])
def test_the_energy_of_a_correct_answer_has_the_errors_of_energy_and_accuracy(metric: str) -> None:
    windows = [window("accuracy/loglikelihood", "prefill", 5.0, joules, request_count=15) for joules in (90.0, 110.0)]
    estimate = derive_all(*windows, **quiz(5, 10, metric))["accuracy", "joules_per_correct_answer"]
    assert estimate.value == pytest.approx(200 / 5)
    # A tenth from the energy (100 ± 10 of two windows), a fifth from the accuracy (0.5 ± 0.1).
    assert estimate.stderr == pytest.approx(40 * (0.1**2 + 0.2**2) ** 0.5)
    assert estimate.basis == "measured"


def test_what_is_asked_in_a_second_round_costs_too() -> None:
    windows = [
        window("accuracy/loglikelihood", "prefill", 5.0, 100.0, request_count=30),
        window("accuracy/generate_until", "decode", 5.0, 60.0, request_count=10, token_count=40),
    ]
    asked = {**quiz(5, 10), "request_counts": {("accuracy", "quiz"): 40}}
    estimate = derive_all(*windows, **asked)["accuracy", "joules_per_correct_answer"]
    assert estimate.value == pytest.approx(160 / 5)
    assert estimate.basis == "measured"


def test_requests_that_another_suite_answered_are_counted_at_the_same_rate_and_make_it_an_estimate() -> None:
    windows = [window("accuracy/loglikelihood", "prefill", 5.0, 100.0, request_count=15)]
    estimate = derive_all(*windows, **quiz(5, 10))["accuracy", "joules_per_correct_answer"]
    assert estimate.value == pytest.approx(2 * 100 / 5)
    assert estimate.basis == "estimated"


def test_without_a_correct_answer_its_energy_is_absent() -> None:
    windows = [window("accuracy/loglikelihood", "prefill", 5.0, 100.0, request_count=30)]
    estimate = derive_all(*windows, **quiz(0, 10))["accuracy", "joules_per_correct_answer"]
    assert (estimate.value, estimate.reason) == (None, "there is no correct answer")


def test_a_suite_without_correct_answers_has_no_such_figure() -> None:
    assert not [metric for _, metric in derive_all(*RUN) if metric == "joules_per_correct_answer"]
