"""What putting a snapshot in the place of the live database would take away: tables whose rows are others by now."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.steps.restoring import Restoring
from runbooks.systems.postgres.fingerprint import fingerprints
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.postgres.snapshot import held, seeing
from runbooks.systems.snapshots.portrait import describe


@dataclass(frozen=True)
class Loss:
    """The live database against a snapshot of it.

    Attributes:
        tables: Table → its fingerprint then and now, of those that differ; None: it was or is not there.
        heads: The migration heads of the live database.
    """

    tables: Mapping[str, tuple[Fingerprint | None, Fingerprint | None]]
    heads: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """A line for each table that differs."""
        for name, (then, now) in sorted(self.tables.items()):
            if now is None:
                yield f"{name}: not there any more; it had {_rows(then)}"
            elif then is None:
                yield f"{name}: new since, with {_rows(now)}"
            elif then.rows == now.rows:
                yield f"{name}: {_rows(now)} as before, but others"
            else:
                yield f"{name}: {_rows(now)}, {now.rows - then.rows:+d} since"


def loss(restoring: Restoring, stopping: threading.Event) -> Loss:
    """Count it: every table is read. Raises SystemFault if the live database can't be asked."""
    access, recorded = restoring.snapshots.access, restoring.contents.tables
    with held(access) as holder:
        with seeing(access, holder.moment) as connection:
            portrait = describe(connection, access.database)
        found = fingerprints(
            access,
            portrait.tables,
            moment=holder.moment,
            jobs=restoring.snapshots.environment.backup.jobs,
            stopping=stopping,
        )
    names = {*recorded, *found}
    different = {name: (recorded.get(name), found.get(name)) for name in names if recorded.get(name) != found.get(name)}
    return Loss(different, portrait.heads)


def _rows(of: Fingerprint | None) -> str:
    return f"{of.rows if of else 0} rows"
