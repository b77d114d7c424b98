"""Puts a restored and proven database in the place of the live one, and back."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from runbooks.engine.errors import InputError
from runbooks.engine.lease import operator
from runbooks.engine.step import Scope
from runbooks.environment.key_ring import KeyRing
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import restoration
from runbooks.steps.loss import loss
from runbooks.steps.restoring import PROVEN, Restoring
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.exchange import QUARANTINED, Exchange, beside, swap
from runbooks.systems.postgres.rights import lacking_for_exchange
from runbooks.systems.postgres.sessions import holds, replicas, sessions, unendable


class Exchanging(Protocol):
    """A database that takes the live one's place: what the steps here need to know of it."""

    snapshots: Snapshots
    run: str

    @property
    def live(self) -> str:
        """The name that clients connect to."""

    @property
    def aside(self) -> str:
        """The name under which the database that is replaced is kept."""

    @property
    def aside_again(self) -> str:
        """The name under which the one that replaced it is kept once that is taken back."""

    def exchange(self, token: int) -> Exchange:
        """One for the other."""

    def exchange_back(self, token: int) -> Exchange:
        """And back."""


def switched_by(connection: Connection, work: Exchanging) -> bool:
    """Whether this run has put the live database aside."""
    said = databases.mark(connection, work.aside)
    return said is not None and said.run == work.run and said.state == QUARANTINED


@dataclass
class Switching(Restoring):
    """What the steps of a restore share that ends with the restored database being the live one."""

    @property
    def live(self) -> str:
        return self.manifest.database

    @property
    def aside(self) -> str:
        """The name under which the database that is replaced is kept."""
        return databases.sibling_name(self.live, "quarantine", self.tail)

    @property
    def aside_again(self) -> str:
        """The name under which the restored database is kept once the switch is taken back: it was written to."""
        return databases.sibling_name(self.live, "quarantine", f"{self.tail}_back")

    def exchange(self, token: int) -> Exchange:
        """The restored database in the place of the live one."""
        said = Mark(self.run, QUARANTINED, self.manifest.id, self.live, by=operator(), token=token)
        return Exchange(live=self.live, replacement=self.sibling, aside=self.aside, mark=said)

    def exchange_back(self, token: int) -> Exchange:
        """The database that was replaced in its place again."""
        said = Mark(self.run, QUARANTINED, self.manifest.id, self.live, by=operator(), token=token)
        return Exchange(live=self.live, replacement=self.aside, aside=self.aside_again, mark=said)

    def mark(self) -> Mark | None:
        """As of a restore; once switched, the restored database is the live one, and it is proven."""
        with beside(self.snapshots.access) as connection:
            if switched_by(connection, self):
                return self.said(PROVEN)
            said = databases.mark(connection, self.sibling)
        return said if said and said.run == self.run else None


def look(work: Switching, _scope: Scope) -> str:
    """Find out whether it can be done; nothing is changed."""
    with beside(work.snapshots.access) as connection:
        if switched_by(connection, work):
            return "it was looked before the switch"
    ring = KeyRing(work.snapshots)
    if ring.in_use:
        ring.current()  # what is wrong with it is said ahead of hours of work
    return f"{restoration.survey(work)}; {survey(work)}"


def survey(work: Exchanging) -> str:
    """What would be switched.

    Raises:
        RunbookError: it can't be; the message names everything that stands against it.
    """
    _ = work.aside_again  # the longest name
    with beside(work.snapshots.access) as connection:
        there, following = sessions(connection, work.live), replicas(connection)
        against = [*lacking_for_exchange(connection, work.live), *unendable(there), *holds(connection, work.live)]
    if against:
        raise InputError(
            "the restored database could not be put in the live one's place",
            where=str(work.snapshots.access),
            found="; ".join(against),
            mend="give the role of backup.database_url what it lacks and end what holds the database, or restore"
            " without --switch",
        )
    told = f"then {work.live}, with {len(there)} sessions, is kept as {work.aside}"
    if following:
        told += f"; {following} replicas follow: who reads there goes on with the old database until he connects again"
    return told


def plan_switch(work: Switching) -> Iterable[str]:
    """What would be replaced, and what only the database in quarantine would then have."""
    yield survey(work)
    yield f"rows that only {work.aside} will have, counted against {work.manifest.taken:%Y-%m-%d %H:%M:%S} UTC:"
    lines = list(loss(work, threading.Event()).lines())
    yield from (f"  {line}" for line in lines or ["none"])


def switch(work: Exchanging, scope: Scope) -> str:
    """End every session of the live database; both renames, rights and marks in one transaction."""
    survey(work)
    return swap(work.snapshots.access, work.exchange(scope.token))


def switched(work: Exchanging, _scope: Scope) -> bool:
    with beside(work.snapshots.access) as connection:
        return switched_by(connection, work)


def switch_back(work: Exchanging, scope: Scope) -> str:
    """Put the old database in its place again. The restored one is kept: somebody may have written to it."""
    with beside(work.snapshots.access) as connection:
        if not switched_by(connection, work):
            return "nothing was switched"
    return swap(work.snapshots.access, work.exchange_back(scope.token))


def probe(work: Exchanging, _scope: Scope) -> str:
    """Connect as the application does.

    Raises:
        SystemFault: it can't.
    """
    access = work.snapshots.application
    with access.connection() as connection:
        row = connection.execute(_WHO).fetchone()
        assert row
    return f"{row['role']} can connect to {row['name']}, which has {row['tables']} tables for it"


_WHO = """
SELECT current_user::text AS role, pg_catalog.current_database()::text AS name,
       (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS tables
"""
