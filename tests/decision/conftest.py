"""A policy, and a run to judge."""

import json

import pytest

from harness.decision.policy import read_policy
from tests.decision.runs import scores_of, sealed


@pytest.fixture
def policy(tmp_path):
    """A policy of these rules, in YAML's flow style."""

    def write(*rules, **settings):
        lines = ["format: 1", "name: test", *(f"{key}: {json.dumps(value)}" for key, value in settings.items())]
        path = tmp_path / "policy.yaml"
        path.write_text("\n".join([*lines, "rules:", *(f"  - {json.dumps(rule)}" for rule in rules)]) + "\n")
        return read_policy(str(path))

    return write


@pytest.fixture
def run(tmp_path):
    """A sealed run with so many right answers of `n`."""

    def make(right, n=200, name="a", **more):
        return sealed(tmp_path / "runs", name, scores_of([1.0] * right + [0.0] * (n - right)), **more)

    return make
