"""The means by which faults are injected, as pairs of doing and taking back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, LiteralString

from psycopg import sql

from runbooks.sandbox import releases
from runbooks.sandbox.environments import database, provider_key
from runbooks.sandbox.faults.fault import Fault, Means
from runbooks.sandbox.files import write_private
from runbooks.sandbox.provider_accounts import accounts, write_accounts
from runbooks.sandbox.world import Sandbox

LOCAL = "local"


def variable(name: str, value: str | None, *, restart: bool = True) -> Means:
    """Change a variable of the application, or unset it with None.

    Without a restart it is as ahead of a deploy: the variable is set, and the application does not run with it yet.
    """

    def inject(sandbox: Sandbox) -> None:
        sandbox.set_variable(LOCAL, name, value)
        if restart:
            sandbox.restart(LOCAL)

    def mend(sandbox: Sandbox) -> None:
        sandbox.forget_variable(LOCAL, name)
        if restart:
            sandbox.restart(LOCAL)

    return Means(inject, mend, restarts=restart)


def variables(**values: str) -> Means:
    """Change several variables of the application at once."""

    def inject(sandbox: Sandbox) -> None:
        for name, value in values.items():
            sandbox.set_variable(LOCAL, name, value)
        sandbox.restart(LOCAL)

    def mend(sandbox: Sandbox) -> None:
        for name in values:
            sandbox.forget_variable(LOCAL, name)
        sandbox.restart(LOCAL)

    return Means(inject, mend)


def copied_variable(name: str, *, to: str, source: str = LOCAL) -> Means:
    """Give an environment another one's value."""

    def inject(sandbox: Sandbox) -> None:
        sandbox.set_variable(to, name, sandbox.variables(source)[name])

    def mend(sandbox: Sandbox) -> None:
        sandbox.forget_variable(to, name)

    return Means(inject, mend, restarts=False)


def build(fault: str) -> Means:
    """Deploy another build of the release that runs."""

    def inject(sandbox: Sandbox) -> None:
        sandbox.deploy(LOCAL, _revision(sandbox), fault)

    def mend(sandbox: Sandbox) -> None:
        sandbox.deploy(LOCAL, _revision(sandbox))

    return Means(inject, mend)


def built(name: str, breaks: str, shows: str, *also: str) -> Fault:
    """The fault that is a build of its own name."""
    return Fault(name=name, breaks=breaks, shows=shows, also=also, means=build(name))


def ruin(damage: LiteralString) -> Means:
    """Damage the database with SQL that can't be taken back; the way back is a copy that is made first."""
    own, kept = database(LOCAL), f"{database(LOCAL)}_kept"
    known = "SELECT 1 FROM pg_database WHERE datname = %s"

    def inject(sandbox: Sandbox) -> None:
        with sandbox.stopped(LOCAL), sandbox.superuser() as connection:
            if not connection.execute(known, [kept]).fetchone():  # there is one if a fault was injected before
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                connection.execute(copy.format(sql.Identifier(kept), sql.Identifier(own)))
        with sandbox.superuser(LOCAL) as connection:
            connection.execute(damage)

    def mend(sandbox: Sandbox) -> None:
        with sandbox.stopped(LOCAL), sandbox.superuser() as connection:
            if not connection.execute(known, [kept]).fetchone():
                return
            # What a copy lacks, before the rename: a kill after it could not be told from a mended database.
            owner = sql.SQL("ALTER DATABASE {} OWNER TO {}")
            connection.execute(owner.format(sql.Identifier(kept), sql.Identifier(own)))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(kept)))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(own)))
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(kept), sql.Identifier(own)))

    return Means(inject, mend)


def rows(damage: LiteralString, repair: LiteralString) -> Means:
    """Change the database by SQL that can be taken back; both must be safe to repeat."""

    def inject(sandbox: Sandbox) -> None:
        with sandbox.superuser(LOCAL) as connection:
            connection.execute(damage)

    def mend(sandbox: Sandbox) -> None:
        with sandbox.superuser(LOCAL) as connection:
            connection.execute(repair)

    return Means(inject, mend, restarts=False)


