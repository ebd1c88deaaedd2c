"""The fonts of a report: those of a package that is installed anyway, and an optional one for Chinese."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl

from harness.core.errors import UnavailableError

__all__ = ["chinese_font", "font_files", "require_chinese"]

_LATIN = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
_CHINESE = "noto_cjk_sans_otc"
_FILE = "NotoSansCJK-Regular.ttc"
_FOLDERS = (
    *map(Path, ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts")),
    *(Path.home() / name for name in (".fonts", ".local/share/fonts", "Library/Fonts")),
)
"""Where systems keep their fonts."""


def font_files() -> list[Path]:
    """The files that a report is set with: DejaVu, and Noto Sans CJK where there is one."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    chinese = chinese_font()
    return [*(folder / name for name in _LATIN), *([chinese] if chinese else [])]


def chinese_font() -> Path | None:
    """The file of Noto Sans CJK: that of the extra, else the system's; None where there is neither."""
    if find_spec(_CHINESE) is None:
        return next((found for folder in _FOLDERS for found in folder.rglob(_FILE)), None)
    return Path(str(files(_CHINESE).joinpath(_FILE)))


def require_chinese() -> None:
    """Raises `UnavailableError` where there is no font for Chinese."""
    if chinese_font() is None:
        raise UnavailableError(
            "there is no font for Chinese",
            place="--language zh",
            fix="pip install 'responsible-eval-harness[chinese]', then run the command again",
        )
