"""Users' own API keys encrypted anew when ENCRYPTION_KEY is rotated: what a rotation's steps call, in this order.

    survey      which key opens the rows now; refuse while one opens with neither
    encrypt     every value under the new key, in a side table: resumable, nobody notices
    swap        in one transaction: late rows, every row proven. The application can read them with the new key only
    swap_back   the way back, until `forget`: rows written meanwhile are encrypted with the old key again
    catch_up    rows that the application wrote between `swap` and its restart
    forget      drop the side table, and with it the values under the old key

Soft-deleted users' rows are rows like any other. Each effect can be called again after a kill at any point, and `stage`
tells where a run has come to. The application has one key only, so between `swap` and its restart with the new key it
can't read users' keys: keep these two close together.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.reencrypt import Survey, refuse_strange, survey, swap
from runbooks.systems.postgres.reencrypt_workers import Work, encrypt_all
from runbooks.systems.postgres.side_table import Column, SideStage, SideTable
from runbooks.systems.secrets.fernet import Keys

USERS_KEYS = Column("public", "user_api_config", "encrypted_api_key")
"""Where PRAVIEL keeps users' own API keys: Fernet tokens under ENCRYPTION_KEY."""

BATCH = 20_000
"""Rows; about half a second of one core."""


@dataclass(frozen=True, kw_only=True)
class Reencryption:
    """One run's.

    Attributes:
        access: A role that owns the table and may create a schema in its database.
        run: The run's id; the side table is called after it.
        keys: See `Keys.checked`.
        jobs: Processes that encrypt at once; None: a core each.
        batch: Rows in a batch.
    """

    access: Access
    run: str
    keys: Keys
    jobs: int | None = None
    batch: int = BATCH

    @classmethod
    def of(cls, access: Access, run: str, old: Secret, new: Secret, *older: Secret) -> Reencryption:
        """With keys that have been looked at. Raises InputError: one is not exactly one valid key, or they are one."""
        return cls(access=access, run=run, keys=Keys.checked(old, new, *older))

    @property
    def side(self) -> SideTable:
        return SideTable(USERS_KEYS, self.run)

    def stage(self) -> SideStage | None:
        """How far this run has come; None: it has not begun, or `forget` was its end."""
        with self.access.connection() as connection:
            return self.side.stage(connection)

    def survey(self) -> Survey:
        """Which key opens how many rows; reads only, one core, about 200,000 rows a second."""
        with self.access.connection() as connection:
            return survey(connection, self.side, self.keys)

    def refuse_strange(self) -> Survey:
        """The survey. Raises NeedsPerson: a row opens with neither key, and would be lost."""
        found = self.survey()
        refuse_strange(self.side, found.neither)
        return found

    def encrypt(self, stopping: threading.Event, said: Callable[[str], None] = lambda _what: None) -> None:
        """Fill the side table; again, only with what has come since.

        Raises:
            NeedsPerson: rows open with neither key. The batches without such a row are done.
            SystemFault: the database failed, or the operator asked to stop. What is done stays done.
        """
        with self.access.connection() as connection:
            self.side.create(connection)
        jobs = self.jobs or len(os.sched_getaffinity(0))
        work = Work(access=self.access, side=self.side, keys=self.keys, jobs=jobs, rows=self.batch)
        strange = encrypt_all(work, stopping, lambda done, count: said(f"encrypted batch {done} of {count}"))
        refuse_strange(self.side, strange)

    def encrypted(self) -> bool:
        """Whether every row that was there when the batches were cut is in the side table."""
        with self.access.connection() as connection:
            return self.side.stage(connection) is not None and self.side.complete(connection)

    def swap(self, said: Callable[[str], None] = lambda _what: None) -> str:
        """Put the values under the new key into the column.

        Raises:
            NeedsPerson: a row written meanwhile opens with neither key; nothing was changed.
            SystemFault: the table was busy for too long, or there is no side table; nothing was changed.
        """
        with self.access.connection() as connection:
            if self.side.stage(connection) is None:
                raise self._not_begun()
            done = swap(connection, self.side, self.keys, said=said)
        if done is None:
            return "the rows were under the new key already"
        return f"{done.rows} rows are under the new key, {done.late} of them written since the batches"

    def swapped(self) -> bool:
        """Whether the column holds the values under the new key."""
        return self.stage() is SideStage.SWAPPED

    def catch_up(self, *, back: bool = False) -> str:
        """Once nothing runs with the other key any more: encrypt what it wrote since the swap. Raises as `swap`."""
        with self.access.connection() as connection:
            if self.side.stage(connection) is None:
                return "no rows were changed"
            done = swap(connection, self.side, self.keys, back=back, again=True)
        return f"{done.late if done else 0} rows had been written with the {'new' if back else 'old'} key meanwhile"

    def swap_back(self, said: Callable[[str], None] = lambda _what: None) -> str:
        """Put the values under the old key back, also of rows written since. Raises as `swap`."""
        with self.access.connection() as connection:
            if self.side.stage(connection) is None:
                return "the rows were never changed"
            done = swap(connection, self.side, self.keys, back=True, said=said)
        return "the rows are under the old key" if done is None else f"{done.rows} rows are under the old key again"

    def forget(self) -> bool:
        """Drop the side table; whether there was one. After a swap there is no way back from here."""
        with self.access.connection() as connection:
            return self.side.drop(connection)

    def _not_begun(self) -> SystemFault:
        return SystemFault(
            "the rows have not been encrypted anew by this run",
            reason=Reason.FAILED,
            where=str(self.side),
            mend=f"invoke runs.resume {self.run}",
        )