def redis_settings(**settings: str) -> Means:
    """Change settings of the running Redis; the way back is what its configuration file says."""
    usual = {"appendonly": "yes", "save": "60 1", "bind": "127.0.0.1", "protected-mode": "yes"}

    def inject(sandbox: Sandbox) -> None:
        with sandbox.valkey(LOCAL) as client:
            for name, value in settings.items():
                client.config_set(name, value)

    def mend(sandbox: Sandbox) -> None:
        with sandbox.valkey(LOCAL) as client:
            for name in settings:
                client.config_set(name, usual[name])

    return Means(inject, mend)


def provider(vendor: str, **behaviour: Any) -> Means:
    """Have a third party's stand-in answer otherwise."""

    def inject(sandbox: Sandbox) -> None:
        write_private(sandbox.layout.provider / "behaviour.json", json.dumps({vendor: behaviour}) + "\n")

    def mend(sandbox: Sandbox) -> None:
        write_private(sandbox.layout.provider / "behaviour.json", "{}\n")

    return Means(inject, mend)


def account(vendor: str, change: Callable[[dict[str, Any], Sandbox], None]) -> Means:
    """Change what a third party's stand-in holds for us: keys, domains, limits; its module says what there is."""

    def inject(sandbox: Sandbox) -> None:
        held = accounts(sandbox.layout)
        change(held[vendor], sandbox)
        write_private(sandbox.layout.provider / "accounts.json", json.dumps(held) + "\n")

    def mend(sandbox: Sandbox) -> None:
        write_accounts(sandbox.layout)

    return Means(inject, mend, restarts=False)


def revoked(vendor: str) -> Means:
    """Have a third party forget the application's key."""

    def change(held: dict[str, Any], sandbox: Sandbox) -> None:
        held["keys"][provider_key(sandbox.layout, LOCAL, vendor)]["revoked"] = True

    return account(vendor, change)


def both(first: Means, second: Means) -> Means:
    """One after the other; the way back goes backwards."""

    def inject(sandbox: Sandbox) -> None:
        first.inject(sandbox)
        second.inject(sandbox)

    def mend(sandbox: Sandbox) -> None:
        second.mend(sandbox)
        first.mend(sandbox)

    return Means(inject, mend, restarts=first.restarts or second.restarts)


def alembic(*back: str) -> Means:
    """Move the schema away from the release's head while the application runs on; the way back is an upgrade."""

    def inject(sandbox: Sandbox) -> None:
        sandbox.run_in_release(LOCAL, "alembic", *back)

    def mend(sandbox: Sandbox) -> None:
        sandbox.run_in_release(LOCAL, "alembic", "upgrade", "head")

    return Means(inject, mend)


def _revision(sandbox: Sandbox) -> str:
    return str(sandbox.deployed(LOCAL)["revision"])


def changed_variable(name: str, change: Callable[[str], str]) -> Means:
    """Set a variable to something made of its usual value, as ahead of a deploy: nothing is restarted."""

    def inject(sandbox: Sandbox) -> None:
        sandbox.set_variable(LOCAL, name, change(sandbox.variables(LOCAL).get(name, "")))

    def mend(sandbox: Sandbox) -> None:
        sandbox.forget_variable(LOCAL, name)

    return Means(inject, mend, restarts=False)


def placed(fault: str) -> Means:
    """Check another build of the release out where the next start takes it from, while the old one runs on."""

    def inject(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, _revision(sandbox), fault)

    def mend(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, _revision(sandbox), None)

    return Means(inject, mend, restarts=False)


def altered(change: LiteralString, *back: LiteralString) -> Means:
    """Alter the running application's database by hand, in a way that can be taken back; both must bear repeating."""

    def inject(sandbox: Sandbox) -> None:
        with sandbox.superuser(LOCAL) as connection:
            connection.execute(change)

    def mend(sandbox: Sandbox) -> None:
        with sandbox.superuser(LOCAL) as connection:
            for statement in back:  # each by itself: some can't be part of a transaction
                connection.execute(statement)

    return Means(inject, mend, restarts=False)
