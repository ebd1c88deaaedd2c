"""Fetches files out of a package of Debian's archive, without installing it: no script of it runs, nobody is root.

apt does the download where it is there, so that the user's mirror, proxy and certificates are honoured; elsewhere the
archive itself is asked. The package must have the pinned SHA-256, and its files are read in memory.
"""

import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from harness.core.errors import DataError, UnavailableError
from harness.core.process.paths import cache_folder, caching
from harness.core.text.hashing import SHORT, file_digest

__all__ = ["DebianPackage"]

MIRROR = "HARNESS_DEBIAN_MIRROR"
ARCHIVE = "https://deb.debian.org/debian"
"""Where packages are asked for without apt, unless the environment variable above names a mirror."""

_MAGIC = b"!<arch>\n"
_HEADER = 60
_DATA = "data.tar"
_MAX_FILE_BYTES = 64 << 20
_MAX_BYTES = 1 << 30
_TIMEOUT_S = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackage:
    """A package for all architectures of `source`, pinned by version and SHA-256."""

    project: str
    source: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As apt spells it, such as `hello=2.10-3`."""
        return f"{self.project}={self.version}"

    @property
    def file_name(self) -> str:
        """What it is called in Debian's archive."""
        return f"{self.project}_{self.version}_all.deb"

    @property
    def path(self) -> Path:
        """Where it is cached."""
        return cache_folder() / "debs" / f"{self.sha256[:SHORT]}-{self.file_name}"

    def files(self, wanted: Callable[[str], bool], *, offline: bool) -> Iterator[tuple[str, bytes]]:
        """The files of the package whose names (`usr/share/...`) are `wanted`, each with its bytes, in its order.

        Links and devices are none. Raises as `fetch` does, and `DataError` for an archive that can't be read, or whose
        files are too large.
        """
        place = self.fetch(offline=offline)
        try:
            with place.open("rb") as stream:
                _to_data(stream)
                with tarfile.open(fileobj=stream, mode="r|*") as archive:
                    yield from _wanted(archive, wanted)
        except (tarfile.TarError, EOFError, ValueError, OSError) as error:
            raise DataError(f"can't be read ({error})", place=place, fix="Delete it, and run again") from error

    def fetch(self, *, offline: bool) -> Path:
        """The path of the package itself in the cache.

        Raises `UnavailableError` with the command that would fetch it, and `DataError` if it is not the pinned one.
        """
        with caching(self.path):
            if self.path.is_file() and file_digest(self.path) == self.sha256:
                return self.path
        if offline:
            raise UnavailableError("not in the cache, and offline", place=self.requirement, fix=self._fix)
        with caching(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.path.parent) as scratch:
                downloaded = self._by_apt(Path(scratch)) or self._from_archive(Path(scratch))
                found = file_digest(downloaded)
                if found != self.sha256:
                    raise DataError(
                        f"the downloaded package has SHA-256 {found}, not the pinned {self.sha256}",
                        place=self.requirement,
                        fix="The mirror serves another file under this version; use one that mirrors Debian unchanged",
                    )
                downloaded.replace(self.path)
        return self.path

    @property
    def _url(self) -> str:
        folder = f"{self.source[0]}/{self.source}"
        return f"{os.environ.get(MIRROR, ARCHIVE).rstrip('/')}/pool/main/{folder}/{self.file_name}"

    @property
    def _fix(self) -> str:
        return f"`apt-get download {self.requirement}` elsewhere, or get {self._url}, and copy it to {self.path}"

    def _by_apt(self, folder: Path) -> Path | None:
        """What apt downloads; None without apt, or where its lists don't have this version."""
        if os.environ.get(MIRROR) or shutil.which("apt-get") is None:
            return None
        _log.info("downloading %s with apt, once", self.requirement)
        finished = subprocess.run(
            ["apt-get", "download", "--quiet", self.requirement],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        found = list(folder.glob("*.deb"))
        return found[0] if finished.returncode == 0 and len(found) == 1 else None

    def _from_archive(self, folder: Path) -> Path:
        _log.info("downloading %s, once", self._url)
        target = folder / "package.deb"
        try:
            with urlopen(self._url, timeout=_TIMEOUT_S) as answer, target.open("wb") as stream:
                shutil.copyfileobj(answer, stream, length=1 << 20)
        except (URLError, ValueError, TimeoutError) as error:
            reason = getattr(error, "reason", error)
            raise UnavailableError(
                f"can't be downloaded ({reason})",
                place=self.requirement,
                fix=f"Check the network (`apt-get update` where there is apt), or {self._fix}",
            ) from error
        return target


def _to_data(stream: IO[bytes]) -> None:
    """Read up to where the archive of the package's files begins. Raises `ValueError` for what is no package."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("it is no package of Debian's")
    while header := stream.read(_HEADER):
        if len(header) != _HEADER or header[-2:] != b"`\n":
            raise ValueError("it is damaged")
        if header[:16].decode("ascii").strip().rstrip("/").startswith(_DATA):
            return
        size = int(header[48:58])
        if size < 0:
            raise ValueError("it is damaged")
        stream.seek(size + size % 2, os.SEEK_CUR)
    raise ValueError(f"it has no {_DATA}")


def _wanted(archive: tarfile.TarFile, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    left = _MAX_BYTES
    for member in archive:
        left -= member.size
        if left < 0:
            raise ValueError(f"its files have more than {_MAX_BYTES:,} bytes")
        name = str(PurePosixPath(member.name))
        if not member.isreg() or not wanted(name):
            continue
        if member.size > _MAX_FILE_BYTES:
            raise ValueError(f"{name} has more than {_MAX_FILE_BYTES:,} bytes")
        stream = archive.extractfile(member)
        assert stream is not None
        yield name, stream.read()
