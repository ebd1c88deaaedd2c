"""Sentence pairs out of gettext files: which messages are kept, and the same bytes every time."""

import json
import zipfile
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import file_digest
from harness.data import find, load_data
from harness.data.sets.messages import MESSAGES, MessageSource, placeholders

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'

KEPT = {"Enter a valid value.": "Werte eingeben.", "Ensure %(n)s has {x} marks.": "{x} Zeichen in %(n)s."}
LEFT_OUT = {
    "Log in again": "Neu anmelden",  # no sentence
    "Please log in.": "Bitte anmelden.",  # three words
    "enter a valid value.": "Werte eingeben.",  # begins in the middle
    "Remove <b>all</b> of it.": "Alles entfernen.",  # mark-up
    "Two lines are\\nhere now.": "Zwei Zeilen.",
    "This one lost %(it)s here.": "Hier fehlt es.",
    "Nobody has translated this.": "",
    "It does not end here.": "Endet nicht",
}


def entry(english: str, german: str, extra: str = "") -> str:
    return f'\n{extra}msgid "{english}"\nmsgstr "{german}"\n'


def source(folder: Path, monkeypatch: pytest.MonkeyPatch, *files: str) -> MessageSource:
    """Messages in a wheel that lies in the cache already."""
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    archive = folder / "made.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        for index, text in enumerate(files):
            wheel.writestr(f"made/{index}/locale/de/LC_MESSAGES/django.po", text)
        wheel.writestr("made/locale/de_CH/LC_MESSAGES/django.po", HEADER + entry("Another country has this.", "Da."))
    pinned = Wheel(project="made", version="1", sha256=file_digest(archive))
    pinned.folder.mkdir(parents=True)
    archive.rename(pinned.folder / "package.whl")
    return MessageSource(wheel=pinned, locale="de", column="de")


def test_whole_sentences_are_kept_once_with_their_placeholders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = HEADER + "".join(entry(*pair) for pair in {**KEPT, **LEFT_OUT}.items())
    second = HEADER + entry("Enter a valid value.", "Noch einmal.")
    second += entry("Enter a value that is valid.", "Werte eingeben.")
    second += entry("This is not sure yet.", "Nicht sicher.", extra="#, fuzzy\n")
    second += '\nmsgid "There is one of it."\nmsgid_plural "There are %d."\nmsgstr[0] "Eins."\nmsgstr[1] "Viele."\n'
    made = source(tmp_path, monkeypatch, first, second)
    path = made.fetch(offline=True)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["en"]: row["de"] for row in rows} == KEPT
    before = file_digest(path)
    path.unlink()
    assert file_digest(made.fetch(offline=True)) == before


def test_a_damaged_file_is_told_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = source(tmp_path, monkeypatch, "no gettext at all\n")
    with pytest.raises(
        DataError, match=r"package\.whl: made/0/locale/de/LC_MESSAGES/django\.po: is not a gettext file"
    ):
        made.fetch(offline=True)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", MESSAGES, ids=lambda dataset: dataset.name)
def test_the_real_pairs_are_as_pinned_and_keep_their_placeholders(dataset: object) -> None:
    loaded = load_data(find(dataset.name))  # type: ignore[attr-defined]
    _, other = loaded.dataset.columns
    assert len({row["en"] for row in loaded.rows}) == len(loaded.rows)
    assert all(placeholders(row["en"]) == placeholders(row[other]) for row in loaded.rows)
    assert sum(row["en"] == row[other] for row in loaded.rows) == 0
