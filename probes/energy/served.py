"""The energy that the server of a model counts, in windows."""

from harness.core.errors import InputError
from harness.core.meters import SERVER, Instrument, Publish
from probes.energy.grid import find_grid
from probes.energy.windows import WindowedMeter

__all__ = ["ServedMeter"]


class ServedMeter(WindowedMeter):
    """Energy by the counters of the machine that a model is served on, `instrument`, all users' work included.

    `region` is where that machine stands, as for `CodecarbonMeter`. Raises `InputError` without an instrument: the
    meter is chosen by what serves the model, never by name.
    """

    def __init__(self, publish: Publish, region: str | None, instrument: Instrument | None = None) -> None:
        if instrument is None:
            raise InputError(
                "is for models whose server counts its energy",
                place=f"--meter {SERVER}",
                fix="Leave --meter out: with such a server it is used anyway",
            )
        super().__init__(publish, instrument, find_grid(region))
