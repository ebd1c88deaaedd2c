"""The files of an export, read as a stranger would who trusts none of the records."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness.core.errors import HarnessError, InputError, RecordError
from harness.core.text.display import number, visible
from harness.core.text.translation import translator
from leaderboard.export.folder import LISTED
from tests.leaderboard.export.conftest import HOSTILE, called, contents, export
from tests.store.records import make_record

ROOT = Path(__file__).parents[3]
_TAGS = """
html head meta title link script body header nav a main h1 h2 p div span small output label input select option b i
table thead tbody tr th td details summary section dl dt dd ul ol li pre code figure img figcaption svg line circle
path noscript button
"""
ALLOWED = set(_TAGS.split())


class Page(HTMLParser):
    """What a browser would make of a page: its tags, addresses, ids, attributes and texts."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.places: list[str] = []
        self.ids: set[str] = set()
        self.text = ""
        self.policy = ""
        self.scripts_with_text = 0
        self._in_script = False
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(found)
        self.places += [found[name] for name in ("href", "src") if name in found]
        self.ids |= {found["id"]} if "id" in found else set()
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        self._in_script = tag == "script"

    def handle_data(self, data):
        self.text += data
        self.scripts_with_text += self._in_script and bool(data.strip())


@pytest.fixture(scope="module")
def pages(exported):
    return {name: Page(content) for name, content in exported.files.items() if name.endswith(".html")}


def test_every_run_has_its_pages_in_both_languages(exported):
    names = {
        "index.html",
        "compare.html",
        "tradeoffs.html",
        "history.html",
        f"compare-{exported.alpha.run_id}-{exported.beta.run_id}.html",
    }
    for record in (exported.alpha, exported.beta, exported.shots, exported.hostile):
        names |= {f"run-{record.run_id}.html", f"samples-{record.run_id}.html"}
    found = {name for name in exported.files if name.endswith(".html")}
    assert found == names | {f"zh/{name}" for name in names}
    assert set(json.loads(exported.files[LISTED])["files"]) == set(exported.files) - {LISTED}


def test_the_same_records_give_the_same_bytes(exported, tmp_path):
    export(exported.runs, tmp_path / "again")
    assert contents(tmp_path / "again") == exported.files


def test_every_link_leads_to_a_file_that_is_there(exported, pages):
    for name, page in pages.items():
        for place in page.places:
            parts = urlsplit(place)
            assert not parts.scheme, (name, place)
            assert not parts.netloc, (name, place)
            target = (exported.folder / name).parent / unquote(parts.path) if parts.path else exported.folder / name
            assert target.resolve().is_file(), (name, place)
            assert target.resolve().is_relative_to(exported.folder.resolve()), (name, place)
            if parts.fragment and "=" not in parts.fragment:
                assert (
                    unquote(parts.fragment)
                    in pages[target.resolve().relative_to(exported.folder.resolve()).as_posix()].ids
                )


def test_no_text_of_a_record_becomes_a_tag_or_a_script(exported, pages):
    for name, page in pages.items():
        assert page.tags <= ALLOWED, name
        assert not [one for one in page.attributes if one.startswith("on") or one == "style"], name
        assert page.scripts_with_text == 0, name
        assert page.policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), name
        assert "unsafe" not in page.policy, name
    told = pages[f"run-{exported.hostile.run_id}.html"].text
    assert "../../<b onclick=x>" in told
    assert "\u202e" not in told
    assert "\\u202e" in told
    assert "{{ 7 * 7 }}" in told


def test_no_script_holds_a_mark_that_could_end_it(exported):
    for name, content in exported.files.items():
        if name.startswith("data/") and name.endswith(".js"):
            assert not re.search(rb"[<>&\x00]", content), name
            called(content)


def test_samples_are_those_of_the_record(exported):
    record, found = exported.alpha, []
    for place, task in enumerate(("birds", "fish", "noise")):
        number, _, samples = called(exported.files[f"data/{record.run_id}/{place}-0.js"])
        assert number == place
        found += [(task, one["id"], one) for one in samples]
    scores = record.scores.set_index(["task", "sample_id"])
    asked = record.samples.groupby(["task", "sample_id"])
    assert len(found) == len(scores) == 180
    for task, sample_id, one in found:
        (situation,) = one["asked"]
        rows = asked.get_group((task, sample_id))
        row = scores.loc[(task, sample_id)]
        assert one["outcome"] == ["right" if row["value"] else "wrong"]
        assert situation["prompt"] == rows["context"].iloc[0]
        assert [choice["text"] for choice in situation["choices"]] == list(rows["continuation"])
        assert [choice["nats"] for choice in situation["choices"]] == list(rows["loglikelihood"])
        assert [choice["gold"] for choice in situation["choices"]].index(True) == int(row["gold"])
        assert [choice["taken"] for choice in situation["choices"]].index(True) == int(row["predicted"])
        assert sum(choice["share"] for choice in situation["choices"]) == pytest.approx(1)


