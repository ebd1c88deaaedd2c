"""What the files of lm-eval's tasks say, without their data: enough to show a suite, and to say what it will fetch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
from datasets.naming import camelcase_to_snakecase
from lm_eval.api import metrics as lm_eval_metrics
from lm_eval.api.registry import DEFAULT_METRIC_REGISTRY
from lm_eval.tasks._index import Kind
from typing_extensions import override

from harness.core.errors import TaskError
from harness.core.requests import LoglikelihoodRolling, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.lm_eval.metrics import adopt
from harness.lm_eval.tasks import find_entries, task_config
from harness.tasks.options import LM_EVAL, TaskOptions

__all__ = ["OutlinedTask", "hub_size", "outlined_tasks", "what_is_fetched"]

_TIMEOUT_S = 5.0
_MEGABYTE = 10**6


class OutlinedTask(Task):
    """A task of lm-eval's of which only the file is known: its name, metrics and exemplars, and where its data lie."""

    languages = ()

    def __init__(self, config: dict[str, Any]) -> None:
        self.name = f"{LM_EVAL}:{config.get('task')}"
        kind = str(config.get("output_type", "generate_until"))
        shown = config.get("num_fewshot")
        self.default_num_fewshot = shown if isinstance(shown, int) else 0
        self.supports_fewshot = shown != 0 and kind != LoglikelihoodRolling.kind
        self.metrics = [
            adopt(metric, name=name, aggregation=lm_eval_metrics.mean, higher_is_better=True)
            for metric, name in _reported(config, kind)
        ]
        path, part = config.get("dataset_path"), config.get("dataset_name")
        self.repository = path if isinstance(path, str) else None
        self.part = part if isinstance(part, str) else None

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Raises `TaskError`: nothing of its data is known."""
        raise TaskError("only its outline was read", place=self.name)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """None, as there is no sample."""
        return ()

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """None, as there is no sample."""
        return ()


def _reported(config: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Each metric of lm-eval's with the name that it is reported under: once for each filter, if there are several."""
    listed = config.get("metric_list")
    names = [one.get("metric") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    filters = config.get("filter_list")
    pipelines = [str(one.get("name")) for one in filters if isinstance(one, dict)] if isinstance(filters, list) else []
    for metric in names or DEFAULT_METRIC_REGISTRY.get(kind, ()):
        for pipeline in pipelines or ["none"]:
            yield str(metric), f"{metric}:{pipeline}" if len(pipelines) > 1 else str(metric)


def outlined_tasks(name: str, options: TaskOptions) -> list[OutlinedTask]:
    """The outlines of the tasks that lm-eval knows as `name`, as `load_tasks` has them; nothing is fetched.

    Raises `UnknownName`; `TaskError` for a file that is malformed.
    """
    _, entries = find_entries(name, options)
    paths = dict.fromkeys(
        entry.yaml_path for entry in entries if entry.kind in (Kind.TASK, Kind.PY_TASK) and entry.yaml_path
    )
    return [OutlinedTask(task_config(path, options)) for path in paths]


def hub_size(repository: str) -> int | None:
    """How many bytes all files of a data set on the hub have together; None where it doesn't tell."""
    try:
        found = huggingface_hub.HfApi().dataset_info(repository, files_metadata=True, timeout=_TIMEOUT_S)
    except Exception:  # whatever a hub, or what stands before it, answers: it is for information alone
        return None
    sizes = [one.size for one in found.siblings or () if one.size is not None]
    return sum(sizes) if sizes else None


def what_is_fetched(
    names: Iterable[str], options: TaskOptions, size_of: Callable[[str], int | None] = hub_size
) -> list[str]:
    """The data sets that these tasks of lm-eval's read from the hub and that no cache holds, each with its size.

    Raises as `outlined_tasks`.
    """
    parts: dict[str, set[str | None]] = {}
    for name in names:
        for task in outlined_tasks(name, options):
            if task.repository and _is_of_hub(task.repository):
                parts.setdefault(task.repository, set()).add(task.part)
    wanted = [
        repository for repository, several in parts.items() if not all(_is_kept(repository, one) for one in several)
    ]
    return [f"{repository} ({_told(size_of(repository))})" for repository in wanted]


def _is_of_hub(repository: str) -> bool:
    # What is no NAME/NAME, such as `json`, is a format of files; and a folder of that name is read in its place.
    return repository.count("/") == 1 and not repository.startswith((".", "/")) and not Path(repository).exists()


def _is_kept(repository: str, part: str | None) -> bool:
    owner, _, name = repository.partition("/")
    folder = Path(datasets.config.HF_DATASETS_CACHE) / f"{owner}___{camelcase_to_snakecase(name)}"
    return (folder / (part or "default")).is_dir()


def _told(size: int | None) -> str:
    return "of unknown size" if size is None else f"at most {max(size / _MEGABYTE, 0.1):,.1f} MB"
