"""Weights as pickles, which run code when they are loaded, in every container that torch has had."""

import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import torch

from tests.corpus.entry import EVAL, Scene, entry

__all__: list[str] = []

REFUSED = ("model", "pytorch_model.bin", "pickle", "safetensors", "convert it once with")


class Opens:
    """Creates the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.marker, "w"))


def _instead(scene: Scene) -> Path:
    scene.weights.unlink()
    return scene.model / "pytorch_model.bin"


@entry("pickle", *REFUSED)
def bin_zip(scene: Scene) -> None:
    torch.save({"model.norm.weight": Opens(scene.marker)}, _instead(scene))


@entry("pickle", *REFUSED)
def bin_legacy(scene: Scene) -> None:
    value = {"model.norm.weight": Opens(scene.marker)}
    torch.save(value, _instead(scene), _use_new_zipfile_serialization=False)


@entry("pickle", *REFUSED)
def bin_raw(scene: Scene) -> None:
    _instead(scene).write_bytes(pickle.dumps({"model.norm.weight": Opens(scene.marker)}))


@entry("pickle", *REFUSED)
def bin_tar(scene: Scene) -> None:
    with tarfile.open(_instead(scene), "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            content = pickle.dumps(Opens(scene.marker))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@entry("pickle", *REFUSED)
def bin_zipbomb(scene: Scene) -> None:
    with zipfile.ZipFile(_instead(scene), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("archive/data.pkl", bytes(64 << 20))
        archive.writestr("archive/data/0", bytes(64 << 20))


@entry(
    "pickle",
    "blobs",
    "SHA-256",
    "hf download",
    command=tuple("planted/model" if word == "model" else word for word in EVAL),
    more=("--offline",),
    environment={"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": "hub"},
)
def poisoned_cache(scene: Scene) -> None:
    """A hub's cache in which the bytes of the weights are not those that their name promises."""
    repository = scene.folder / "hub" / "models--planted--model"
    snapshot, blobs = repository / "snapshots" / ("a" * 40), repository / "blobs"
    for folder in (snapshot, blobs, repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(snapshot.name)
    for path in scene.model.iterdir():
        name = "b" * 64 if path.suffix == ".safetensors" else path.name
        path.rename(blobs / name)
        (snapshot / path.name).symlink_to(Path("../../blobs") / name)


LM_EVAL_TASK = """
task: planted
dataset_path: json
dataset_kwargs:
  data_files:
    test: rows.jsonl
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: options
doc_to_target: answer
metric_list:
  - metric: acc
"""


@entry(
    "pickle",
    "acc",
    command=(*EVAL[:3], "--task", "lm-eval:planted", "--include-path", "tasks", *EVAL[5:]),
    environment={"LM_HARNESS_CACHE_PATH": "planted"},
    exit_code=0,
)
def poisoned_request_cache(scene: Scene) -> None:
    """Pickles where lm-eval looks for the requests that it has built before."""
    (scene.folder / "tasks").mkdir()
    rows = scene.folder / "tasks" / "rows.jsonl"
    (scene.folder / "tasks" / "planted.yaml").write_text(LM_EVAL_TASK.replace("rows.jsonl", str(rows)))
    row = {"question": "Where does the fox jump?", "options": ["over", "home"], "answer": 0}
    rows.write_text(json.dumps(row) + "\n")
    cache = scene.folder / "planted"
    cache.mkdir()
    for name in ("requests-planted-0shot-rank0-world_size1", "requests-planted-rank0-world_size1-0shot"):
        for ending in (".pickle", "-tokenizer.pickle"):
            (cache / f"{name}{ending}").write_bytes(pickle.dumps(Opens(scene.marker)))
