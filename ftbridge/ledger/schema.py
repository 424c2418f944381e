"""The tables, and the numbered migrations that lead to them.

Each migration is plain SQL that SQLite takes, and PostgreSQL with the words that `_for_a_server` replaces. A released
migration is never altered: what comes next is appended.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    inspect,
    text,
)

from ftbridge.errors import StateError

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("user_key", String),
    Column("target", String),
    Column("status", String),
    Column("raw_status", String),
    Column("remote_id", String),
    Column("request_hash", String),
    Column("spec", String),
    Column("prepared", String),
    Column("latest", String),
    Column("result", String),
    Column("error", String),
    Column("estimate_usd", Float),
    Column("estimate_usd_high", Float),
    Column("estimate_tokens", BigInteger),
    Column("actual_usd", Float),
    Column("billed_tokens", BigInteger),
    Column("created_at", String),
    Column("posted_at", String),
    Column("finished_at", String),
    Column("last_cursor", String),
    Column("version", Integer),
    Column("progress_at", String),
    Column("account", String),
    Column("attempts", Integer),
    Column("unclear", String),
    Column("owner", String),
    Column("group_name", String),
    Column("hooks", String),
    Column("name", String),
    Column("home", String),
)

events = Table(
    "events",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", String),
)

uploads = Table(
    "uploads",
    metadata,
    Column("account", String, primary_key=True),
    Column("content_key", String, primary_key=True),
    Column("remote_file", String),
    Column("created_at", String),
)

moves = Table(
    "moves",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("moved_from", String),
)

hooks = Table(
    "hooks",
    metadata,
    Column("source", String, primary_key=True),
    Column("name", String, primary_key=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("hook", String, primary_key=True),
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempts", Integer),
    Column("due_at", String),
)

deployments = Table(
    "deployments",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tier", String),
    Column("name", String),
    Column("model", String),
    Column("hourly_usd", Float),
    Column("max_hours", Float),
    Column("began_at", String),
    Column("ended_at", String),
)

answers = Table(
    "answers",
    metadata,
    Column("account", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("variant", String, primary_key=True),
    Column("question", String, primary_key=True),
    Column("answer", String),
    Column("answered_at", String),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("name", String, primary_key=True),
    Column("plan", String),
    Column("max_cost_usd", Float),
    Column("created_at", String),
)

trials = Table(
    "trials",
    metadata,
    Column("sweep", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stopped", String),
    Column("evaluation", String),
)

MIGRATIONS: list[tuple[str, list[str]]] = [
    (
        "the first tables",
        [
            """CREATE TABLE jobs (
                id TEXT PRIMARY KEY, user_key TEXT UNIQUE, target TEXT NOT NULL, status TEXT NOT NULL,
                raw_status TEXT, remote_id TEXT, request_hash TEXT NOT NULL, spec TEXT NOT NULL,
                prepared TEXT NOT NULL, latest TEXT NOT NULL, result TEXT, error TEXT,
                estimate_usd DOUBLE PRECISION, actual_usd DOUBLE PRECISION,
                created_at TEXT NOT NULL, posted_at TEXT, finished_at TEXT,
                last_cursor TEXT NOT NULL, version INTEGER NOT NULL)""",
            "CREATE INDEX jobs_by_status ON jobs (status)",
            """CREATE TABLE events (
                job_id TEXT NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL, event TEXT NOT NULL,
                PRIMARY KEY (job_id, number))""",
            """CREATE TABLE uploads (
                account TEXT NOT NULL, content_key TEXT NOT NULL, remote_file TEXT NOT NULL,
                created_at TEXT NOT NULL, PRIMARY KEY (account, content_key))""",
        ],
    ),
    (
        "estimates with their upper bound, and tokens",
        [
            "ALTER TABLE jobs ADD COLUMN estimate_usd_high DOUBLE PRECISION",
            "ALTER TABLE jobs ADD COLUMN estimate_tokens BIGINT",
            "ALTER TABLE jobs ADD COLUMN billed_tokens BIGINT",
        ],
    ),
    (
        "when a job last went on, and what hooks have still to be told",
        [
            "ALTER TABLE jobs ADD COLUMN progress_at TEXT",
            """CREATE TABLE deliveries (
                hook TEXT NOT NULL, job_id TEXT NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL,
                attempts INTEGER NOT NULL, due_at TEXT NOT NULL, PRIMARY KEY (hook, job_id, number))""",
        ],
    ),
    (
        "which job was moved from which",
        [
            """CREATE TABLE moves (
                job_id TEXT PRIMARY KEY REFERENCES jobs (id), moved_from TEXT NOT NULL REFERENCES jobs (id))""",
        ],
    ),
    (
        "how a submission stands, and whose it is",
        [
            "ALTER TABLE jobs ADD COLUMN account TEXT",
            "ALTER TABLE jobs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE jobs ADD COLUMN unclear TEXT",
            "ALTER TABLE jobs ADD COLUMN owner TEXT",
            "ALTER TABLE jobs ADD COLUMN group_name TEXT",
            "CREATE INDEX jobs_by_request ON jobs (request_hash)",
        ],
    ),
    (
        "which models are deployed, and what that costs",
        [
            """CREATE TABLE deployments (
                job_id TEXT NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL, tier TEXT, name TEXT,
                model TEXT NOT NULL, hourly_usd DOUBLE PRECISION, max_hours DOUBLE PRECISION,
                began_at TEXT NOT NULL, ended_at TEXT, PRIMARY KEY (job_id, number))""",
        ],
    ),
    (
        "which hooks are owed the changes of which job",
        [
            "ALTER TABLE jobs ADD COLUMN hooks TEXT",
            "CREATE TABLE hooks (source TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (source, name))",
        ],
    ),
    (
        "the names of jobs, by which they are found",
        [
            "ALTER TABLE jobs ADD COLUMN name TEXT",
            # PostgreSQL cannot read U+0000 out of JSON
            "UPDATE jobs SET name = json_extract(spec, '$.name') WHERE spec NOT LIKE '%u0000%'",
            "CREATE INDEX jobs_by_name ON jobs (name)",
        ],
    ),
    (
        "from which home a job was submitted",
        ["ALTER TABLE jobs ADD COLUMN home TEXT"],
    ),
    (
        "what models have answered",
        [
            """CREATE TABLE answers (
                account TEXT NOT NULL, model TEXT NOT NULL, variant TEXT NOT NULL, question TEXT NOT NULL,
                answer TEXT NOT NULL, answered_at TEXT NOT NULL, PRIMARY KEY (account, model, variant, question))""",
        ],
    ),
    (
        "which trials a sweep has, and how they ended",
        [
            """CREATE TABLE sweeps (
                name TEXT PRIMARY KEY, plan TEXT NOT NULL, max_cost_usd DOUBLE PRECISION, created_at TEXT NOT NULL)""",
            """CREATE TABLE trials (
                sweep TEXT NOT NULL REFERENCES sweeps (name), number INTEGER NOT NULL, stopped TEXT, evaluation TEXT,
                PRIMARY KEY (sweep, number))""",
        ],
    ),
]


def bring_up_to_date(engine: Engine) -> None:
    """Bring the ledger to the newest schema; raises `StateError` for one from a newer ftbridge."""
    with engine.connect() as connection:
        if schema_of(connection) == len(MIGRATIONS):
            return
    with engine.execution_options(writes=True).begin() as connection:
        _migrate(connection)


def schema_of(connection: Connection) -> int:
    """The number of the newest migration that was made here; 0 where there is no ledger yet."""
    if not inspect(connection).has_table("migrations"):
        return 0
    newest: int = connection.execute(text("SELECT COALESCE(MAX(number), 0) FROM migrations")).scalar_one()
    return newest


def _migrate(connection: Connection) -> None:
    on_a_server = connection.dialect.name == "postgresql"
    if on_a_server:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ftbridge migrations'))"))
    connection.execute(text("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)"))
    done = schema_of(connection)
    if done > len(MIGRATIONS):
        raise StateError(
            f"the ledger was written by a newer ftbridge (schema {done}, this one knows {len(MIGRATIONS)})",
            hint="Upgrade ftbridge, or set FTBRIDGE_HOME to another folder.",
        )
    for number, (name, statements) in enumerate(MIGRATIONS[done:], start=done + 1):
        for statement in statements:
            connection.execute(text(_for_a_server(statement) if on_a_server else statement))
        connection.execute(text("INSERT INTO migrations VALUES (:number, :name)"), {"number": number, "name": name})


def _for_a_server(statement: str) -> str:
    # texts sort by their bytes, as they do in SQLite, and not by the server's language
    statement = statement.replace(" TEXT", ' TEXT COLLATE "C"')
    return statement.replace("json_extract(spec, '$.name')", "CAST(spec AS json) ->> 'name'")
