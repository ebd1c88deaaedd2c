"""Puts our readers in the place of lm-eval's own while it finds and builds tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import _factory, _index
from lm_eval.tasks._yaml_loader import load_yaml

from harness.lm_eval.data import load_task_data
from harness.lm_eval.places import OWN_TASKS, Places
from harness.lm_eval.randomness import begin_anew
from harness.lm_eval.yamlfiles import read_task_file
from harness.tasks.options import TaskOptions

__all__ = ["under_guard"]


@contextmanager
def under_guard(places: Places, options: TaskOptions) -> Iterator[None]:
    """Within the block lm-eval reads task files by `read_task_file`, and data sets by `load_task_data`, from `places`.

    Where the user trusts the code of tasks, it imports their functions and loads their data itself: such code may do
    either by itself.
    """

    def read(path: str | Path, *, resolve_func: bool = True, recursive: bool = True) -> dict[str, Any]:
        # The installed package's 14,000 files are found by its own reader, which takes a third of the time.
        own = not resolve_func and Path(path).is_relative_to(OWN_TASKS)
        if own or (resolve_func and options.trust_task_code):
            found: dict[str, Any] = load_yaml(path, resolve_func=resolve_func, recursive=recursive)
            return found
        file = read_task_file(Path(path), places)
        return file.merged() if recursive else dict(file.config)

    def download(task: ConfigurableTask, dataset_kwargs: Any = None, **others: Any) -> None:
        if options.trust_task_code:
            download_itself(task, dataset_kwargs, **others)
        else:
            task.dataset = load_task_data(task, places, offline=options.offline)
        begin_anew()  # so that a task is the same alone and in a group

    before, download_itself = (_index.load_yaml, _factory.load_yaml), ConfigurableTask.download
    _index.load_yaml = _factory.load_yaml = read
    ConfigurableTask.download = download
    try:
        yield
    finally:
        _index.load_yaml, _factory.load_yaml = before
        ConfigurableTask.download = download_itself
