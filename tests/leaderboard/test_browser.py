"""What a person sees: a real server, a real browser, real runs."""

import csv
import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from harness.core.text.display import number
from harness.decision.comparison import compare
from harness.decision.context import score_contexts
from harness.decision.keys import key_of
from tests.leaderboard.browser import Reader, launched, served

PAGES = ("samples", "", "tradeoffs", "run", "compare", "history")
"""The first one is no start page: a server that has just started must serve a link that somebody was sent."""


@pytest.fixture(scope="module")
def url(runs):
    with served(runs.folder, runs.folder.parent / "server.log") as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def reader(browser, url):
    return Reader(browser, url)


@pytest.fixture
def fresh(reader):
    reader.complaints.clear()
    yield reader
    assert reader.complaints == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_page_is_whole_and_fits_the_window(browser, url, width, theme):
    reader = Reader(browser, url, width=width, theme=theme)
    for path in PAGES:
        reader.open(path)
        if path == "compare":
            reader.page.get_by_text("Flipped samples").wait_for(timeout=60_000)
        assert reader.page.locator('[data-testid="stException"]').count() == 0, path
        assert reader.overflow() <= 0, path
        reader.picture(path or "leaderboard")
    assert reader.complaints == []
    reader.context.close()


def test_an_unknown_run_is_said_in_words_and_no_other_is_shown(fresh):
    fresh.open("run?run=unknown")
    fresh.page.get_by_text("unknown: no such run here").first.wait_for(timeout=30_000)
    assert fresh.page.locator('[data-testid="stDataFrame"]').count() == 0
    assert fresh.page.locator('[data-testid="stException"]').count() == 0
    fresh.picture("unknown")


def test_every_view_of_a_run_is_whole(fresh, runs):
    for view in ("accuracy", "calibration", "robustness", "groups", "provenance"):
        fresh.open(f"run?run={runs.good.run_id}&view={view}")
        assert fresh.page.locator('[data-testid="stException"]').count() == 0, view
        assert fresh.overflow() <= 0, view


def overall(record, suite):
    (found,) = [one for one in record.estimate_list if (one.task, one.suite) == ("overall", suite)]
    return found


def test_the_leaderboard_shows_the_numbers_of_the_records(fresh, runs):
    fresh.open("?columns=accuracy")
    guessed = score_contexts(runs.good)[key_of(overall(runs.good, "accuracy"))].chance
    column = fresh.column(f"Accuracy ↑ · chance {number(guessed)}")
    shown = dict(zip(fresh.column("checkpoint"), column, strict=True))
    for name, record in (("good · float32", runs.good), ("good · bfloat16", runs.again), ("other", runs.other)):
        assert float(shown[name]) == overall(record, "accuracy").value
    assert fresh.page.get_by_text("Set apart, since").is_visible()
    fresh.page.get_by_text("Table", exact=True).first.click()
    rows = fresh.cells(1)[1:]
    behind = {row[0]: [float(cell) for cell in row[1:5]] for row in rows}
    estimate = overall(runs.other, "accuracy")
    assert behind["other"] == [estimate.value, estimate.low, estimate.high, estimate.n]


def test_a_click_on_a_header_sorts(fresh, runs):
    fresh.open("?columns=accuracy")
    box = fresh.page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    worst_first = sorted([runs.good, runs.again, runs.other], key=lambda one: overall(one, "accuracy").value)
    fresh.page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 17)
    fresh.settle()
    values = [float(row[-1]) for row in fresh.cells()[1:]]
    assert values == [overall(one, "accuracy").value for one in worst_first]


def test_a_ticked_row_leads_to_its_run_and_two_to_their_comparison(fresh, runs):
    fresh.open("?columns=accuracy&sort=checkpoint")
    names = fresh.column("checkpoint")
    by_name = {"good · float32": runs.good, "good · bfloat16": runs.again, "other": runs.other}
    box = fresh.page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    fresh.page.mouse.click(box["x"] + 17, box["y"] + 35 + 17)
    fresh.page.get_by_role("link", name="Open the run").wait_for()
    fresh.page.mouse.click(box["x"] + 17, box["y"] + 35 + 35 + 17)
    fresh.page.get_by_role("link", name="Compare the two").click()
    fresh.page.get_by_text("Flipped samples").wait_for(timeout=60_000)
    query = parse_qs(urlsplit(fresh.page.url).query)
    assert [query["first"], query["second"]] == [[by_name[name].run_id] for name in names[:2]]


def test_a_flipped_sample_leads_to_both_its_answers(fresh, runs):
    fresh.open(f"compare?first={runs.good.run_id}&second={runs.other.run_id}")
    flipped = compare(runs.good, runs.other, groups=False).flips[0].sample_id
    grid = fresh.page.locator(".st-key-flips canvas").first
    grid.wait_for(timeout=60_000)
    fresh.settle()
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    fresh.page.mouse.click(box["x"] + 17, box["y"] + 35 + 17)
    links = [fresh.page.get_by_role("link", name=f"As the {who} answered it") for who in ("baseline", "candidate")]
    links[1].wait_for()
    addresses = [parse_qs(urlsplit(one.get_attribute("href")).query) for one in links]
    assert [one["run"] for one in addresses] == [[runs.good.run_id], [runs.other.run_id]]
    assert [one["sample"] for one in addresses] == [[flipped], [flipped]]
    links[1].click()
    fresh.page.get_by_role("heading", name=f"Sample {flipped}").wait_for(timeout=30_000)


