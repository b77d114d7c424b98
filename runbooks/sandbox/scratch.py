"""The empty database in whose copies the release's schema is built, and the role that may make them."""

from __future__ import annotations

from runbooks.engine.secret import Secret
from runbooks.sandbox import environments, ports, postgres_server
from runbooks.sandbox.world import Sandbox


def create(sandbox: Sandbox) -> None:
    """Have the role and its database, with the extensions. Safe to repeat."""
    name = environments.SCRATCH
    password = Secret("scratch database", environments.scratch_password(sandbox.layout))
    port = sandbox.numbers()[ports.POSTGRES]
    postgres_server.create_database(sandbox.layout, port, name=name, role=name, password=password)
    with sandbox.superuser() as connection:
        connection.execute(f"ALTER ROLE {name} CREATEDB")
