"""One hash that tells whether anything in a database's tables is otherwise than it was."""

from __future__ import annotations

import hashlib
import json
import threading

from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.fingerprint import fingerprints, tables
from runbooks.systems.postgres.snapshot import seeing


def digest_of(access: Access, database: str, jobs: int, stopping: threading.Event) -> str:
    """Of the fingerprints of all tables of a database."""
    with seeing(access, None, database) as connection:
        known = tables(connection)
    found = fingerprints(access, known, database=database, jobs=jobs, stopping=stopping)
    written = json.dumps({name: [each.rows, each.sum] for name, each in found.items()}, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()
