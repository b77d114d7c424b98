"""Run by a release's own interpreter, in its folder: what each of its revisions would run, as SQL.

Usage: ``python -c "$(cat offline.py)" REVISION…``: the migrations that the schema is at; none for an empty database.

Prints one line, ``offline: {"heads", "new": [{"revision", "sql", "error"}, …], "migrates_at_start"}``, oldest first.
A revision of its own each, into a buffer of its own: what the release logs on standard output can't get between, and
one that asks the database as it goes, so can't be told ahead, keeps nobody from the others. Whether its start command
migrates is read from ``railway.json``, which says how it is started everywhere.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def rendered(revision: str, below: str) -> dict[str, str]:
    buffer = io.StringIO()
    config = Config("alembic.ini", output_buffer=buffer)
    try:
        command.upgrade(config, f"{below}:{revision}", sql=True)
    except (Exception, SystemExit) as error:
        return {"revision": revision, "sql": "", "error": f"{type(error).__name__}: {error}"[:300]}
    return {"revision": revision, "sql": buffer.getvalue(), "error": ""}


def main(at: list[str]) -> None:
    scripts = ScriptDirectory.from_config(Config("alembic.ini"))
    known = {each.revision for start in at for each in scripts.iterate_revisions(start, "base")}
    new = [each for each in scripts.walk_revisions() if each.revision not in known]
    found = []
    for script in reversed(new):
        below = script.down_revision
        below = script.down_revision or "base"
        # A merge of branches has several; it has no statements unless somebody wrote some.
        found.append(rendered(script.revision, below if isinstance(below, str) else below[0]))
    try:
        start = json.loads(Path("railway.json").read_text())["deploy"]["startCommand"]
    except (OSError, ValueError, KeyError):
        start = ""
    at_start = "alembic upgrade" in start
    print("\noffline: " + json.dumps({"heads": scripts.get_heads(), "new": found, "migrates_at_start": at_start}))


main(sys.argv[1:])
