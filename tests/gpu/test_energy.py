"""Energy of a real card: what a window holds against power times time."""

import threading
import time

import pynvml
import pytest
import torch

from probes.energy.codecarbon import CodecarbonInstrument

pytestmark = pytest.mark.gpu
SECONDS = 6.0


@pytest.fixture
def watts(cuda):
    """Every reading of the card's power, each with its time, while the test runs."""
    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    seen, done = [], threading.Event()

    def look():
        while not done.wait(0.02):
            seen.append((time.monotonic(), pynvml.nvmlDeviceGetPowerUsage(handle) / 1000))

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    done.set()
    thread.join()


def test_a_window_holds_what_power_times_time_gives(cuda, watts):
    instrument = CodecarbonInstrument()
    try:
        matrix = torch.randn(4096, 4096, device=cuda, dtype=torch.bfloat16)
        before, start = instrument.read(), time.monotonic()
        while time.monotonic() - start < SECONDS:
            for _ in range(100):
                matrix @ matrix
            torch.cuda.synchronize()
        after, end = instrument.read(), time.monotonic()
    finally:
        instrument.close()
    for reading in (before, after):
        assert "gpu" not in {*reading.failed, *reading.guessed}
    during = [power for moment, power in watts if start <= moment <= end]
    expected = sum(during) / len(during) * (end - start)
    print(f"{after.joules['gpu'] - before.joules['gpu']:.1f} J, power x time {expected:.1f} J; {instrument.source}")
    # Studies found 5 % on this generation, and the power that is told lags behind what is drawn.
    assert after.joules["gpu"] - before.joules["gpu"] == pytest.approx(expected, rel=0.1)
    assert "GPU by its energy counter" in instrument.source
