"""What snapshots are made and restored with, as an environment declares it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.model import Environment
from runbooks.environment.site import Site
from runbooks.systems.postgres import programs
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.cluster import Cluster
from runbooks.systems.postgres.programs import Programs
from runbooks.systems.snapshots import sealed
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.shelf import Shelf

CLUSTER = "pg-"
"""How the folders begin that drills have servers of their own in; short, as a socket's path may not be long."""


@dataclass
class Snapshots:
    """Of one environment; each part is opened when it is first asked for."""

    site: Site
    elsewhere: Access | None = None
    """Another server than the database's own, for a drill that has one to itself."""

    @property
    def environment(self) -> Environment:
        return self.site.environment

    @cached_property
    def access(self) -> Access:
        """A role that may read the whole database, and create others where something is restored."""
        if self.elsewhere is not None:
            return self.elsewhere
        own = self.environment.backup.database_url
        if own is None:
            return self.application
        return replace(self.application, url=self.site.resolve(own, "backup.database_url"))

    @cached_property
    def application(self) -> Access:
        """The application's own role, as the operator reaches its database."""
        declared = self.environment.database
        return Access(
            url=self.site.resolve(declared.url, "database.url"),
            ca_file=declared.ca_file,
            connect_seconds=declared.connect_timeout_seconds,
            reach=declared.reach,
        )

    @cached_property
    def database(self) -> str:
        """The name of the application's database.

        Raises:
            InputError: the role's URL names another one.
        """
        name = self.application.database
        if name != self.access.database:
            raise InputError(
                "backup.database_url names another database than the application's",
                where="backup.database_url",
                found=f"{self.access.database}, not {name}",
                mend="it must be the same database, as another role",
            )
        return name

    @property
    def shelf(self) -> Shelf:
        return self.site.shelf

    def programs(self, major: int) -> Programs:
        """pg_dump and pg_restore for a server of this major version. Raises InputError if there are none."""
        declared = self.environment.backup.bin
        folder = Path(self.site.resolve(declared, "backup.bin").reveal()) if declared else None
        return programs.find(major, folder and self.environment.project / folder)

    @cached_property
    def recipient_keys(self) -> tuple[str, ...]:
        """The public keys to which snapshots and variables are encrypted."""
        declared = self.environment.backup.recipients
        return tuple(self.site.resolve(each, "backup.recipients").reveal() for each in declared)

    @cached_property
    def recipients(self) -> Sequence[Any]:
        """To whom snapshots and variables are encrypted."""
        return sealed.recipients(self.recipient_keys) if self.recipient_keys else []

    @cached_property
    def identity(self) -> Any:
        """What reads encrypted snapshots, or None if the inventory names nothing."""
        declared = self.environment.backup.identity
        if declared is None:
            return None
        key: Secret = self.site.resolve(declared, "backup.identity")
        self.site.redactor.add(key)
        return sealed.identity(key)

    def reader_of(self, manifest: Manifest) -> Any:
        """What reads this snapshot's objects; None if they are not encrypted.

        Raises:
            InputError: they are, and the inventory names no identity.
        """
        if not manifest.encrypted:
            return None
        if self.identity is None:
            raise InputError(
                "the snapshot is encrypted, and there is no key to read it with",
                where=manifest.id,
                found=f"encrypted to {', '.join(each[:24] + '…' for each in manifest.encrypted)}",
                mend='declare backup.identity = { secret = "AGE_IDENTITY" } in the inventory',
            )
        return self.identity

    def cluster(self, tail: str, major: int) -> Cluster:
        """The server of a drill's own. Raises InputError if there are no programs of this major version."""
        return Cluster(self.work(f"{CLUSTER}{tail}"), self.programs(major))

    def work(self, name: str) -> Path:
        """A folder of this name on this machine, for what is not yet in the store or no longer."""
        folder = self.environment.backup.work
        assert folder, "loading fills it in"
        return folder / name
