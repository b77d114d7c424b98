"""The database: vectors, and how many connections the application may take."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed

VECTOR_TABLES = ("text_segment", "grammar_topic", "generated_vocabulary")
"""Tables whose column ``emb`` holds embeddings."""

USUAL_OVERFLOW = range(5, 21)
"""The document calls 10 reasonable; far less refuses bursts, far more defeats the pool."""


@check("postgres.pgvector", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="postgres")
def pgvector(subject: Subject) -> Finding:
    expected = "extension vector is installed, emb columns are vectors, and a nearest-neighbour query answers"
    database = subject.site.database
    version = database.value("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    if version is None:
        mend = "as a superuser: CREATE EXTENSION vector; then look whether the emb columns are still vectors"
        return failed(expected, "extension vector is not installed", mend)
    types = database.rows(
        "SELECT table_name, udt_name FROM information_schema.columns"
        " WHERE column_name = 'emb' AND table_schema = current_schema() AND table_name = ANY(%s) ORDER BY 1",
        [list(VECTOR_TABLES)],
    )
    wrong = [f"{row['table_name']}.emb is {row['udt_name']}" for row in types if row["udt_name"] != "vector"]
    if wrong:
        found = f"{', '.join(wrong)}: the migrations ran while the extension was missing"
        return failed(expected, found, "restore a snapshot from before, or convert the columns and build their indexes")
    if not types:
        return failed(expected, "no table has an emb column", "see migrations.run-on-deploy")
    nearest = database.rows(
        "SELECT emb <-> (SELECT emb FROM text_segment WHERE emb IS NOT NULL ORDER BY id LIMIT 1) AS distance"
        " FROM text_segment WHERE emb IS NOT NULL ORDER BY distance LIMIT 3"
    )
    if not nearest:
        return failed(expected, "text_segment holds no embedding to search", "load the application's content")
    found = f"vector {version}; {len(nearest)} neighbours, nearest at {nearest[0]['distance']:.3f}"
    return passed(expected, found)


@check(
    "postgres.pool-size",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def pool_size(subject: Subject) -> Finding:
    plan = subject.environment.platform.plan
    assert plan is not None, "loading fills it in"
    sizes = plan.pool_sizes
    expected = f"DB_POOL_SIZE is {sizes.start} to {sizes.stop - 1} on the {plan} plan"
    size = subject.site.number("DB_POOL_SIZE", default=5)
    found = f"DB_POOL_SIZE is {size}" + ("" if subject.site.variable("DB_POOL_SIZE") else " (the default)")
    if size in sizes:
        return passed(expected, found)
    return failed(expected, found, f"set DB_POOL_SIZE between {sizes.start} and {sizes.stop - 1}, then restart")


@check(
    "postgres.max-overflow",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="postgres",
)
def max_overflow(subject: Subject) -> Finding:
    site, platform = subject.site, subject.environment.platform
    pool, overflow = site.number("DB_POOL_SIZE", default=5), site.number("DB_MAX_OVERFLOW", default=5)
    workers = site.number("UVICORN_WORKERS", default=1)
    processes = workers * platform.replicas * platform.slots
    wanted = (pool + overflow) * processes
    free, account = _connections(subject)
    expected = f"DB_MAX_OVERFLOW is about 10, and all pools together fit into {free} free connections ({account})"
    found = (
        f"DB_MAX_OVERFLOW is {overflow}; ({pool} + {overflow}) × {workers} workers × {platform.replicas} replicas"
        f" × {platform.slots} slots = {wanted}"
    )
    if site.variable("DB_MAX_OVERFLOW") is None:
        return failed(expected, "DB_MAX_OVERFLOW is not set", "set DB_MAX_OVERFLOW=10, then restart")
    if overflow not in USUAL_OVERFLOW:
        return failed(expected, found, "set DB_MAX_OVERFLOW=10, then restart")
    if wanted > free:
        return failed(expected, found, "lower DB_POOL_SIZE, DB_MAX_OVERFLOW or the workers, or raise max_connections")
    return passed(expected, found)


def _connections(subject: Subject) -> tuple[int, str]:
    """Connections that the application may take, and how they were counted.

    Those of other roles and databases are taken away; the application's own and this tool's are not.
    """
    rows = subject.site.database.rows(
        "SELECT current_setting('max_connections')::int AS most,"
        " current_setting('superuser_reserved_connections')::int"
        " + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        "  AND pid <> pg_backend_pid() AND application_name <> 'praviel-runbooks'"
        "  AND datname IS DISTINCT FROM current_database()) AS others"
    )
    most, reserved, others = int(rows[0]["most"]), int(rows[0]["reserved"]), int(rows[0]["others"])
    account = f"max_connections {most} − {reserved} reserved − {others} of other databases"
    return most - reserved - others, account
