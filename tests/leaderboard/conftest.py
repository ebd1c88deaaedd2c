"""Three real runs of tiny checkpoints, and one record with hostile texts, in one indexed folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.store import Store, index_folder, locate
from tests.store.records import make_record
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "![picture](http://127.0.0.1:9/x.png) **bold** $x^2$ :red[red] =cmd() \u202eright\u202c \x00 " + "A" * 100_000
)


@dataclass(frozen=True, slots=True)
class Runs:
    """A folder of runs with its store: `good`, `other` and `again` answer the same questions; `hostile` doesn't."""

    folder: Path
    good: RunRecord
    other: RunRecord
    again: RunRecord
    hostile: RunRecord


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("leaderboard")
    folder = root / "runs"

    def evaluated(name: str, seed: int, dtype: str = "float32") -> RunRecord:
        checkpoint = root / name
        if not checkpoint.exists():
            build_tiny_checkpoint(checkpoint, seed=seed, config=tiny_llama_config(max_position_embeddings=8192))
        options = EvalOptions(output=folder, meter="none", dtype=dtype, batch_tokens=512)
        task = ["calibration_piqa", "robustness_piqa", "adult"]
        return harness.evaluate(str(checkpoint), suite="accuracy", task=task, limit=6, options=options)

    made = Runs(
        folder=folder,
        good=evaluated("good", 0),
        other=evaluated("other", 1),
        again=evaluated("good", 0, "bfloat16"),
        hostile=make_record(folder, model=HOSTILE, text=HOSTILE),
    )
    with Store(locate(None, folder)) as store:
        index_folder(store, folder)
    return made