def test_a_run_takes_two_screens_at_most_and_a_phone_shows_its_scores_first(browser, url, runs):
    reader = Reader(browser, url, width=1440)
    reader.open(f"run?run={runs.good.run_id}")
    assert reader.page.evaluate("""document.querySelector('[data-testid="stMain"]').scrollHeight""") <= 1800
    reader.context.close()
    phone = Reader(browser, url, width=390)
    phone.open(f"run?run={runs.good.run_id}")
    chart = phone.page.locator('[data-testid="stVegaLiteChart"]').first.bounding_box()
    assert chart["y"] + 200 < 844
    phone.context.close()


def test_a_filter_narrows_the_table_and_stands_in_the_address(fresh):
    fresh.open("")
    fresh.page.get_by_role("button", name="Filters").click()
    box = fresh.page.get_by_role("textbox", name="Name or run id")
    box.fill("other")
    box.press("Enter")
    fresh.page.wait_for_function("location.search.includes('q=other')")
    fresh.settle()
    assert fresh.column("checkpoint") == ["other"]


def test_what_a_popover_shows_late_is_what_holds(fresh, runs):
    fresh.open("?q=o&verified=0&columns=accuracy,date&sort=date")
    box = fresh.page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    fresh.page.mouse.click(box["x"] + 17, box["y"] + 35 + 17)
    fresh.page.get_by_role("link", name="Open the run").wait_for()  # so the page was made anew since it was opened
    fresh.page.get_by_role("button", name="Columns", exact=True).click()
    fresh.page.get_by_test_id("stMultiSelect").wait_for()
    assert fresh.page.get_by_test_id("stMultiSelect").inner_text().split() == ["Columns", "Accuracy", "date"]
    fresh.page.keyboard.press("Escape")
    fresh.page.get_by_role("button", name="Filters").click()
    expect(fresh.page.get_by_role("textbox", name="Name or run id")).to_have_value("o")
    assert float(fresh.page.get_by_role("spinbutton").input_value()) > 0
    assert not fresh.page.get_by_label("Verified records only").is_checked()


def test_what_is_downloaded_is_what_is_shown(fresh, runs):
    fresh.open("")
    with fresh.page.expect_download() as got:
        fresh.page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(got.value.path().read_text(encoding="utf-8-sig"))))
    by_run = {row["run_id"]: row for row in rows}
    assert float(by_run[runs.other.run_id]["accuracy"]) == overall(runs.other, "accuracy").value
    with fresh.page.expect_download() as got:
        fresh.page.get_by_role("button", name="JSON", exact=True).click()
    told = {row["run_id"]: row for row in json.loads(got.value.path().read_text())}
    assert told[runs.good.run_id]["accuracy_low"] == overall(runs.good, "accuracy").low


def test_a_sample_is_shown_whole_with_its_choices(fresh, runs):
    samples = runs.good.samples
    mine = samples[samples["task"] == "piqa"]
    wanted = mine["sample_id"].iloc[3]
    requests = mine[mine["sample_id"] == wanted]
    fresh.open(f"samples?run={runs.good.run_id}&task=accuracy/piqa&sample={wanted}")
    scored = runs.good.scores.query("task == 'piqa' and metric == 'acc' and sample_id == @wanted").iloc[0]
    texts = [one.strip() for one in requests["continuation"]]
    expected = [texts[int(scored["gold"])], texts[int(scored["predicted"])], requests["context"].iloc[0].strip()]
    assert fresh.texts(3)[:3] == expected
    assert [one.strip() for one in fresh.column("continuation", 1)] == [one.strip() for one in requests["continuation"]]
    shown = [float(one) for one in fresh.column("log-likelihood (nats)", 1)]
    assert shown == pytest.approx(list(requests["loglikelihood"]), abs=1e-3)
    other = mine["sample_id"].drop_duplicates().iloc[1]
    box = fresh.page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    fresh.page.mouse.click(box["x"] + 17, box["y"] + 35 + 35 + 17)
    fresh.page.wait_for_function(f"location.search.includes('sample={other}')")
    fresh.page.get_by_role("heading", name=f"Sample {other}").wait_for()


def test_clean_and_noisy_stand_side_by_side_with_marks(fresh, runs):
    fresh.open(f"samples?run={runs.good.run_id}&task=robustness/robustness_piqa&metric=noisy_score")
    assert "⟦" in " ".join(fresh.texts(3))


def test_hostile_texts_are_shown_and_never_run(fresh, runs):
    run_id = runs.hostile.run_id
    for path in (f"run?run={run_id}", f"samples?run={run_id}", f"history?run={run_id}", f"tradeoffs?runs={run_id}"):
        fresh.open(path)
        assert "owned" not in fresh.page.title()
        main = fresh.page.locator('[data-testid="stMain"]')
        assert main.locator("img[src*='127.0.0.1:9']").count() == 0
        assert main.locator("script").count() == 0
    fresh.open(f"samples?run={run_id}")
    prompt = " ".join(fresh.texts(3))
    assert "<script>document.title='owned'</script>" in prompt
    assert "\\u202eright\\u202c \\u0000" in prompt
    assert "![picture]" in prompt
    assert fresh.page.get_by_text("characters", exact=False).count() >= 1


def test_the_interface_speaks_chinese(fresh):
    fresh.open("?lang=zh")
    assert fresh.page.locator("h1").first.inner_text() == "排行榜"
    fresh.picture("leaderboard-zh")
