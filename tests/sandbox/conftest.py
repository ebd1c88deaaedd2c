"""A sandbox, or the reason why there is none here."""

import pytest

from harness.sandbox import find_sandbox


@pytest.fixture(scope="session", autouse=True)
def enclosure() -> str:
    name, reasons = find_sandbox()
    if name is None:
        pytest.skip(f"no sandbox can be had here: {'; '.join(reasons)}")
    return name
