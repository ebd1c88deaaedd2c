import pandas as pd
import pytest

from harness.charts import risk_coverage, to_svg
from suites.calibration.risk import risk_curves


def row(
    confidence: float | None, predicted: str, invalid: str | None = None, metric: str = "aurc"
) -> dict[str, object]:
    return {
        "task": "<quiz>",
        "metric": metric,
        "value": confidence,
        "gold": "1",
        "predicted": predicted,
        "invalid": invalid,
    }


SCORES = pd.DataFrame(
    [row(0.7, "1"), row(0.9, "1"), row(0.8, "0"), row(0.6, "0"), row(None, "0", "NaN"), row(0.99, "0", metric="ece")]
)


def test_a_curve_is_as_counted_by_hand() -> None:
    curve = risk_curves(SCORES)["<quiz>"]
    assert curve["coverage"].tolist() == [0.25, 0.5, 0.75, 1.0]
    # From the surest down: right, wrong, right, wrong.
    assert curve["risk"].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])


def test_it_is_drawn_with_its_task_as_text() -> None:
    drawn = to_svg(risk_coverage(risk_curves(SCORES)["<quiz>"]))
    assert "&lt;quiz&gt;: errors by how many answers are taken" in drawn
    assert "errors among them (share)" in drawn
