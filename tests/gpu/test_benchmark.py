"""The benchmark for accelerators runs as it stands, on a tiny model, and both sides say the same."""

import pytest

from benchmarks.gpu import CASES, DRY, build_loaded, compare, markdown


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return build_loaded("dry", "cpu", tmp_path_factory.mktemp("dry"))


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_answered_alike_by_both_sides(case, loaded):
    outcome = compare("dry", case, DRY, loaded, "cpu", rounds=1)
    assert outcome.requests >= DRY.prompts
    assert outcome.difference < 5e-4
    assert "no counter" in markdown("cpu", [outcome], 1)
