"""Metrics of the `evaluate` library as ours, and ours as theirs, against scikit-learn and by hand."""

import math
from pathlib import Path
from random import Random

import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

from harness.core.errors import TaskError, UnavailableError
from harness.core.metrics import Mean, Undefined
from harness.core.scores import Score
from harness.metrics.evaluate import as_evaluate, load_metric
from harness.metrics.standard import ACC, BITS_PER_BYTE, MACRO_F1, MCC, TOKEN_PERPLEXITY

SCRIPT = """
import datasets
import evaluate
from sklearn.metrics import balanced_accuracy_score


class {title}(evaluate.Metric):
    {body}

    def _info(self):
        kind = datasets.Value("{dtype}")
        features = datasets.Features({{"predictions": kind, "references": kind}})
        return evaluate.MetricInfo(description="-", citation="Doe (2020)", inputs_description="-", features=features)

    def _compute(self, predictions, references):
        return {result}
"""

GOLD = ["yes", "no", "maybe", "yes", "no", "yes", "maybe", "no"]
PREDICTED = ["yes", "no", "yes", "maybe", "no", "yes", "maybe", "yes"]


def script(
    folder: Path, name: str, result: str, *, dtype: str = "string", body: str = "higher_is_better = True"
) -> str:
    path = folder / f"{name}.py"
    path.write_text(SCRIPT.format(title=name.title(), result=result, dtype=dtype, body=body), encoding="utf-8")
    return f"evaluate:{path}"


def scores(gold: list[str], predicted: list[str]) -> list[Score]:
    return [
        Score(sample_id=str(index), metric="m", gold=right, predicted=said)
        for index, (right, said) in enumerate(zip(gold, predicted, strict=True))
    ]


def test_a_local_script_gives_its_own_value_with_a_seeded_interval(tmp_path: Path) -> None:
    reference = script(tmp_path, "balance", '{"balance": balanced_accuracy_score(references, predictions)}')
    metric = load_metric(reference, trust_metric_code=True)
    interval = metric.reduce(scores(GOLD * 5, PREDICTED * 5), Random(3))
    assert interval.value == pytest.approx(balanced_accuracy_score(GOLD, PREDICTED))
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high
    assert metric.reduce(scores(GOLD * 5, PREDICTED * 5), Random(3)) == interval
    assert (metric.direction, metric.source) == ("higher", "Doe (2020)")


def test_labels_are_numbered_for_a_metric_that_wants_whole_numbers(tmp_path: Path) -> None:
    result = '{"right": sum(p == r for p, r in zip(predictions, references)) / len(references)}'
    metric = load_metric(script(tmp_path, "right", result, dtype="int32"), trust_metric_code=True)
    assert metric.reduce(scores(GOLD, PREDICTED), Random(0)).value == pytest.approx(accuracy_score(GOLD, PREDICTED))
    assert metric.reduce(scores(["1", "0"], ["1", "1"]), Random(0)).value == 0.5


def test_a_script_says_itself_that_lower_is_better(tmp_path: Path) -> None:
    reference = script(tmp_path, "wrong", '{"wrong": 0.0}', body="higher_is_better = False")
    assert load_metric(reference, trust_metric_code=True).direction == "lower"


def test_one_of_several_results_is_taken_by_its_key_and_never_guessed(tmp_path: Path) -> None:
    reference = script(tmp_path, "several", '{"first": 1.0, "second": 2.0}')
    assert load_metric(f"{reference}#second", trust_metric_code=True).reduce(scores(["a"], ["b"]), Random(0)).value == 2
    with pytest.raises(Undefined, match="first, second"):
        load_metric(reference, trust_metric_code=True).reduce(scores(["a"], ["b"]), Random(0))


@pytest.mark.parametrize("result", ['{"bad": float("nan")}', '{"bad": "much"}', '{"bad": 1 / 0}'])
def test_what_is_no_number_becomes_the_reason_of_an_absent_value(tmp_path: Path, result: str) -> None:
    metric = load_metric(script(tmp_path, "bad", result), trust_metric_code=True)
    with pytest.raises(Undefined, match="evaluate's bad"):
        metric.reduce(scores(GOLD, PREDICTED), Random(0))


