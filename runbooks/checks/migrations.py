"""The schema and the code that expects it."""

from __future__ import annotations

from urllib.parse import urlsplit

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed

UPGRADE = "alembic upgrade head"


@check("migrations.run-on-deploy", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="postgres")
def run_on_deploy(subject: Subject) -> Finding:
    expected = f"the start command runs “{UPGRADE}”, and the database is at the release's one head"
    command = subject.site.source.start_command()
    if UPGRADE not in command:
        return failed(expected, f"the start command is {command!r}", f"begin it with {UPGRADE} &&")
    other = another_database(subject.site.variable("DATABASE_URL"), subject.site.variable("DATABASE_URL_SYNC"))
    if other:
        found = f"{other}: the start command migrates the one, the application asks the other"
        return failed(expected, found, "unset DATABASE_URL_SYNC, or have it lead to the application's database")
    heads = subject.site.source.migration_heads()
    if len(heads) != 1:
        return failed(expected, f"the release has {len(heads)} heads: {', '.join(heads)}", "alembic merge heads")
    rows = subject.site.database.rows("SELECT version_num FROM alembic_version ORDER BY 1")
    at = [str(row["version_num"]) for row in rows]
    if at != heads:
        found = f"the database is at {', '.join(at) or 'no revision'}, the release's head is {heads[0]}"
        return failed(expected, found, f"with the application's variables, in its release: {UPGRADE}")
    return passed(expected, f"the database and the release are at {heads[0]}; every start migrates")


def another_database(own: str | None, sync: str | None) -> str:
    """How DATABASE_URL_SYNC, which Alembic prefers, leads elsewhere than DATABASE_URL; empty if it does not.

    A pooled endpoint and the database behind it count as one place: Neon calls it HOST-pooler, others use port 6543.
    """
    if not own or not sync:
        return ""
    mine, theirs = _place(own), _place(sync)
    return "" if mine == theirs else f"DATABASE_URL_SYNC leads to {theirs}, DATABASE_URL to {mine}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").replace("-pooler", "").replace("localhost", "127.0.0.1")
    try:
        port = parts.port or 5432
    except ValueError:
        port = 0
    return f"{host}:{5432 if port == 6543 else port}{parts.path}"
