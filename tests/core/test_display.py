"""How values, and texts of unknown origin, are shown."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from harness.core.text.display import apart, elided, number, shown_error, visible


def test_what_hides_is_shown_as_its_escape():
    assert visible("a\x00b\u202ec\u2066d\ufeffe\x1b[0m") == "a\\u0000b\\u202ec\\u2066d\\ufeffe\\u001b[0m"
    assert visible("\U000e0041") == "\\U000e0041"
    assert visible("line\n\tnext 中文 क\u200dष") == "line\n\tnext 中文 क\u200dष"


@given(st.text(st.characters(categories=None)))
def test_what_is_visible_has_no_controls_and_can_be_written(text):
    shown = visible(text)
    assert all(unicodedata.category(one) not in {"Cc", "Cs"} or one in "\n\t" for one in shown)
    shown.encode("utf-8")


@given(st.text(max_size=300), st.integers(10, 80))
def test_what_is_elided_fits_and_keeps_both_ends(text, limit):
    shown = elided(text, limit)
    assert len(shown) <= limit
    assert "\n" not in shown
    if len(visible(text)) <= limit and not any(one.isspace() for one in text):
        assert shown == visible(text)


def test_a_huge_text_keeps_its_beginning_and_end():
    shown = elided("begin" + "x" * 100_000 + "end", 30)
    assert shown.startswith("begin")
    assert shown.endswith("end")
    assert "…" in shown


def test_numbers_have_four_digits():
    assert [number(one) for one in (None, 0, 0.123456, 0.00012345, 12.34567, 123456.7)] == [
        "",
        "0",
        "0.1235",
        "1.23e-04",
        "12.35",
        "123,457",
    ]


@given(st.lists(st.text(st.sampled_from("ab/-"), max_size=40), max_size=6, unique=True), st.integers(8, 20))
def test_names_that_are_cut_stay_different(names, limit):
    shown = apart(names, limit)
    assert len(set(shown)) == len({elided(name, 100) for name in names})


def test_names_are_cut_where_they_are_the_same():
    runs = [f"/data/runs/2026/{'x' * 40}-seed{seed}-{'y' * 40}" for seed in (1, 2)]
    shown = apart(runs, 24)
    assert shown[0] != shown[1]
    assert all(len(name) <= 26 for name in shown)
    assert apart(["alpha", "beta"], 24) == ["alpha", "beta"]


def test_what_a_name_has_behind_a_beginning_that_others_share_stays_whole():
    shown = apart(["smollm2-135m · bfloat16", "smollm2-135m · float32 · 5dc69d", "harmed"], 22)
    assert shown == ["smollm2-135m …bfloat16", "smoll…float32 · 5dc69d", "harmed"]


def test_an_error_of_zero_is_not_shown_beside_an_interval():
    assert shown_error(0.0, 0.0, 0.49) == ""
    assert shown_error(0.0, None, None) == shown_error(0.0, 0.5, 0.5) == "0"
    assert shown_error(0.05, 0.1, 0.3) == "0.0500"
