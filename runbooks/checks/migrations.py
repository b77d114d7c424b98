"""The schema and the code that expects it."""

from __future__ import annotations

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
    heads = subject.site.source.migration_heads()
    if len(heads) != 1:
        return failed(expected, f"the release has {len(heads)} heads: {', '.join(heads)}", "alembic merge heads")
    rows = subject.site.database.rows("SELECT version_num FROM alembic_version ORDER BY 1")
    at = [str(row["version_num"]) for row in rows]
    if at != heads:
        found = f"the database is at {', '.join(at) or 'no revision'}, the release's head is {heads[0]}"
        return failed(expected, found, f"with the application's variables, in its release: {UPGRADE}")
    return passed(expected, f"the database and the release are at {heads[0]}; every start migrates")
