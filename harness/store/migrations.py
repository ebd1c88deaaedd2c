"""How a store came to its present form: numbered, named steps, each run once, in order, in one transaction.

A step says what it makes in full, for it must still do the same when `harness.store.schema` has moved on; a test holds
the two together. A later step may alter tables through the same `Operations` (with `batch_alter_table` where SQLite
can't alter in place).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
)

from harness.core.errors import StoreError

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = ["MIGRATIONS", "is_current", "migrate"]

_VERSIONS = Table(
    "schema_versions", MetaData(), Column("number", Integer, primary_key=True), Column("name", Text, nullable=False)
)


def first_index_of_runs(op: "Operations") -> None:
    """Runs with their tasks, suites, estimates, headline values and verdicts."""
    _runs(op)
    _child(
        op,
        "tasks",
        *(Column(name, Text, nullable=False) for name in ("suite", "task")),
        Column("version", BigInteger, nullable=False),
        Column("sample_limit", BigInteger),
        *(Column(name, BigInteger, nullable=False) for name in ("num_fewshot", "sample_count")),
        Column("data_sha256", Text),
        *(Column(name, Text, nullable=False) for name in ("requests_sha256", "definition_sha256", "code_sha256")),
    )
    _child(
        op,
        "suites",
        Column("suite", Text, nullable=False),
        Column("comparison_sha256", String, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("parts", "languages")),
    )
    _child(
        op,
        "estimates",
        Column("is_headline", Boolean, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("suite", "task", "metric")),
        Column("group", Text),
        *(Column(name, Double) for name in ("value", "stderr", "low", "high")),
        Column("confidence", Double, nullable=False),
        Column("interval", Text),
        *(Column(name, BigInteger, nullable=False) for name in ("n", "invalid_count", "tie_count")),
        Column("unit", Text, nullable=False),
        Column("direction", Text),
        Column("target", Double),
        Column("basis", Text, nullable=False),
        *(Column(name, Text) for name in ("signature", "reason")),
        Column("applies", Boolean, nullable=False),
    )
    op.create_index("estimates_by_headline", "estimates", ["is_headline", "run_id"])
    _child(
        op,
        "headline_values",
        *(Column(name, Text, nullable=False) for name in ("suite", "task", "metric")),
        Column("samples_sha256", String, nullable=False),
        Column("n", BigInteger, nullable=False),
        Column("content", LargeBinary, nullable=False),
    )
    _verdicts(op)


def _runs(op: "Operations") -> None:
    op.create_table(
        "runs",
        Column("run_id", Text, primary_key=True),
        Column("status", String, nullable=False),
        Column("reason", Text),
        *(Column(name, Text, nullable=False) for name in ("host", "folder")),
        *(Column(name, String) for name in ("seal_sha256", "settings_sha256", "evaluation_sha256")),
        Column("model", Text, nullable=False),
        *(Column(name, Text) for name in ("fingerprint", "parent_fingerprint", "kind", "architecture", "origin")),
        *(Column(name, BigInteger) for name in ("parameter_count", "size_bytes")),
        Column("bits_per_weight", Double),
        *(Column(name, Text) for name in ("dtype", "device", "device_name", "platform")),
        *(Column(name, BigInteger) for name in ("seed", "batch_tokens")),
        Column("apply_chat_template", Boolean),
        *(Column(name, Text) for name in ("meter", "region", "started_at")),
        *(Column(name, BigInteger) for name in ("peak_memory_bytes", "asked_token_count", "computed_token_count")),
        *(Column(name, Text) for name in ("harness_version", "harness_code")),
        Column("is_partial", Boolean),
    )


def _verdicts(op: "Operations") -> None:
    _child(
        op,
        "verdicts",
        Column("baseline_run_id", Text),
        *(Column(name, Text, nullable=False) for name in ("policy", "policy_sha256", "decided_at", "verdict")),
        Column("reason", Text),
    )
    _child(
        op,
        "verdict_rules",
        Column("verdict_position", Integer, nullable=False),
        *(Column(name, Text) for name in ("rule", "kind", "severity", "suite", "task", "metric", "group")),
        Column("verdict", Text, nullable=False),
        *(Column(name, Double) for name in ("value", "low", "high", "bound", "margin")),
        *(Column(name, BigInteger) for name in ("n", "n_needed")),
        Column("reason", Text),
    )


def _child(op: "Operations", name: str, *columns: Column[Any]) -> None:
    """A table whose rows belong to a run, in an order."""
    op.create_table(
        name,
        Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
        Column("position", Integer, primary_key=True),
        *columns,
    )


def runs_say_what_was_asked(op: "Operations") -> None:
    """What makes runs comparable stands in one column of a run, and no longer in digests of its suites.

    Runs that were indexed before lack it until they are indexed again.
    """
    op.add_column("runs", Column("questions", Text))
    op.drop_column("suites", "comparison_sha256")


def reasons_can_be_translated(op: "Operations") -> None:
    """Beside a reason stands what it is made of, so that pages can say it in their reader's language.

    Runs that were indexed before lack it until they are indexed again: their reasons are told in English.
    """
    for table in ("estimates", "verdict_rules"):
        op.add_column(table, Column("wording", Text))


def runs_say_where_in_a_training_they_stand(op: "Operations") -> None:
    """A training's name, the step in it, and tags. Runs that were indexed before have none."""
    for column in (Column("lineage", Text), Column("step", BigInteger), Column("tags", Text)):
        op.add_column("runs", column)


def headlines_know_chance_and_optimum(op: "Operations") -> None:
    """What a score is scaled by before it is weighed. Runs that were indexed before lack it until they are again."""
    for name in ("chance", "optimum"):
        op.add_column("estimates", Column(name, Double))


MIGRATIONS: Sequence[Callable[["Operations"], None]] = (
    first_index_of_runs,
    runs_say_what_was_asked,
    reasons_can_be_translated,
    runs_say_where_in_a_training_they_stand,
    headlines_know_chance_and_optimum,
)
"""In order; the first has the number 1. A step that was released never changes."""


def is_current(connection: Connection, place: str) -> bool:
    """Whether the store is as this version expects it. Raises `StoreError` for one that a newer version made."""
    return _done(connection, place) == len(MIGRATIONS)


def migrate(connection: Connection, place: str) -> None:
    """Run the steps that are missing; the caller holds a lock that keeps others from doing so at once."""
    # Imported late: a store is opened far more often than it is made.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    done = _done(connection, place)
    if not done:
        _VERSIONS.create(connection, checkfirst=True)
    op = Operations(MigrationContext.configure(connection))
    for number, step in enumerate(MIGRATIONS[done:], done + 1):
        step(op)
        connection.execute(insert(_VERSIONS).values(number=number, name=step.__name__))


def _done(connection: Connection, place: str) -> int:
    """The number of the last step that was run."""
    tables = inspect(connection)
    if not tables.has_table(_VERSIONS.name):
        if tables.has_table("runs"):
            raise StoreError("holds a table `runs` that is not a store's", place=place, fix="Give another database")
        return 0
    done = connection.execute(select(func.max(_VERSIONS.c.number))).scalar() or 0
    if done > len(MIGRATIONS):
        raise StoreError(
            f"was made by a newer version of the harness (form {done}, this one knows {len(MIGRATIONS)})",
            place=place,
            fix="Upgrade, or index the records into another store",
        )
    return done
