"""Tables: at whatever width, no name is broken, no line is too long, and nothing is left out."""

import random

import pytest
from rich.cells import cell_len
from rich.text import Text

from harness.cli.screens.tables import as_lists, laid_out

COLUMNS = ("task", "metric", "score", "n", "chance", "unit", "best")
ROWS = [
    ("piqa", "acc_norm", "0.6050", 200, "0.5000 better", "share", "↑ 1"),
    ("attribution_commonsense_qa", "comprehensiveness_lift", "0.2599", 4, None, "share", "↑ 1"),
    ("crows_pairs_complete", "stereotype_preference", "54.67", 150, "50 can't tell", "out of 100, of pairs", "→ 50"),
    ("成语选择", "acc", "0.1875", 16, "0.2500 can't tell", "share of the questions that were asked", "↑ 1"),
]


def lines(width: int, columns=COLUMNS, rows=ROWS, **more) -> list[str]:
    return [line.plain for line in laid_out("a table", columns, rows, width, **more)]


@pytest.mark.parametrize("width", range(50, 181))
def test_no_name_is_broken_and_no_line_is_wider_than_the_window(width: int) -> None:
    told = lines(width, names=2)
    assert max(map(cell_len, told)) <= width
    for row in ROWS:
        for name in row[:2]:
            assert any(str(name) in line for line in told), name


@pytest.mark.parametrize("width", range(50, 181))
def test_every_word_of_every_cell_is_there(width: int) -> None:
    words = " ".join(lines(width, names=2)).split()
    for row in ROWS:
        for cell in row:
            for word in str("" if cell is None else cell).split():
                assert word in words


def test_where_there_is_room_each_column_has_its_own_place() -> None:
    head, columns, *rows = lines(180, names=2)
    assert head == "a table"
    for name in ("metric", "chance", "best"):
        place = columns.index(name)
        assert {row[place - 2 : place] for row in rows[:3]} == {"  "}
    ends = {row.index(score) + len(score) for row, score in zip(rows[:3], ("0.6050", "0.2599", "54.67"), strict=True)}
    assert len(ends) == 1, "numbers stand on the right"


def test_a_name_that_is_too_long_stands_above_its_row() -> None:
    told = lines(80, names=2)
    place = told.index("attribution_commonsense_qa comprehensiveness_lift")
    assert told[place + 1].split() == ["0.2599", "4", "share", "↑", "1"]
    assert told[2].split()[:4] == ["piqa", "acc_norm", "0.6050", "200"]


def test_a_digest_is_whole_so_that_it_can_be_copied() -> None:
    digests = {"config.json": "0a" * 32, "generation_config.json": "1b" * 32}
    told = lines(80, ("file", "SHA-256"), list(digests.items()))
    assert max(map(len, told)) <= 80
    for digest in digests.values():
        assert any(line.endswith(f" {digest}") for line in told)


def test_a_window_too_narrow_for_columns_gets_lists() -> None:
    told = lines(40, ("data", "title", "source", "dropped"), [("piqa", "Two ways " * 9, "a package " * 9, "none " * 9)])
    assert told[1] == "piqa"
    assert told[2].startswith("  title: Two ways")
    assert told[3].startswith("    ")
    assert max(map(len, told)) <= 40


def test_headings_stand_alone_and_are_no_reason_for_width() -> None:
    told = lines(30, ("task / metric", "score"), [[Text("a heading much longer than it")], ("  acc", "0.5")])
    assert told[2:] == ["a heading much longer than it", "  acc            0.5"]


def test_no_line_ends_in_blanks_and_random_tables_keep_their_words() -> None:
    random_ = random.Random(0)
    for _ in range(60):
        count, width = random_.randint(2, 7), random_.randint(60, 140)
        rows = [
            [" ".join("x" * random_.randint(1, 12) for _ in range(random_.randint(0, 6))) for _ in range(count)]
            for _ in range(5)
        ]
        told = lines(width, [f"c{at}" for at in range(count)], rows)
        assert all(line == line.rstrip() for line in told)
        assert sum(line.count("x") for line in told) == sum(cell.count("x") for row in rows for cell in row)


def test_what_hides_in_a_cell_is_shown() -> None:
    (name, told) = as_lists(("model", "note"), [("m\x1b[2J", "a\u202eb")], 40)
    assert "\x1b" not in name.plain
    assert "\u202e" not in told.plain
