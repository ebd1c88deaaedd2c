"""An export as people open it: Chromium, from a folder, with no server anywhere."""

import os
import shutil
from urllib.parse import quote

import pytest

from leaderboard.export import samples
from tests.leaderboard.browser import SHOTS, launched
from tests.leaderboard.export.conftest import export


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def in_pieces(exported, tmp_path_factory):
    """The same export, its samples in pieces of seven."""
    folder = tmp_path_factory.mktemp("pieces") / "board"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(samples, "MOST_SAMPLES", 7)
        export(exported.runs, folder)
    return folder


class FileReader:
    """Someone who opens pages of a folder; `complaints`: what the console says, and what was asked of elsewhere."""

    def __init__(self, browser, folder, *, width=1280, theme="light", locale="en-GB"):
        self.folder, self.width, self.theme = folder, width, theme
        self.page = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale=locale
        ).new_page()
        self.complaints, self.asked = [], []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, name):
        self.page.goto("about:blank")
        self.page.goto(f"{self.folder.as_uri()}/{name}")

    def column(self, place):
        return self.page.locator(f"#board tbody tr:visible > :nth-child({place})").all_inner_texts()

    def picture(self, name):
        if "HARNESS_SCREENSHOTS" in os.environ:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"export-{name}-{self.theme}-{self.width}.png", full_page=True)


@pytest.fixture
def reader(browser, in_pieces):
    made = FileReader(browser, in_pieces)
    yield made
    assert made.complaints == []
    assert [url for url in made.asked if not url.startswith(made.folder.as_uri())] == []
    made.page.context.close()


@pytest.mark.parametrize(("width", "theme", "home"), [(1440, "light", ""), (390, "dark", "zh/")])
def test_every_page_opens_and_fits_the_window(browser, exported, width, theme, home):
    made = FileReader(browser, exported.folder, width=width, theme=theme)
    for path in sorted((exported.folder / home).glob("*.html")):
        made.open(f"{home}{path.name}")
        assert made.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path.name
        assert made.page.title() != "owned"
        made.picture(f"{home.replace('/', '-')}{path.stem[:12]}")
    assert made.complaints == []
    made.page.context.close()


def test_a_click_on_a_header_sorts_and_a_filter_narrows(reader):
    reader.open("index.html")
    assert [text.splitlines()[0] for text in reader.column(1)] == ["beta", "alpha"]
    reader.page.get_by_role("button", name="checkpoint").click()
    assert [text.splitlines()[0] for text in reader.column(1)] == ["alpha", "beta"]
    reader.page.get_by_label("Name or run id").fill("BET")
    assert [text.splitlines()[0] for text in reader.column(1)] == ["beta"]
    assert reader.page.get_by_text("1 of 2 checkpoints").is_visible()


def test_a_search_goes_through_all_pieces_of_all_tasks(reader, exported):
    reader.open(f"samples-{exported.alpha.run_id}.html")
    reader.page.get_by_text("50 shown; looked through 50 of 60 samples.").wait_for()
    loaded = [url for url in reader.asked if "/data/" in url]
    assert len(loaded) == 1 + 8  # what the page has to know, and the pieces that fill a screen
    reader.page.get_by_role("button", name="Look further").click()
    reader.page.get_by_text("60 shown; looked through 60 of 60 samples.").wait_for()
    reader.page.get_by_label("Task").select_option(label="all tasks")
    reader.page.get_by_label("Search in texts").fill("NOISE S41:")
    reader.page.get_by_text("1 shown; looked through 180 of 180 samples.").wait_for()
    reader.page.locator("details.sample summary").click()
    scores = exported.alpha.scores
    row = scores[(scores["task"] == "noise") & (scores["sample_id"] == "s41")].iloc[0]
    choices = [" the lark", " the carp"]
    gold, taken = (reader.page.locator(f".choice.{name} .text").inner_text() for name in ("gold", "taken"))
    assert [gold.strip(), taken.strip()] == [choices[int(row[name])].strip() for name in ("gold", "predicted")]


def test_outcomes_are_those_of_the_record(reader, exported):
    reader.open(f"samples-{exported.alpha.run_id}.html")
    reader.page.get_by_label("Outcome").select_option(label="right")
    scores = exported.alpha.scores
    right = int(((scores["task"] == "birds") & (scores["value"] == 1)).sum())
    reader.page.get_by_text(f"{right} shown; looked through 60 of 60 samples.").wait_for()
    assert reader.page.locator("details.sample").count() == right


def test_a_flipped_sample_leads_to_the_same_sample_of_both_runs(reader, exported):
    first, second = exported.alpha.run_id, exported.beta.run_id
    reader.open(f"compare-{first}-{second}.html")
    reader.page.locator("details:has(td) summary", has_text="Accuracy: birds").click()
    row = reader.page.locator("details[open] tbody tr").first
    sample_id = row.locator("td").first.inner_text()
    places = [link.get_attribute("href") for link in row.locator("a").all()]
    assert [place.partition("#")[0] for place in places] == [f"samples-{one}.html" for one in (first, second)]
    for place in places:
        reader.open(place)
        opened = reader.page.locator("details.sample[open]")
        opened.locator("h3").first.wait_for()
        assert opened.locator("summary code").inner_text() == sample_id


def test_a_piece_that_wasnt_copied_is_said(browser, exported, tmp_path):
    folder = tmp_path / "board"
    shutil.copytree(exported.folder, folder)
    (folder / "data" / exported.beta.run_id / "0-0.js").unlink()
    made = FileReader(browser, folder)
    made.open(f"samples-{exported.beta.run_id}.html")
    made.page.get_by_text("A piece of the samples is missing").wait_for()
    made.page.context.close()


def test_harm_in_a_record_stays_text_and_nothing_runs(reader, exported):
    reader.open(f"samples-{exported.hostile.run_id}.html")
    for summary in reader.page.locator("details.sample summary").all():
        summary.click()
    assert reader.page.locator("main img, main script").count() == 0
    assert reader.page.locator("main pre", has_text="<img src=x onerror=").first.is_visible()
    reader.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')"
    )
    reader.page.wait_for_timeout(200)
    assert "owned" not in reader.page.title()
    assert reader.page.title() != "1"  # had a tag got through, the policy would have stopped it
    reader.complaints.clear()
    reader.open(f"samples-{exported.hostile.run_id}.html#task={quote('<b>')}&sample=x")
    reader.page.get_by_text("4 samples").first.wait_for()
