"""Whether the database's tables are those that the release's migrations make, whatever alembic_version says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.atomic import write_atomically
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.client import Database
from runbooks.systems.postgres.schema import Schema, differences, read_schema, strangers
from runbooks.systems.postgres.scratch import scratch_database

SECONDS = 60.0
SHOWN = 4


@check(
    "final.schema-as-migrated",
    title="The database's tables are those that the release's migrations make",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.LIVE,
    target="postgres",
    depends_on=("migrations.run-on-deploy",),
    seconds=SECONDS,
)
def schema_as_migrated(subject: Subject) -> Finding:
    expected = "every table has the columns, types, constraints and indexes of a freshly migrated database"
    wanted = _wanted(subject)
    there = read_schema(subject.site.database)
    found = differences(wanted, there)
    if found:
        more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        mend = (
            "alembic_version says that this is migrated, so “upgrade head” does nothing: write a migration that brings"
            " the tables there, or restore a snapshot from before the change"
        )
        return failed(expected, "; ".join(found[:SHOWN]) + more, mend)
    columns = sum(map(len, wanted.columns.values()))
    others = strangers(wanted, there)
    beside = f"; made by no migration: {', '.join(others)}" if others else ""
    return passed(expected, f"{len(wanted.columns)} tables with {columns} columns are as migrated{beside}")


def _wanted(subject: Subject) -> Schema:
    """What the release's migrations make; built once for the same files, and kept in the cache."""
    kept = subject.site.cache / "schemas" / f"{_digest(subject)}.json"
    try:
        return Schema.from_json(json.loads(kept.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        schema = _built(subject)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(kept, json.dumps(schema.as_json()).encode())
    return schema


def _digest(subject: Subject) -> str:
    """One hash of all that the migrations are made of, and of the way in which a schema is read."""
    source = subject.site.source
    reader = Path(__file__).parent.parent / "systems" / "postgres" / "schema.py"
    digest = hashlib.sha256(reader.read_bytes())
    for path, content in source.contents():
        if "migrations/" in path or path.startswith("alembic"):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:32]


def _built(subject: Subject) -> Schema:
    site = subject.site
    with scratch_database(site.scratch) as url:
        problem = site.interpreter.migrate(url, site.variables, SECONDS - 10)
        if problem:
            raise SystemFault(
                "the release's migrations do not run on an empty database",
                reason=Reason.FAILED,
                found=problem,
                mend="see the migrations, and the extensions in database.scratch_url",
            )
        database = Database(url)
        try:
            _require_extensions(database)
            schema = read_schema(database)
        finally:
            database.close()
    if not schema.columns:
        raise SystemFault("the release's migrations made no table there", reason=Reason.BAD_ANSWER, found="no table")
    return schema


def _require_extensions(database: Database) -> None:
    """PRAVIEL's migrations fall back to other types without them: what they made then is no measure."""
    there = {row["extname"] for row in database.rows("SELECT extname FROM pg_extension")}
    missing = {"vector", "pg_trgm"} - there
    if missing:
        raise SystemFault(
            "the scratch database lacks an extension",
            reason=Reason.BAD_ANSWER,
            where="database.scratch_url",
            found=f"no {', '.join(sorted(missing))}",
            mend="as a superuser, in that database: CREATE EXTENSION vector; CREATE EXTENSION pg_trgm",
        )
