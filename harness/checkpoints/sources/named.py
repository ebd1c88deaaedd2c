"""Where a model's name may lead that stands in a file: an adapter's base, or the checkpoint of a record.

What a user types is the user's word, a plain text, and may be anything that `resolve` takes. The author of a file may
be anybody: a `NamedInFile` leads to a folder that lies where the user pointed, and nowhere else. No server is asked, no
hub, and no other folder is looked into; where more was meant, the error says what the user has to type.
"""

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.checkpoints.files import exists
from harness.checkpoints.served.endpoint import is_served
from harness.checkpoints.sources.local import is_hub_id
from harness.core.errors import CheckpointError

__all__ = ["NamedInFile", "UnconfirmedError", "below", "beside"]

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
SHOWN = 200


class UnconfirmedError(CheckpointError):
    """A file names a model that only the user may lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedInFile:
    """A model's `name` as the file `place` has it, which calls it its `role` (base, checkpoint).

    `candidates` are the paths that it may mean, `where` says in words where these lie. `option` is how the user says
    which model is meant; by it, the model may be a served one where it `may_be_served`.
    """

    name: str
    place: Path
    role: str
    option: str
    candidates: tuple[Path, ...]
    where: str
    may_be_served: bool = False

    def path(self) -> Path | None:
        """The folder or file that it means, if that is there."""
        return next((path for path in self.candidates if exists(path)), None)

    def unconfirmed(self) -> UnconfirmedError:
        """What to say where it means none of these."""
        typed = shlex.quote(self.name) if self.name.isprintable() and len(self.name) <= SHOWN else "REF"
        fix = f"If that is the one, add {self.option} {typed}"
        if is_served(self.name) or SCHEME.match(self.name):
            what = "; a server is asked, and gets a key, only where you name it"
            fix = f"Say which model is meant with {self.option} REF"
            if self.may_be_served:
                fix = f"If you know that server and trust it, add {self.option} {typed}"
        elif is_hub_id(self.name):
            what = "; a hub's model is used only where you name it"
        else:
            what = f", which isn't {self.where}; elsewhere, only what you name is used"
        return UnconfirmedError(f"names {self.name[:SHOWN]!r} as its {self.role}{what}", place=self.place, fix=fix)


def beside(name: str, folder: Path) -> tuple[Path, ...]:
    """The folders that a name in a file of `folder` may mean: in it or next to it, whatever the name is relative to."""
    homes = {folder.absolute(), folder.resolve()}

    def allowed(path: Path) -> bool:
        return any(path.is_relative_to(home) or path.parent == home.parent for home in homes) and path not in homes

    return tuple(_allowed(name, (Path.cwd(), folder.absolute(), folder.resolve().parent), allowed))


def below(name: str, root: Path) -> tuple[Path, ...]:
    """The folder that a name may mean below `root`, relative to it."""
    homes = {root.absolute(), root.resolve()}
    return tuple(_allowed(name, (root,), lambda path: any(path.is_relative_to(home) for home in homes)))


def _allowed(name: str, starts: tuple[Path, ...], allowed: Callable[[Path], bool]) -> Iterator[Path]:
    if not name or "\0" in name:
        return
    for start in starts:
        # By its letters first: to look at a path can be enough to mount it from another machine.
        path = Path(os.path.normpath(start / name))
        try:
            if allowed(path) and allowed(path.resolve()):
                yield path
        except (OSError, RuntimeError):  # a loop of links, or a name too long
            continue