def test_a_sample_without_labels_leaves_the_metric_undefined(tmp_path: Path) -> None:
    metric = load_metric(script(tmp_path, "plain", '{"plain": 1.0}'), trust_metric_code=True)
    with pytest.raises(Undefined, match="no gold"):
        metric.reduce([Score(sample_id="0", metric="m", value=1.0)], Random(0))


def test_a_script_runs_only_if_it_is_allowed_by_name(tmp_path: Path) -> None:
    path, mark = tmp_path / "evil.py", tmp_path / "ran"
    path.write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    with pytest.raises(TaskError, match="--trust-metric-code") as caught:
        load_metric(f"evaluate:{path}", trust_metric_code=False)
    assert caught.value.place == str(path)
    assert not mark.exists()


def test_a_metric_of_the_hub_needs_permission_and_the_network() -> None:
    with pytest.raises(TaskError, match="--trust-metric-code"):
        load_metric("evaluate:accuracy", trust_metric_code=False)
    with pytest.raises(UnavailableError, match="offline"):
        load_metric("evaluate:accuracy", trust_metric_code=True, offline=True)


def test_a_script_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no such metric script"):
        load_metric(f"evaluate:{tmp_path / 'none.py'}", trust_metric_code=True)
    path = tmp_path / "broken.py"
    path.write_text("import evaluate\nraise RuntimeError('no')", encoding="utf-8")
    with pytest.raises(TaskError, match=r"broken\.py: .*RuntimeError: no"):
        load_metric(f"evaluate:{path}", trust_metric_code=True)


@pytest.mark.parametrize("labels", [str, ["maybe", "no", "yes"].index], ids=["texts", "numbers"])
def test_label_metrics_of_ours_serve_pipelines_of_evaluate(labels: object) -> None:
    assert callable(labels)
    given = {"predictions": [labels(label) for label in PREDICTED], "references": [labels(label) for label in GOLD]}
    assert as_evaluate(ACC).compute(**given)["acc"] == pytest.approx(accuracy_score(GOLD, PREDICTED))
    macro = f1_score(GOLD, PREDICTED, average="macro")
    assert as_evaluate(MACRO_F1).compute(**given)["macro_f1"] == pytest.approx(macro)
    found = as_evaluate(MCC).compute(**given)
    assert found["mcc"] == pytest.approx(matthews_corrcoef(GOLD, PREDICTED))
    assert found["low"] <= found["mcc"] <= found["high"]


def test_metrics_per_unit_and_means_of_ours_take_numbers() -> None:
    nats, units = [3.0, 5.0, 4.0], [2, 2, 1]
    perplexity = as_evaluate(TOKEN_PERPLEXITY).compute(predictions=nats, references=units)
    assert perplexity["token_perplexity"] == pytest.approx(math.exp(12 / 5))
    bits = as_evaluate(BITS_PER_BYTE).compute(predictions=nats, references=units)
    assert bits["bits_per_byte"] == pytest.approx(12 / 5 / math.log(2))
    mean = Mean(name="length", unit="tokens", target=4.0, source="-")
    assert as_evaluate(mean).compute(predictions=nats)["length"] == pytest.approx(4.0)


def test_ours_can_be_fed_in_batches_and_combined_as_any_metric_of_evaluate() -> None:
    import evaluate

    both = evaluate.combine([as_evaluate(ACC), as_evaluate(MACRO_F1)])
    found = both.compute(predictions=PREDICTED, references=GOLD)
    assert found["acc"] == pytest.approx(accuracy_score(GOLD, PREDICTED))
    fed = as_evaluate(ACC)
    for right, said in zip(GOLD, PREDICTED, strict=True):
        fed.add_batch(predictions=[said], references=[right])
    assert fed.compute()["acc"] == found["acc"]


def test_an_undefined_metric_of_ours_is_absent_with_its_reason() -> None:
    found = as_evaluate(MCC).compute(predictions=["a", "b"], references=["a", "a"])
    assert found["mcc"] is None
    assert found["reason"]
