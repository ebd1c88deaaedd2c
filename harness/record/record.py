"""A run on disk: one folder, written as the run goes, sealed at its end.

    spec.json          what the run is; its digest is the run's id
    environment.json   where it ran
    checkpoint.json    which files made the model, and their digests
    metrics.json       the class and the parameters of each metric
    engine.json        tokens that the requests ask to read, and those that were read
    journal.jsonl      every response, durable as soon as it is given
    windows.jsonl      every energy window
    responses.parquet  requests and responses by sample
    scores.parquet     scores by sample
    attributions.parquet  what explains each decision, by sample and method; only where a task asks for that
    policy.yaml        what it was asked for, of a run that ended as soon as this was decided
    order.json         which samples of such a run came first
    media/             pictures and sounds that were asked about, named by their digests; only where there are any
    estimates.json     what the scores amount to: the same bytes for the same spec on the same machine
    measurements.json  what the meter's windows amount to: differs from run to run
    samples.merkle     a digest for each sample: the leaves of a Merkle tree
    parts.json         short digests of fields, rows and lines, so that a change can be named
    seal.json          digests of all of these and the root of the tree, written last

A run is `started`, then `scored`, then `sealed`; only the seal says that it is complete.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from typing_extensions import override

from harness.core.errors import RecordError
from harness.core.media import Medium
from harness.core.meters import Window
from harness.core.requests import Response
from harness.core.scores import OVERALL, Estimate
from harness.core.text.hashing import canonical_json
from harness.core.text.reasons import reworded
from harness.record.codec import RESPONSES, WINDOWS
from harness.record.estimates import estimate_of, estimate_row, recorded
from harness.record.files import clear_scratch, make_folder, write_whole, writing
from harness.record.journal import Journal, read_lines
from harness.record.lock import RunLock
from harness.record.media import keep_media, stored_medium
from harness.record.metrics import METRICS, RecordedMetric, recorded_metrics
from harness.record.opening import RESTORE, formed, is_there, json_document, json_object
from harness.record.parquet import read_table
from harness.record.seal import ORDER, POLICY, SEAL, check_seal, write_seal
from harness.record.spec import RunSpec, run_id_of
from harness.record.tables import attribution_rows, attribution_table, response_table, score_table

if TYPE_CHECKING:
    from harness.charts import Chart, Panels

__all__ = ["RunRecord", "RunWriter", "load_record"]

State = Literal["started", "scored", "sealed"]

_SET_ASIDE = "set-aside"
"""Folder of responses that are not the run's."""

_SEALED = (
    "spec.json",
    "environment.json",
    "checkpoint.json",
    "engine.json",
    "journal.jsonl",
    "windows.jsonl",
    "responses.parquet",
    "scores.parquet",
    "estimates.json",
    "measurements.json",
)
_OPTIONAL = (METRICS, "attributions.parquet", POLICY, ORDER)
"""Sealed where they are there: a record of an early version holds no metrics."""


