"""Users' keys in a database that is to become the live one, brought under the ENCRYPTION_KEY that the application has.

A snapshot from before a rotation has its rows under the key of then, and so has a database that was put aside before
one. The application would open none of them, and the retired key must not come back. So they are encrypted anew before
anything is switched, with the keys that the copies of the variables have kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from runbooks.engine.errors import NeedsPerson, RunbookError
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.key_ring import BY_HAND, KEY, Kept, KeyRing
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.reencryption import USERS_KEYS, Reencryption
from runbooks.steps.restoring import Restoring
from runbooks.steps.switching import Switching, switched_by
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.exchange import beside
from runbooks.systems.postgres.reencrypt import SHOWN, put_back
from runbooks.systems.postgres.side_table import SideStage, SideTable
from runbooks.systems.secrets.fernet import Keys


@dataclass(frozen=True)
class Found:
    """What the rows are under.

    Attributes:
        rows: How many there are.
        closed: The ids of those that the application could not open.
        keys: Older keys that open those.
        lost: The ids of those that no kept key opens.
        looked: Where keys were looked for.
    """

    rows: int
    closed: Sequence[int] = ()
    keys: Sequence[Kept] = ()
    lost: Sequence[int] = ()
    looked: Sequence[str] = ()

    def __str__(self) -> str:
        if not self.rows:
            return "no user has stored a key in it"
        if not self.closed:
            return f"the {KEY} of now opens all {self.rows} users' keys in it"
        told = f"{len(self.closed)} of {self.rows} users' keys in it are not under the {KEY} of now"
        if self.keys:
            told += f"; older ones open them: {', '.join(each.where for each in self.keys)}"
        return told + (f"; no kept key opens {rows_of(self.lost)}" if self.lost else "")


@dataclass
class Rekeying:
    """One database's rows; its side table is called after the run.

    Attributes:
        database: It is not the live one, so nobody writes to it.
    """

    snapshots: Snapshots
    run: str
    database: str
    ring: KeyRing = field(init=False)

    def __post_init__(self) -> None:
        self.ring = KeyRing(self.snapshots)

    @property
    def access(self) -> Access:
        return self.snapshots.access.to(self.database)

    @property
    def side(self) -> SideTable:
        return SideTable(USERS_KEYS, self.run)

    @cached_property
    def key(self) -> Secret | None:
        """The one of now. Raises as `KeyRing.current`."""
        return self.ring.current()

    def stage(self) -> SideStage | None:
        """How far this run has come; None: it has not begun, or has cleaned up."""
        with self.access.connection() as connection:
            return self.side.stage(connection)

    def all_open(self) -> bool:
        """Whether the application could open every row."""
        return not self._closed()[1]

    def find(self) -> Found:
        """Which keys the rows are under. Reads only.

        Raises:
            InputError: the key of now is not exactly one Fernet key.
            SystemFault: the database, or the place of the key of now, can't be asked.
        """
        rows, closed = self._closed()
        if not closed or self.key is None:
            return Found(rows, closed, lost=closed)
        keys, lost = [], set(closed)
        for kept in self.ring.older():
            now = self._rows(kept).survey()
            if now.old:
                keys.append(kept)
                lost &= set(now.neither)
            if not lost:
                break
        return Found(rows, closed, keys, sorted(lost), self.ring.looked)

    def encrypt(self, scope: Scope) -> str:
        """Have every row under the key of now. The side table stays, and with it the way back.

        Raises:
            NeedsPerson: no kept key opens some of the rows; nothing was changed.
            SystemFault: the database failed, or the operator asked to stop; it can be called again.
        """
        found = self.find()
        if found.lost:
            raise self._refused(found)
        if not found.closed:
            if self.stage() is SideStage.BUILDING:
                self.forget()
            return str(found)
        where = [each.where for each in found.keys]
        scope.record("rekeying", database=self.database, rows=found.rows, closed=len(found.closed), keys=where)
        first, *others = found.keys
        rows = self._rows(first, *others)
        rows.encrypt(scope.stop_event, scope.say)
        rows.swap(scope.say)
        count, closed = self._closed()
        if closed:
            raise self._refused(Found(count, closed, lost=closed))
        return (
            f"{len(found.closed)} of {count} users' keys in {self.database} were under an older {KEY}"
            f" ({', '.join(where)}); all are under that of now"
        )

    def take_back(self) -> str:
        """Put the rows back as they were; those that were written since stay under the key of now."""
        with self.access.connection() as connection:
            changed = put_back(connection, self.side)
        return f"{changed} rows of {self.database} are as they were"

    def forget(self) -> bool:
        """Drop the side table, and with it the way back; whether there was one."""
        with self.access.connection() as connection:
            return self.side.drop(connection)

    def _closed(self) -> tuple[int, Sequence[int]]:
        """How many rows there are, and the ids of those that the key of now does not open."""
        with self.access.connection() as connection:
            if not USERS_KEYS.exists(connection):
                return 0, ()
        if self.key is None:
            return self._without_key()
        found = Reencryption(access=self.access, run=self.run, keys=Keys.only(self.key)).survey()
        return found.old + len(found.neither), found.neither

    def _without_key(self) -> tuple[int, Sequence[int]]:
        if not self.ring.in_use:
            return 0, ()
        with self.access.connection() as connection:
            rows = connection.execute(self.side.statement("SELECT {key} AS id FROM {table} WHERE {value} IS NOT NULL"))
            ids = [row["id"] for row in rows.fetchall()]
        return len(ids), sorted(ids)

    def _rows(self, first: Kept, *others: Kept) -> Reencryption:
        assert self.key
        return Reencryption.of(self.access, self.run, first.key, self.key, *(each.key for each in others))

    def _refused(self, found: Found) -> NeedsPerson:
        if self.key is None:
            what = f"{KEY} is not set, so the application would open no user's key"
            return NeedsPerson(
                what,
                where=f"{USERS_KEYS} in {self.database}",
                found=f"{found.rows} rows; nothing was switched",
                mend=f"set {KEY}, then: invoke runs.resume {self.run}; or give it up: invoke runs.abort {self.run}",
            )
        table = f"{USERS_KEYS.schema}.{USERS_KEYS.table}"
        return NeedsPerson(
            f"no {KEY} that is kept opens {len(found.lost)} of {found.rows} users' keys",
            where=f"{USERS_KEYS} in {self.database}",
            found=f"{rows_of(found.lost)}; looked into: {'; '.join(found.looked)}. Nothing was switched",
            mend=f"write the key that they need into [secrets] as {BY_HAND}OLD, or bring its copy of the variables"
            f" back; or delete these rows from {table} in {self.database}, and have the users enter theirs anew."
            f" Then: invoke runs.resume {self.run}; or give it up: invoke runs.abort {self.run}",
        )


def report(work: Restoring, scope: Scope) -> str:
    """Say whether the application could open users' keys in the restored database; nothing is written."""
    try:
        found = of_sibling(work).find()
    except RunbookError as error:  # the restored database is proven, and stays
        return f"it can't be told whether the application could open users' keys in it: {error}"
    scope.record("keys", database=work.sibling, rows=found.rows, closed=len(found.closed), lost=list(found.lost))
    if found.closed:
        return f"{found}; --switch encrypts anew what it can, and stops ahead of the switch where it can't"
    return str(found)


def rekey(work: Switching, scope: Scope) -> str:
    """Encrypt anew what is under another key than that of now. Raises as `Rekeying.encrypt`."""
    ours = of_sibling(work)
    told = ours.encrypt(scope)
    ours.forget()  # the way back is the database that it is not switched with
    return told


def rekeyed(work: Switching, _scope: Scope) -> bool:
    """Whether the application could open every row of what becomes, or is, the live database."""
    with beside(work.snapshots.access) as connection:
        if switched_by(connection, work):
            return True
    ours = of_sibling(work)
    return ours.stage() is None and ours.all_open()


def plan(_work: Restoring) -> Iterable[str]:
    """What becomes of rows under another key."""
    yield f"rows of {USERS_KEYS.table} that are under an older {KEY} are encrypted anew under the one of now"
    yield "where no copy of the variables has their key, it stops ahead of the switch"


def of_sibling(work: Restoring) -> Rekeying:
    """The restored database's."""
    return Rekeying(work.snapshots, work.run, work.sibling)


def rows_of(ids: Sequence[int]) -> str:
    """Some of them by id."""
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{USERS_KEYS.key} {', '.join(map(str, ids[:SHOWN]))}{more}"
