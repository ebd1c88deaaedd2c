"""Which devices the weights of one model are spread over, where one device alone can't hold them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.checkpoints.loading.memory import DISK, refuse_misfit, refuse_oversize, rooms_here
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, InputError

__all__ = ["WHOLE", "Spread", "admitted_rooms", "check_spread", "parse_device_map", "placed", "spread_arguments"]

AUTO = "auto"
UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}
_PART = re.compile(r"(cpu|(?:cuda:)?\d+)=(\d+(?:\.\d+)?)([MG]i?B)")
_FIX = "Give auto, or devices with their room, such as cuda:0=20GB,cpu=64GB; ,disk leaves the rest on disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the weights of one model are spread: by whole layers as `device_map` says, or by parts of every layer.

    With neither it is whole, on the one device of the run.
    """

    device_map: str | None = None
    tensor_parallel: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether all of it is on one device."""
        return self.device_map is None and self.tensor_parallel == 1

    @property
    def option(self) -> str:
        """The command line's words for it."""
        if self.tensor_parallel > 1:
            return f"--tensor-parallel {self.tensor_parallel}"
        return f"--device-map {self.device_map}"

    @property
    def described(self) -> dict[str, Any]:
        """What a run's environment records of it; nothing of a model that is whole."""
        found: dict[str, Any] = {} if self.device_map is None else {"device_map": self.device_map}
        return found if self.tensor_parallel == 1 else {**found, "tensor_parallel": self.tensor_parallel}

    def rooms(self) -> Mapping[str, int | None]:
        """Bytes that weights may take, by device, at most what is there; None for the disk, where it may be used.

        Raises `InputError` for a device that isn't there.
        """
        if self.device_map is not None:
            return _rooms_of(self.device_map)
        if self.is_whole:
            return {}
        there = rooms_here()
        return {name: room for name, room in there.items() if name != "cpu"} or {**there}


WHOLE = Spread()


def parse_device_map(text: str) -> Mapping[str, int | None]:
    """The room in bytes of each device that is named, `auto` and `disk` without any.

    Raises `InputError` for what is no map of devices.
    """
    rooms: dict[str, int | None] = {}
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if part.strip() in (AUTO, DISK):
            name, room = part.strip(), None
        elif found is None:
            raise InputError(
                f"{part.strip()!r} isn't a device with its room in MB, GB, MiB or GiB",
                place=f"--device-map {text}",
                fix=_FIX,
            )
        else:
            name = f"cuda:{found[1]}" if found[1].isdigit() else found[1]
            room = int(float(found[2]) * UNITS[found[3]])
        if name in rooms:
            raise InputError(f"names {name} twice", place=f"--device-map {text}", fix=_FIX)
        rooms[name] = room
    if rooms.keys() == {DISK} or (AUTO in rooms and rooms.keys() - {AUTO, DISK}):
        raise InputError("names no device to compute on", place=f"--device-map {text}", fix=_FIX)
    return rooms


def check_spread(spread: Spread, checkpoint: Checkpoint, dtype: str, device: str = "cpu") -> None:
    """Refuse what such a checkpoint can't be spread by, before anything is fetched or loaded.

    `device` is that of a model that is whole. Raises `InputError`, and `CheckpointError` where the weights don't fit.
    """
    rooms, place = admitted_rooms(spread, checkpoint, dtype, device), spread.option
    if spread.is_whole:
        return
    kind = registry.kind(checkpoint.kind)
    if kind.transformer != "decoder" or kind.loading is None or kind.loading.has_processor:
        raise InputError(f"a {kind.title} can't be spread over devices", place=place, fix="Leave it out")
    if checkpoint.adapter is not None:
        raise InputError(
            "an adapter can't be put over a model that is spread", place=place, fix="Merge it into its base first"
        )
    if spread.tensor_parallel > 1:
        _check_parts(spread, checkpoint)
    if DISK in rooms and dtype == "float16":
        raise InputError(
            "weights that stay on disk can't be looked at for what overflows in float16",
            place=place,
            fix="Use --dtype bfloat16 or float32",
        )


def admitted_rooms(spread: Spread, checkpoint: Checkpoint, dtype: str, device: str) -> Mapping[str, int | None]:
    """The rooms of the spread, once the weights are known to fit them, or the one device. Raises `CheckpointError`."""
    rooms = spread.rooms()
    if spread.is_whole:
        refuse_oversize(checkpoint, dtype, device)
    else:
        refuse_misfit(checkpoint, dtype, rooms)
    return rooms


def _check_parts(spread: Spread, checkpoint: Checkpoint) -> None:
    if spread.device_map is not None:
        raise InputError("can't go together with --device-map", place=spread.option, fix="Leave one of them out")
    config = checkpoint.config
    heads = config.get("num_key_value_heads") or config.get("num_attention_heads")
    if isinstance(heads, int) and heads % spread.tensor_parallel:
        raise InputError(
            f"its {heads} heads of keys and values can't be shared out evenly",
            place=spread.option,
            fix=f"Use a divisor of {heads}",
        )


def _rooms_of(text: str) -> Mapping[str, int | None]:
    asked, there = parse_device_map(text), rooms_here()
    if AUTO in asked:
        return {**there, **{name: room for name, room in asked.items() if name == DISK}}
    for name in asked:
        if name != DISK and name not in there:
            raise InputError(
                f"there is no {name}; GPUs that torch can use here: {len(there) - 1}",
                place=f"--device-map {text}",
                fix="`harness doctor` lists the devices",
            )
    return {name: None if room is None else min(room, there[name]) for name, room in asked.items()}


def spread_arguments(spread: Spread, rooms: Mapping[str, int | None], folder: str) -> dict[str, Any]:
    """What `from_pretrained` takes for it; `folder` is for weights on disk that are not stored as they are."""
    if spread.tensor_parallel > 1:
        # Imported late: transformers takes seconds.
        from transformers.distributed import DistributedConfig

        return {"distributed_config": DistributedConfig(tp_size=spread.tensor_parallel)}
    if spread.device_map is None:
        return {}
    known = {int(name.partition(":")[2]) if ":" in name else name: room for name, room in rooms.items() if room}
    return {"device_map": AUTO, "max_memory": known, **({"offload_folder": folder} if DISK in rooms else {})}


def placed(model: Any, checkpoint: Checkpoint, spread: Spread, rooms: Mapping[str, int | None]) -> Mapping[str, int]:
    """How many modules of a model that was spread are on each device; empty where it is whole on one.

    Raises `CheckpointError` where accelerate found no room for a module, for those of a layer stay together, and where
    nothing of the model was shared out.
    """
    if spread.tensor_parallel > 1 and not getattr(model, "_tp_plan", None):
        raise CheckpointError(
            f"transformers has no plan for parts of a {checkpoint.architecture}",
            place=checkpoint.path,
            fix="Use --device-map auto, which has whole layers on each device",
        )
    found: dict[str, int] = {}
    for place in getattr(model, "hf_device_map", {}).values():
        name = f"cuda:{place}" if isinstance(place, int) else str(place)
        found[name] = found.get(name, 0) + 1
    if (DISK in found and DISK not in rooms) or model.device.type == "meta":
        raise CheckpointError(
            f"its weights have room on {', '.join(name for name in rooms if name != DISK)} by their size, but not by "
            "their layers, which stay whole",
            place=checkpoint.path,
            fix="Give --device-map more room on a device, or leave the rest on disk with ,disk",
        )
    return found
