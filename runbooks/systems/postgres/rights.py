"""What a role may not do that a restore needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from runbooks.systems.postgres.client import Connection

_WE = "SELECT rolsuper, rolcreatedb, rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname = current_user"


def may_own_for_all(connection: Connection) -> bool:
    """Whether we may make any role the owner of anything."""
    row = connection.execute(_WE).fetchone()
    return bool(row and row["rolsuper"])


def lacking_rights(
    connection: Connection, owner: str, roles: Collection[str], owners: Mapping[str, str]
) -> Iterator[str]:
    """What we lack for making a database that this role owns and in which these roles own or are granted something.

    Args:
        owners: Object → its owner.
    """
    row = connection.execute(_WE).fetchone()
    assert row
    known = {each["name"] for each in connection.execute("SELECT rolname::text AS name FROM pg_catalog.pg_roles")}
    yield from (f"the role {role}, which owns something or is granted something" for role in roles if role not in known)
    if row["rolsuper"]:
        return
    if not row["rolcreatedb"]:
        yield f"the right CREATEDB of {row['name']}"
    if owner in known:
        member = connection.execute("SELECT pg_catalog.pg_has_role(%s, 'MEMBER') AS may", [owner]).fetchone()
        if not (member and member["may"]):
            yield f"membership of {row['name']} in {owner}, which owns the database"
    others = sorted({each for each in owners.values() if each not in (owner, "pg_database_owner")})
    if others:
        yield f"a superuser, as {', '.join(others[:5])} own objects besides {owner}"


def lacking_for_exchange(connection: Connection, database: str) -> Iterator[str]:
    """What we lack for closing and renaming a database. Who else is in it is `sessions.unendable`'s to say."""
    row = connection.execute(_WE).fetchone()
    assert row
    if row["rolsuper"]:
        return
    if not row["rolcreatedb"]:
        yield f"the right CREATEDB of {row['name']}, which renaming a database asks for"
    owner = connection.execute(
        "SELECT pg_catalog.pg_get_userbyid(datdba)::text AS name, pg_catalog.pg_has_role(datdba, 'USAGE') AS may"
        " FROM pg_catalog.pg_database WHERE datname = %s",
        [database],
    ).fetchone()
    if owner and not owner["may"]:
        yield f"the rights of {owner['name']}, which owns {database}: GRANT {owner['name']} TO {row['name']}"