def test_what_hides_is_made_visible_in_samples(exported):
    _, _, samples = called(exported.files[f"data/{exported.hostile.run_id}/0-0.js"])
    assert visible(HOSTILE) in samples[0]["asked"][0]["prompt"]
    assert samples[0]["outcome"] == ["invalid"]


def test_pages_say_the_numbers_of_the_records(exported, pages):
    for record in (exported.alpha, exported.beta):
        (overall,) = [one for one in record.estimate_list if (one.suite, one.task) == ("accuracy", "overall")]
        shown = f"{overall.value:.4f}"
        assert shown in pages["index.html"].text
        assert shown in pages[f"run-{record.run_id}.html"].text
        assert shown in pages[f"zh/run-{record.run_id}.html"].text
    assert "Set apart, because asked something else: 2." in pages["index.html"].text
    assert "Records that can't be trusted: 1." in pages["index.html"].text
    assert "排行榜" in pages["zh/index.html"].text


@pytest.fixture(scope="module")
def bare(exported, tmp_path_factory):
    """The files of an export without samples, in a folder that had one with them."""
    folder = tmp_path_factory.mktemp("bare") / "board"
    shutil.copytree(exported.folder, folder)
    export(exported.runs, folder, samples=False)
    return folder


def test_a_training_is_drawn_over_its_steps(exported, pages):
    said, files = pages["history.html"].text, exported.files
    assert "2 runs of this lineage, by the step of the training" in said
    assert all(text in said for text in ("training", "1,000", "2,000", "alpha", "beta"))
    drawn = [files[name].decode() for name in pages["history.html"].places if name.endswith(".svg")]
    assert drawn
    assert all("step of the training" in svg for svg in drawn)
    assert "按训练步数排列" in pages["zh/history.html"].text


def test_trade_offs_hold_a_score_against_what_is_known_of_costs(exported, pages):
    page = pages["tradeoffs.html"]
    (overall,) = [one for one in exported.beta.estimate_list if one.suite == "accuracy" and one.is_headline]
    assert all(text in page.text for text in ("alpha", "beta", "parameters (millions)", number(overall.value)))
    drawn = [exported.files[name].decode() for name in page.places if name.endswith(".svg")]
    assert any("Accuracy against parameters" in svg for svg in drawn)


def test_without_samples_no_prompt_and_no_answer_is_there(bare):
    for name, content in contents(bare).items():
        assert "samples-" not in name
        if not name.startswith("assets/"):
            assert b"Which bird sings" not in content, name
            assert b"the lark" not in content, name


def test_an_earlier_export_gives_way_and_what_it_had_beyond_goes(bare, exported):
    found = contents(bare)
    assert set(json.loads(found[LISTED])["files"]) == set(found) - {LISTED}
    kept = {name for name in exported.files if "samples-" not in name and not re.fullmatch(r"data/\w+/.+\.js", name)}
    assert set(found) == kept
    assert not [path for path in bare.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_a_folder_with_anything_else_in_it_is_left_as_it_is(exported, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(exported.folder, folder)
    (folder / "thesis.txt").write_text("years of work")
    before = contents(folder)
    with pytest.raises(InputError, match=r"mine: holds what no export wrote: thesis\.txt"):
        export(exported.runs, folder)
    assert contents(folder) == before
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: is not a folder"):
        export(exported.runs, tmp_path / "file")


def test_a_list_that_names_files_elsewhere_takes_nothing_away(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("kept")
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / LISTED).write_text(json.dumps({"format": 1, "files": ["../outside.txt", str(outside), 7]}))
    make_record(tmp_path / "runs", n=4)
    export(tmp_path / "runs", folder)
    assert outside.read_text() == "kept"
    assert (folder / "index.html").exists()


def test_runs_that_are_none_or_none_to_be_trusted_are_said_in_a_line(exported, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RecordError, match="empty: holds no finished run"):
        export(empty, tmp_path / "board")
    changed = next(
        path
        for path in exported.runs.iterdir()
        if (path / "estimates.json").exists() and (path / "estimates.json").read_text() == "[]"
    )
    shutil.copytree(changed, empty / changed.name)
    with pytest.raises(HarnessError, match="that can be trusted"):
        export(empty, tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_every_text_of_the_templates_is_in_chinese():
    own, board = (translator(ROOT / "leaderboard" / part, "zh") for part in ("export", "."))
    said = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)+)"')
    paths = (ROOT / "leaderboard" / "export" / "templates").glob("*.jinja")
    texts = {text for path in paths for text in said.findall(path.read_text(encoding="utf-8"))}
    assert len(texts) > 50
    assert [text for text in sorted(texts) if own(text) == text == board(text)] == []
