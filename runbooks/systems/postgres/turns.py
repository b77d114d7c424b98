"""Two roles that take turns at logging in for an application, while a third one owns what the application makes.

Both are members of the owner and, by ``ALTER ROLE … SET role``, act as it from their first statement on: whatever
either of them makes belongs to the owner, so what a migration made under one can be altered under the other. At most
one of the two may log in, but for the time of a rotation.

PostgreSQL 17.1, 16.5, 15.9, 14.14 and 13.17 of November 2024 ignored that setting; the release a week later mended it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from runbooks.engine.secret import Secret
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.roles import verifier

_ROLE = """
SELECT r.rolcanlogin AS may_log_in, r.rolsuper AS superuser,
  pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER') AS member,
  EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0
          AND ('role=' || o.rolname) = ANY (s.setconfig)) AS acts_as_owner
FROM pg_catalog.pg_roles r, pg_catalog.pg_roles o WHERE r.rolname = %s AND o.rolname = %s
"""

_STRAY = """
SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'runbooks')
  AND pg_catalog.pg_get_userbyid(c.relowner) <> %s
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A role as it is.

    Attributes:
        member: Of the owner.
        acts_as_owner: Whether it acts as the owner from its log-in on.
    """

    may_log_in: bool
    superuser: bool
    member: bool
    acts_as_owner: bool


def login(access: Access, role: str, owner: str) -> Login | None:
    """The role; None: it, or the owner, is not there."""
    with access.connection() as connection:
        row = connection.execute(_ROLE, [role, owner]).fetchone()
    return Login(**row) if row else None


def exists(access: Access, role: str) -> bool:
    """Whether there is such a role."""
    with access.connection() as connection:
        return connection.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def may_change_roles(access: Access, owner: str) -> bool:
    """Whether our role may make roles, and members of the owner."""
    with access.connection() as connection:
        row = connection.execute(
            "SELECT rolsuper OR (rolcreaterole AND pg_catalog.pg_has_role(%s, 'MEMBER WITH ADMIN OPTION')) AS may"
            " FROM pg_catalog.pg_roles WHERE rolname = current_user",
            [owner],
        ).fetchone()
    return bool(row and row["may"])


def strays(access: Access, owner: str) -> Sequence[str]:
    """Who else owns tables, views or sequences of the database, those of extensions left out."""
    with access.connection() as connection:
        return [row["owner"] for row in connection.execute(_STRAY, [owner]).fetchall()]


def let_in(access: Access, role: str, owner: str, password: Secret) -> None:
    """Have the role be there, act as the owner, and log in with this password. Repeating it is no harm."""
    names = {"role": sql.Identifier(role), "owner": sql.Identifier(owner)}
    known = login(access, role, owner)
    with access.connection() as connection, connection.transaction():
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {role} NOLOGIN").format(**names))
        if known is None or not known.member:
            connection.execute(sql.SQL("GRANT {owner} TO {role}").format(**names))
        if known is None or not known.acts_as_owner:
            connection.execute(sql.SQL("ALTER ROLE {role} SET role TO {owner}").format(**names))
        kept = verifier(connection, role, password)
        connection.execute(sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {kept}").format(**names, kept=kept))


def acts_as(access: Access) -> str:
    """The role that a new connection of a client which asks for none acts as."""
    with access.connection(role=None) as connection:
        row = connection.execute("SELECT current_user::text AS name").fetchone()
    assert row
    return str(row["name"])


def lock_out(access: Access, role: str) -> None:
    """Have the role not log in any more. Its sessions go on, and its password is kept, to let it in again."""
    with access.connection() as connection:
        connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(role)))


def unlock(access: Access, role: str) -> None:
    """Take `lock_out` back."""
    with access.connection() as connection:
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))


def shut(access: Access, role: str) -> None:
    """Have the role not log in, and know no password; nothing where there is no such role."""
    if exists(access, role):
        with access.connection() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(role)))
