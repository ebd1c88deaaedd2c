"""The leaderboard's page over either database."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from harness.store import index_folder
from tests.store.records import make_record

APP = Path(__file__).parents[2] / "leaderboard" / "app.py"


def test_the_leaderboard_shows_what_is_in_the_store(named, opened, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    made = [
        make_record(folder, model=name, fingerprint=name[0] * 64, right=right, n=60)
        for name, right in (("alpha", 0.9), ("beta", 0.3))
    ]
    index_folder(opened(), folder)
    monkeypatch.setenv("HARNESS_STORE", named)
    monkeypatch.setenv("HARNESS_RECORDS", str(folder))
    app = AppTest.from_file(APP, default_timeout=60).run()
    table = app.dataframe[0].value.set_index("checkpoint")
    assert sorted(table.index) == ["alpha", "beta"]
    shown = {name: table["accuracy"][name] for name in table.index}
    assert shown == {
        record.spec.model: one.value
        for record in made
        for one in record.estimate_list
        if (one.suite, one.task) == ("accuracy", "overall")
    }
