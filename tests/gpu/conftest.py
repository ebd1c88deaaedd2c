"""The device under test."""

import pytest
import torch

from harness.engine.devices import resolve_device


@pytest.fixture(scope="session")
def device():
    """The accelerator if there is one, else the processor."""
    return resolve_device("auto")


@pytest.fixture(scope="session")
def cuda():
    """The name of a CUDA device; a test that asks for it is skipped where there is none."""
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    return "cuda"
