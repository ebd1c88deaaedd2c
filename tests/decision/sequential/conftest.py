"""A checkpoint, questions about it, and its answers to all of them."""

from pathlib import Path

import pytest

from harness.record import RunRecord
from harness.run.pipeline import evaluate
from tests.decision.sequential import quiz


@pytest.fixture(scope="package")
def place(tmp_path_factory) -> Path:
    """A folder with a checkpoint, questions and a suite file."""
    return quiz.made(tmp_path_factory.mktemp("deciding"))


@pytest.fixture(scope="package")
def baseline(place) -> RunRecord:
    """The same checkpoint, asked everything."""
    return evaluate(str(place / "model"), suite=str(place / "quiz.yaml"), limit="all", options=quiz.options(place))
