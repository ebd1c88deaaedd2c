"""Packages of Debian's, made by hand here: what is read out of them, and what is refused."""

import hashlib
import http.server
import io
import lzma
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.core.errors import DataError, UnavailableError
from harness.core.process import debs
from harness.core.process.debs import DebianPackage

FILES = {"usr/share/a.txt": b"first", "usr/share/b.txt": b"second"}


def tar_of(files: dict[str, bytes], link: bool = True) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(f"./{name}")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
        if link:
            about = tarfile.TarInfo("./usr/share/c.txt")
            about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(about)
    return stream.getvalue()


def deb_of(data: bytes) -> bytes:
    """An `ar` archive as dpkg-deb writes it."""
    parts = [b"!<arch>\n"]
    for name, content in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), ("data.tar.xz", data)):
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a server on this machine serves as a mirror of Debian's archive."""
    root = tmp_path / "mirror"
    (root / "pool/main/h/hello").mkdir(parents=True)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HARNESS_DEBIAN_MIRROR", f"http://127.0.0.1:{server.server_port}")
        yield root / "pool/main/h/hello"
        server.shutdown()


def package(content: bytes) -> DebianPackage:
    sha256 = hashlib.sha256(content).hexdigest()
    return DebianPackage(project="hello", source="hello", version="1-1", sha256=sha256)


def test_files_are_read_and_links_are_not_followed(mirror: Path) -> None:
    content = deb_of(lzma.compress(tar_of(FILES)))
    (mirror / "hello_1-1_all.deb").write_bytes(content)
    found = package(content)
    assert dict(found.files(lambda name: name.endswith(".txt"), offline=False)) == FILES
    (mirror / "hello_1-1_all.deb").unlink()
    assert dict(found.files(lambda name: name.endswith("b.txt"), offline=True)) == {"usr/share/b.txt": b"second"}


def test_another_package_than_the_pinned_one_is_refused(mirror: Path) -> None:
    (mirror / "hello_1-1_all.deb").write_bytes(b"!<arch>\nother")
    with pytest.raises(DataError, match="not the pinned"):
        package(b"mine").fetch(offline=False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4", "no package of Debian's"),
        (deb_of(b"x")[:100], "damaged"),
        (b"!<arch>\n", r"no data\.tar"),
        (deb_of(b"no archive at all"), "can't be read"),
        (deb_of(lzma.compress(tar_of(FILES))[:80]), "can't be read"),
    ],
)
def test_what_is_damaged_is_told_in_a_line(mirror: Path, content: bytes, said: str) -> None:
    (mirror / "hello_1-1_all.deb").write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(package(content).files(lambda _name: True, offline=False))


def test_files_that_would_fill_the_memory_are_refused(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = deb_of(lzma.compress(tar_of({"usr/share/a.txt": b"0" * 5000})))
    (mirror / "hello_1-1_all.deb").write_bytes(content)
    monkeypatch.setattr(debs, "_MAX_FILE_BYTES", 4000)
    with pytest.raises(DataError, match="more than 4,000 bytes"):
        list(package(content).files(lambda _name: True, offline=False))


@pytest.mark.usefixtures("mirror")
def test_what_cannot_be_fetched_says_how_to_get_it() -> None:
    with pytest.raises(UnavailableError, match="apt-get download hello=1-1"):
        package(b"mine").fetch(offline=False)
    with pytest.raises(UnavailableError, match="not in the cache, and offline"):
        package(b"mine").fetch(offline=True)
