"""The tables of the store. Every row follows from a run's folder, so all of it can be rebuilt.

    runs             one row a run: what it is of, how it ran, and whether its record can be trusted
    tasks            what each of its tasks asked
    suites           what each suite's one score is made of, with the languages of its tasks
    estimates        every score of a run, in the record's order; `headline` marks a suite's one score
    headline_values  the values behind a headline, sample by sample, where it is a mean of such
    verdicts         what gates said of a run
    verdict_rules    and rule by rule

A row of a run that can't be trusted has no others beside it. Texts are of any length and content, so none is indexed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from harness.store.text import AnyText

__all__ = ["METADATA", "estimates", "headline_values", "runs", "suites", "tasks", "verdict_rules", "verdicts"]

METADATA = MetaData()


def _run_id() -> Column[str]:
    return Column("run_id", AnyText, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True)


def _position() -> Column[int]:
    return Column("position", Integer, primary_key=True)


runs = Table(
    "runs",
    METADATA,
    Column("run_id", AnyText, primary_key=True),
    Column("status", String, nullable=False),  # verified | failed
    Column("reason", AnyText),  # why it failed
    Column("host", AnyText, nullable=False),  # where an absolute folder is; empty for one below the store's own
    Column("folder", AnyText, nullable=False),
    Column("seal_sha256", String),
    Column("settings_sha256", String),  # what makes two runs of a checkpoint rows of their own: how it was read,
    Column("evaluation_sha256", String),  # and what it was asked
    Column("model", AnyText, nullable=False),
    Column("fingerprint", AnyText),
    Column("parent_fingerprint", AnyText),
    Column("kind", AnyText),
    Column("architecture", AnyText),
    Column("origin", AnyText),
    Column("parameter_count", BigInteger),
    Column("size_bytes", BigInteger),
    Column("bits_per_weight", Double),
    Column("dtype", AnyText),
    Column("device", AnyText),
    Column("device_name", AnyText),
    Column("platform", AnyText),
    Column("seed", BigInteger),
    Column("batch_tokens", BigInteger),
    Column("apply_chat_template", Boolean),
    Column("meter", AnyText),
    Column("region", AnyText),
    Column("started_at", AnyText),  # UTC, ISO 8601
    Column("peak_memory_bytes", BigInteger),
    Column("asked_token_count", BigInteger),
    Column("computed_token_count", BigInteger),
    Column("harness_version", AnyText),
    Column("harness_code", AnyText),
    Column("is_partial", Boolean),
    Column("questions", AnyText),  # what runs that are compared must have alike: see harness.decision.comparable
    Column("lineage", AnyText),  # the training that the checkpoint comes from,
    Column("step", BigInteger),  # how many steps it had come,
    Column("tags", AnyText),  # and what else was said of it: JSON object; None for nothing
)

tasks = Table(
    "tasks",
    METADATA,
    _run_id(),
    _position(),
    Column("suite", AnyText, nullable=False),
    Column("task", AnyText, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sample_limit", BigInteger),
    Column("num_fewshot", BigInteger, nullable=False),
    Column("sample_count", BigInteger, nullable=False),
    Column("data_sha256", AnyText),
    Column("requests_sha256", AnyText, nullable=False),
    Column("definition_sha256", AnyText, nullable=False),
    Column("code_sha256", AnyText, nullable=False),
)

suites = Table(
    "suites",
    METADATA,
    _run_id(),
    _position(),
    Column("suite", AnyText, nullable=False),
    Column("parts", AnyText, nullable=False),  # what the headline is the mean of: JSON list of [task, metric]
    Column("languages", AnyText, nullable=False),  # of its tasks, parted by commas
)

estimates = Table(
    "estimates",
    METADATA,
    _run_id(),
    _position(),
    Column("is_headline", Boolean, nullable=False),
    Column("suite", AnyText, nullable=False),
    Column("task", AnyText, nullable=False),
    Column("metric", AnyText, nullable=False),
    Column("group", AnyText),
    Column("value", Double),
    Column("stderr", Double),
    Column("low", Double),
    Column("high", Double),
    Column("confidence", Double, nullable=False),
    Column("interval", AnyText),
    Column("n", BigInteger, nullable=False),
    Column("invalid_count", BigInteger, nullable=False),
    Column("tie_count", BigInteger, nullable=False),
    Column("unit", AnyText, nullable=False),
    Column("direction", AnyText),
    Column("target", Double),
    Column("basis", AnyText, nullable=False),
    Column("signature", AnyText),  # of headlines; that of the others is in the record
    Column("reason", AnyText),
    Column("applies", Boolean, nullable=False),
    Column("wording", AnyText),  # what the reason is made of, as JSON; None for a plain text
    Column("chance", Double),  # of headlines: what guessing would score,
    Column("optimum", Double),  # and the best that there can be, where these are known
    Index("estimates_by_headline", "is_headline", "run_id"),
)

headline_values = Table(
    "headline_values",
    METADATA,
    _run_id(),
    _position(),
    Column("suite", AnyText, nullable=False),
    Column("task", AnyText, nullable=False),
    Column("metric", AnyText, nullable=False),
    Column("samples_sha256", String, nullable=False),  # of ids, weights and clusters: equal ones can be paired
    Column("n", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # see harness.store.values
)

verdicts = Table(
    "verdicts",
    METADATA,
    _run_id(),
    _position(),
    Column("baseline_run_id", AnyText),
    Column("policy", AnyText, nullable=False),
    Column("policy_sha256", AnyText, nullable=False),
    Column("decided_at", AnyText, nullable=False),
    Column("verdict", AnyText, nullable=False),
    Column("reason", AnyText),  # where the verdict itself can't be read
)

verdict_rules = Table(
    "verdict_rules",
    METADATA,
    _run_id(),
    _position(),
    Column("verdict_position", Integer, nullable=False),
    Column("rule", AnyText),
    Column("kind", AnyText),
    Column("severity", AnyText),
    Column("suite", AnyText),
    Column("task", AnyText),
    Column("metric", AnyText),
    Column("group", AnyText),
    Column("verdict", AnyText, nullable=False),
    Column("value", Double),
    Column("low", Double),
    Column("high", Double),
    Column("bound", Double),
    Column("margin", Double),
    Column("n", BigInteger),
    Column("n_needed", BigInteger),
    Column("reason", AnyText),
    Column("wording", AnyText),  # as in estimates
)
