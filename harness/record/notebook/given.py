"""What a caller in Python gives for a run."""

from harness.core.errors import InputError

__all__ = ["require_record"]


def require_record(given: object) -> None:
    """Raises `InputError` where `given` is no `RunRecord`, but the name of its folder, say."""
    if not hasattr(type(given), "estimate_list"):  # `RunRecord` draws itself, so the class can't be imported here
        raise InputError("is not a record", place=f"{given!r}", fix="harness.load_record(folder) reads one")
