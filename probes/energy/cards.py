"""Which of a machine's NVIDIA GPUs are this process's own, by what CUDA is told and by what NVML lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml

from harness.core.text.reasons import Reason

__all__ = ["NONE_VISIBLE", "Card", "Cards", "cards_of"]

VISIBLE, ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"
NONE_VISIBLE = "no GPU is visible to this process (CUDA_VISIBLE_DEVICES)"
_NO_ORDER = (
    "it isn't known which GPUs are ours: they are of several models, which CUDA numbers by their speed "
    "(set CUDA_DEVICE_ORDER=PCI_BUS_ID)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A GPU as NVML lists it, in the order of the bus; `slices` are the ids of its MIG slices, none without MIG."""

    index: int
    uuid: str = ""
    model: str = ""
    is_sliced: bool = False
    slices: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Those that are ours of the `count` that are there; `failure` says why it can't be known which."""

    ours: Sequence[Card]
    count: int
    failure: str | None = None

    @property
    def indices(self) -> list[int]:
        """The numbers of ours, as NVML counts."""
        return [card.index for card in self.ours]

    def named(self, how: str, plural: str) -> str:
        """Ours in words, of one `how` and of several `plural`: `GPUs 0 and 3 of 8 by their energy counters`."""
        if self.count == 1:
            return f"GPU {how}"
        if len(self.ours) == self.count:
            return f"all {self.count} GPUs {plural}"
        *others, last = map(str, self.indices)
        if not others:
            return f"GPU {last} of {self.count} {how}"
        return f"GPUs {', '.join(others)} and {last} of {self.count} {plural}"


def cards_of(environment: Mapping[str, str], configured: str | None = None) -> Cards:
    """The GPUs that are ours: those that are `configured`, else those that CUDA may use by `environment`, else all.

    `configured` is a list as CUDA_VISIBLE_DEVICES is, numbered as NVML counts. As CUDA has it, a list ends with the
    first entry that names no GPU. Raises `NVMLError` where NVML can't be asked.
    """
    cards = [_card(index) for index in range(pynvml.nvmlDeviceGetCount())]
    listed = environment.get(VISIBLE) if configured is None else configured
    if listed is None:
        return Cards(ours=cards, count=len(cards))
    entries = [entry.strip() for entry in listed.split(",")]
    ours: list[Card] = []
    for entry in entries:
        found = next((card for card in cards if _names(entry, card)), None)
        if found is None:
            break
        ours += [found] if found not in ours else []
    is_by_bus = configured is not None or environment.get(ORDER) == "PCI_BUS_ID"
    is_numbered = any(entry.isdigit() for entry in entries[: len(ours)])
    if is_numbered and not is_by_bus and len(ours) < len(cards) and len({card.model for card in cards}) > 1:
        return Cards(ours=(), count=len(cards), failure=Reason(_NO_ORDER))
    return Cards(ours=sorted(ours, key=lambda card: card.index), count=len(cards))


def _names(entry: str, card: Card) -> bool:
    """Whether an entry of CUDA_VISIBLE_DEVICES means the card, or a slice of it."""
    if entry.isdigit():
        return int(entry) == card.index
    if entry.startswith("MIG-GPU-"):  # as drivers before R470 have it: MIG-GPU-<id of the card>/<instance>/<instance>
        return entry.removeprefix("MIG-").split("/")[0] == card.uuid
    if entry.startswith("MIG-"):
        return any(one.startswith(entry) for one in card.slices)
    return entry.startswith("GPU-") and card.uuid.startswith(entry)


def _card(index: int) -> Card:
    """A card that is lost stands in the list without its name, so that the others keep their numbers."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        uuid, model = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
    except pynvml.NVMLError:
        return Card(index=index)
    try:
        is_sliced = pynvml.nvmlDeviceGetMigMode(handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
    except pynvml.NVMLError:  # this model, or this driver, has no MIG
        is_sliced = False
    return Card(index=index, uuid=uuid, model=model, is_sliced=is_sliced, slices=_slices(handle) if is_sliced else ())


def _slices(handle: Any) -> Sequence[str]:
    found: list[str] = []
    try:
        for place in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            try:
                found.append(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)))
            except pynvml.NVMLError_NotFound:
                continue
    except pynvml.NVMLError:  # slices of others can't be seen from inside a container
        pass
    return found
