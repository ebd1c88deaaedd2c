"""What the leaderboard reads from records."""

from dataclasses import replace

from leaderboard.queries import estimates_of
from tests.record.test_record import ESTIMATE, SPEC, finish


def test_every_verified_run_gives_its_estimates_and_a_changed_one_gives_none(tmp_path):
    first, second = finish(tmp_path), finish(tmp_path, replace(SPEC, seed=1))
    table = estimates_of([first, second])
    assert table["run_id"].tolist() == [first.run_id, second.run_id]
    assert table["value"].tolist() == [ESTIMATE.value] * 2
    (second.folder / "estimates.json").write_text("[]")
    assert estimates_of([first, second])["run_id"].tolist() == [first.run_id]


def test_no_records_no_rows():
    assert estimates_of([]).empty