class RunRecord:
    """A run as read from its folder. Raises `RecordError` where a file is missing or malformed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spec = json_document(folder / "spec.json")
        with formed(folder / "spec.json", "a run's spec"):
            self.spec = RunSpec.from_json(self._spec)

    @cached_property
    def run_id(self) -> str:
        """The start of the spec's digest, whatever the folder is called."""
        return run_id_of(self._spec)

    @property
    def state(self) -> State:
        """How far the run came."""
        if is_there(self.folder / SEAL):
            return "sealed"
        return "scored" if is_there(self.folder / "measurements.json") else "started"

    @property
    def estimate_list(self) -> list[Estimate]:
        """The estimates in the order of the suites, energy included."""
        return [*self._estimates("estimates.json"), *self.measurement_list]

    @property
    def measurement_list(self) -> list[Estimate]:
        """The estimates that were read from a meter, and so differ from run to run."""
        return self._estimates("measurements.json")

    def _estimates(self, name: str) -> list[Estimate]:
        with formed(self.folder / name, "a list of estimates"):
            return list(map(estimate_of, json_document(self.folder / name)))

    @property
    def checkpoint_notes(self) -> list[str]:
        """What a reader should know of the checkpoint; those that are reasons can be said in other languages."""
        with formed(self.folder / "checkpoint.json", "a checkpoint's description"):
            texts = {str(number): note for number, note in enumerate(self.checkpoint.get("notes", ()))}
            return list({**texts, **reworded(texts, self.checkpoint.get("wording", {}))}.values())

    @property
    def is_partial(self) -> bool:
        """Whether a task's score, or a sample's, could not be computed.

        What a machine can't measure doesn't count, nor what this kind of checkpoint can't have, nor a metric without a
        value on the answers that were given.
        """
        path = self.folder / "estimates.json"
        with formed(path, "a list of estimates"):
            return any(row["invalid_count"] for row in json_document(path)) or bool(self.failures)

    @property
    def failures(self) -> list[str]:
        """What tasks and suites failed in their own code, each with its reason."""
        failed = [one for one in self.estimate_list if one.failed]
        return list(dict.fromkeys(f"{one.suite}/{one.task} {one.reason}" for one in failed))

    @property
    def estimates(self) -> pd.DataFrame:
        """One row an estimate, with the fields of `Estimate` as columns; groups as text.

        It holds `headlines`, `task_estimates` and `group_estimates`, in the order of the suites.
        """
        return pd.DataFrame(list(map(estimate_row, self.estimate_list)))

    @property
    def headlines(self) -> pd.DataFrame:
        """One row a suite: its one score, made of those of its tasks; columns as in `estimates`."""
        return _where(self.estimates, lambda rows: rows["task"] == OVERALL)

    @property
    def task_estimates(self) -> pd.DataFrame:
        """One row a metric of a task, over all its samples; columns as in `estimates`."""
        return _where(self.estimates, lambda rows: (rows["task"] != OVERALL) & rows["group"].isna())

    @property
    def group_estimates(self) -> pd.DataFrame:
        """One row a group, such as `sex=female`, of a metric of a task; columns as in `estimates`."""
        return _where(self.estimates, lambda rows: rows["group"].notna())

    @property
    def scores(self) -> pd.DataFrame:
        """One row a sample and metric."""
        return self._table("scores.parquet")

    @property
    def samples(self) -> pd.DataFrame:
        """One row a request: what was asked about each sample, and what the model answered."""
        return self._table("responses.parquet")

    @cached_property
    def metrics(self) -> Mapping[tuple[str, str, str], RecordedMetric]:
        """The metrics of the run by suite, task and name; empty for a run of a version that recorded none."""
        path = self.folder / METRICS
        if not is_there(path):
            return {}
        with formed(path, "a list of metrics"):
            return recorded_metrics(json_document(path))

    @property
    def answers(self) -> dict[str, Response]:
        """Every answer of the model, whole, by the id of its request."""
        path = self.folder / "journal.jsonl"
        with formed(path, "a list of responses"):
            return {entry["request_id"]: RESPONSES.decode(entry) for entry, _ in read_lines(path)}

    @property
    def attributions(self) -> pd.DataFrame:
        """One row a sample and method: what explains the decision. Empty where no task asked for that.

        `tokens` are the units of the text explained, which they make up when joined, and `values` their worth in nats
        of the log-odds of `target`, the decision; `deletion` and `insertion` are the decision's probabilities without,
        and with nothing but, the most important share `fractions` of the units.
        """
        if not is_there(self.folder / "attributions.parquet"):
            return pd.DataFrame(attribution_rows([]).to_pandas())
        return self._table("attributions.parquet")

    def medium(self, name: str) -> Medium | None:
        """The picture or sound of that name, as requests have it; None where the run doesn't keep it.

        Raises `RecordError` for a file that can't be read, and `ValueError` for a name of none.
        """
        return stored_medium(self.folder, name)

    @property
    def windows(self) -> list[Window]:
        """Energy windows in the order of time."""
        path = self.folder / "windows.jsonl"
        with formed(path, "a list of energy windows"):
            return [WINDOWS.decode(entry) for entry, _ in read_lines(path)]

    @property
    def request_counts(self) -> Mapping[tuple[str, str], int]:
        """How many requests each (suite, task) asked."""
        asked = self._table("responses.parquet", ["suite", "task"])
        return Counter(zip(asked["suite"], asked["task"], strict=True))

    @property
    def environment(self) -> dict[str, Any]:
        """Where the run happened."""
        return json_object(self.folder / "environment.json")

    @property
    def started_at(self) -> datetime:
        """When the run began. Raises `RecordError` where the record says no such thing."""
        path = self.folder / "environment.json"
        with formed(path, "a description of where a run happened and when"):
            began = datetime.fromisoformat(self.environment["started_at"])
            return began.astimezone(UTC) if began.tzinfo else began.replace(tzinfo=UTC)

    @property
    def order(self) -> Mapping[str, Any] | None:
        """Which samples came first, of a run that ended as soon as a policy was decided; None of another."""
        path = self.folder / ORDER
        return json_object(path) if is_there(path) else None

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What was evaluated: reference, fingerprint, files with digests, notes."""
        return json_object(self.folder / "checkpoint.json")

    @property
    def token_counts(self) -> tuple[int, int]:
        """Tokens that reading each request by itself would take, and those that were planned to be read."""
        path = self.folder / "engine.json"
        phases = json_object(path).values()
        with formed(path, "the counts of tokens"):
            return (
                sum(phase["asked_token_count"] for phase in phases),
                sum(phase["computed_token_count"] for phase in phases),
            )

    def plot(self, y: str | None = None) -> "Chart | Panels":
        """A chart, which a notebook shows: every headline with its interval, or the score `y` as in `harness.plot`."""
        from harness.record.notebook.plotting import plot

        return plot([self], y=y)

    def _repr_html_(self) -> str:
        from harness.record.notebook.card import record_card

        return record_card(self)

    @override
    def __repr__(self) -> str:
        return f"<RunRecord {self.run_id} of {self.spec.model}, {self.state}>"

    def verify(self) -> list[str]:
        """Hash every file again: what changed since the seal, one sentence a file; empty if nothing did.

        Raises `RecordError` for a run that is not sealed.
        """
        return check_seal(self.folder)

    def _table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        try:
            return pd.DataFrame(read_table(self.folder / name, columns).to_pandas(ignore_metadata=True))
        except FileNotFoundError as error:
            raise RecordError(
                "the run is not finished", place=self.folder, fix="Run the same `harness eval` command again"
            ) from error
        except RecordError:
            raise
        except Exception as error:
            raise RecordError("is damaged", place=self.folder / name, fix=RESTORE) from error


class RunWriter:
    """The one process that writes a run; opens the folder anew or goes on where an earlier process stopped.

    Raises `RecordLockedError` if another process is at it, and `RecordError` where the folder can't be written or
    holds damage.
    """

    def __init__(self, root: Path, spec: RunSpec) -> None:
        self.folder = make_folder(root / spec.run_id, fix="Choose another --out, or fix its permissions")
        self.lock = RunLock(self.folder)
        try:
            clear_scratch(self.folder)
            write_whole(self.folder / "spec.json", canonical_json(spec.to_json()) + b"\n")
            self._journal = Journal(self.folder / "journal.jsonl")
            self._windows = Journal(self.folder / "windows.jsonl")
            with formed(self.folder / "journal.jsonl", "a list of responses"):
                self._responses = {entry["request_id"]: RESPONSES.decode(entry) for entry in self._journal.entries}
        except BaseException:
            self.lock.release()
            raise

    @property
    def responses(self) -> Mapping[str, Response]:
        """Every response kept so far, by request id."""
        return self._responses

    @property
    def dropped_bytes(self) -> int:
        """Bytes of a half-written response that an earlier process left behind, and that were cut off."""
        return self._journal.dropped_bytes

    def append(self, responses: Sequence[Response]) -> None:
        """Keep responses; when this returns they survive a crash. Raises `RecordError`.

        They are kept as a process that goes on reads them, so that both score the same numbers.
        """
        for entry in self._journal.append(RESPONSES.encode(response) for response in responses):
            self._responses[entry["request_id"]] = RESPONSES.decode(entry)

    def append_window(self, window: Window) -> None:
        """Keep an energy window. Raises `RecordError`."""
        self._windows.append([WINDOWS.encode(window)])

    @property
    def windows(self) -> list[Window]:
        """Energy windows of this and of earlier processes."""
        return [WINDOWS.decode(entry) for entry, _ in read_lines(self.folder / "windows.jsonl")]

    def write_json(self, name: str, value: Any) -> None:
        """Write one of the run's JSON files. Raises `RecordError`."""
        write_whole(self.folder / name, _json_bytes(value))

    def set_aside(self) -> Path:
        """Put the responses so far in a file of their own, which no later process goes on from; its path."""
        self._journal.close()
        aside = make_folder(self.folder / _SET_ASIDE)
        kept = aside / f"journal-{sum(1 for _ in aside.iterdir()) + 1}.jsonl"
        with writing(kept):
            self._journal.path.rename(kept)
        self._journal = Journal(self._journal.path)
        self._responses = {}
        return kept

    def seal(
        self,
        *,
        responses: Sequence[Mapping[str, Any]],
        scores: Sequence[Mapping[str, Any]],
        estimates: Sequence[Estimate],
        measurements: Sequence[Estimate],
        attributions: Sequence[Mapping[str, Any]] = (),
        media: Iterable[Medium] = (),
    ) -> RunRecord:
        """Write the tables, the estimates and the media, then the seal; tables are made before the first is written.

        Raises `RecordError`, and `ValueError` for what the files can't hold; the same call can be tried again.
        """
        files = {"responses.parquet": response_table(responses), "scores.parquet": score_table(scores)}
        if attributions:
            files["attributions.parquet"] = attribution_table(attributions)
        for name, listed in (("estimates.json", estimates), ("measurements.json", measurements)):
            files[name] = _json_bytes(list(map(recorded, listed)))
        for name, content in files.items():
            write_whole(self.folder / name, content)
        kept = keep_media(self.folder, media)
        write_seal(self.folder, [*_SEALED, *(name for name in _OPTIONAL if (self.folder / name).exists()), *kept])
        return RunRecord(self.folder)

    def close(self) -> None:
        """Let the run go; what was appended stays."""
        self._journal.close()
        self._windows.close()
        self.lock.release()


def load_record(path: str | Path) -> RunRecord:
    """The run in the folder `path`. Raises `RecordError` if there is none."""
    return RunRecord(Path(path))


def _where(rows: pd.DataFrame, wanted: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> pd.DataFrame:
    return rows[wanted(rows)].reset_index(drop=True) if len(rows) else rows


def _json_bytes(value: Any) -> bytes:
    return canonical_json(value) + b"\n"
