"""What transformers' Trainer wrote beside a checkpoint: how far its training had come."""

import logging
import re
from pathlib import Path

from harness.checkpoints.files import read_object, safe_file
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError
from harness.core.process.paths import is_file
from harness.core.text.hashing import MAX_INTEGER
from harness.core.training.point import TrainingPoint

__all__ = ["TRAINER_STATE", "stated_point"]

_log = logging.getLogger(__name__)

TRAINER_STATE = "trainer_state.json"

_LIMIT_BYTES = 64 << 20
"""It holds a log of the whole training, line by line."""
_OF_A_STEP = re.compile(r"checkpoint-\d+")
"""How the Trainer calls the folder of a step; those of a training lie in one folder, which is named after it."""


def stated_point(checkpoint: Checkpoint) -> TrainingPoint:
    """The step that `trainer_state.json` gives, and the name of the training's folder; nothing where there is none.

    A file that can't be read as one counts as none, with a warning: what was evaluated doesn't hang on it.
    """
    folder = checkpoint.adapter or checkpoint.path
    if not is_file(folder / TRAINER_STATE):
        return TrainingPoint()
    try:
        step = read_object(safe_file(folder, TRAINER_STATE), limit_bytes=_LIMIT_BYTES).get("global_step")
    except CheckpointError as error:
        return _unread(str(error))
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step <= MAX_INTEGER:
        return _unread(f"{folder / TRAINER_STATE}: has no global_step that is a whole number from 0 up")
    return TrainingPoint(lineage=_training(folder.resolve()), step=step)


def _unread(why: str) -> TrainingPoint:
    _log.warning("%s; without it the run says no step of a training: --lineage and --step say it", why.rstrip("."))
    return TrainingPoint()


def _training(folder: Path) -> str | None:
    """The name of the folder that a training wrote all of its checkpoints to; never that of the user's home."""
    of_training = folder.parent if _OF_A_STEP.fullmatch(folder.name) else folder
    return of_training.name or None if of_training != Path.home().resolve() else None
