"""What happened in a run, on disk: append-only, resumable, verifiable."""

from harness.record.folder import load_records
from harness.record.record import RunRecord, RunWriter, load_record
from harness.record.spec import RunSpec, TaskSpec

__all__ = ["RunRecord", "RunSpec", "RunWriter", "TaskSpec", "load_record", "load_records"]
