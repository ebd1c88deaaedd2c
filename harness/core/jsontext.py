"""JSON that others may have written."""

import json
from typing import Any

__all__ = ["parse_json"]


def parse_json(content: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` for what is none, or nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
