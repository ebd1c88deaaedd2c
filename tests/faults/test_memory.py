"""Too little memory: batches are halved and the scores are the same; what doesn't fit by itself has that as reason."""

import numpy as np
import pytest

from harness.record import load_record
from tests.faults.conftest import ALL, Tally


@pytest.mark.parametrize("after", range(0, 16, 2) if ALL else [0, 6])
def test_batches_are_halved_and_scores_are_equal(place, undisturbed, tally: Tally, after):
    """The first forward passes are the engine's checks of itself; a question takes 40 tokens at most."""
    ended = place.run(("no_memory", {"after": after, "tokens": 60}), options=("--batch-tokens", "128"))
    assert ended.exit_code == 0, ended.err
    if "out of memory: going on with" not in ended.err:
        assert ALL
        pytest.skip("no forward pass is left")
    found, wanted = load_record(place.record).scores, load_record(undisturbed.record).scores
    same = np.allclose(found["value"], wanted["value"], atol=5e-4) and list(found["predicted"]) == list(
        wanted["predicted"]
    )
    tally.add("out of memory in a batch", survived=same)
    assert same


def test_a_request_too_large_by_itself_fails_with_its_reason(place, tally: Tally):
    path = place.folder / "texts.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace("met", "met" + " and met again" * 20)
    path.write_text("".join(lines))
    ended = place.run(("no_memory", {"after": 0, "tokens": 60}))
    assert ended.exit_code == 3, ended.err
    record = load_record(place.record)
    reasons = record.scores.set_index(["task", "sample_id"])["invalid"].dropna()
    assert {sample for _, sample in reasons.index} == {"2"} or len(set(reasons.index)) == 1
    assert reasons.str.contains("out of memory even with this request alone").all()
    rolling = record.estimates[record.estimates["task"] == "minutes"]
    assert set(rolling["n"]) == {5}
    assert set(rolling["invalid_count"]) == {1}
    assert record.verify() == []
    tally.add("out of memory in one request", survived=True)


def test_the_memory_of_the_process_has_a_bound(place):
    """A process that is warm holds hundreds of megabytes; one that may take no more than it has fails in one line."""
    ended = place.run(options=("--max-memory", "1MB"))
    assert ended.exit_code == 2
    assert "--max-memory" in ended.err
    assert "Traceback" not in ended.err
    assert "failed: the code of" not in ended.err
    ended = place.run(options=("--max-memory", "64GB"))
    assert ended.exit_code == 0, ended.err


@pytest.mark.parametrize("size", ["much", "0GB", "-1GB", "8XB"])
def test_what_is_no_size_is_refused(place, size):
    ended = place.run(options=(f"--max-memory={size}",))
    assert ended.exit_code == 2
    assert f"--max-memory {size}: is not a size" in ended.err
