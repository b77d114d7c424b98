"""Whole databases: what one is besides its contents, and siblings that are made, marked, named and dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.records import Properties

LONGEST_NAME = 63
"""Bytes. PostgreSQL cuts longer names, with a notice only."""

UNMOVABLE = frozenset(("postgres", "template0", "template1"))
"""Databases that other programs of the cluster rely on under these names."""

_PROPERTIES = """
SELECT pg_catalog.to_jsonb(d) - 'datacl' AS row, pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
                 CASE g.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(g.grantee) END,
                 g.privilege_type, g.is_grantable)
               ORDER BY pg_catalog.pg_get_userbyid(g.grantee), g.privilege_type), '[]')
        FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) g) AS grants,
       (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
                 CASE s.setrole WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(s.setrole) END, c)
               ORDER BY pg_catalog.pg_get_userbyid(s.setrole), c), '[]')
        FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c
        WHERE s.setdatabase = d.oid) AS settings
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""

_ROLES = """
SELECT DISTINCT r.rolname::text AS name
FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND (s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       OR (s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
           AND s.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
UNION SELECT pg_catalog.pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database
      WHERE datname = pg_catalog.current_database()
ORDER BY 1
"""


@dataclass(frozen=True)
class Mark:
    """What a database's comment says of it: which run made it, of what, and how far it is.

    Attributes:
        of: The database that it was made beside, or that it was.
        at: When it was put aside, by the server's clock.
        by: Who did it.
        token: The fencing token of the lease under which that was done.
        comment: What the comment was before.
        digest: Of the fingerprints of all its tables, once it was put aside.
    """

    run: str
    state: str
    snapshot: str = ""
    of: str = ""
    at: str = ""
    by: str = ""
    token: int = 0
    comment: str = ""
    digest: str = ""


def properties(connection: Connection, name: str) -> Properties | None:
    """Of the database of this name; None if there is none."""
    found = connection.execute(_PROPERTIES, [name]).fetchone()
    if found is None:
        return None
    row: Mapping[str, Any] = found["row"]
    return Properties(
        owner=found["owner"],
        encoding=found["encoding"],
        collate=row["datcollate"],
        ctype=row["datctype"],
        provider=row.get("datlocprovider", "c"),
        locale=row.get("datlocale", row.get("daticulocale")),
        icu_rules=row.get("daticurules"),
        collation_version=row.get("datcollversion"),
        connection_limit=row["datconnlimit"],
        comment=found["comment"],
        grants=tuple((role, right, bool(passed)) for role, right, passed in found["grants"]),
        settings=tuple((role, setting) for role, setting in found["settings"]),
    )


def roles(connection: Connection) -> tuple[str, ...]:
    """The roles that own something in the connection's database or are granted something there."""
    return tuple(row["name"] for row in connection.execute(_ROLES).fetchall())


def sibling_name(database: str, what: str, tail: str) -> str:
    """The name of a database made beside another.

    Raises:
        SystemFault: it would be too long.
    """
    name = f"{database}__{what}_{tail}"
    if len(name.encode()) > LONGEST_NAME:
        raise SystemFault(
            "the name of the new database would be too long",
            reason=Reason.FAILED,
            where=name,
            found=f"{len(name.encode())} bytes, at most {LONGEST_NAME}",
            mend="rename the database to something shorter",
        )
    return name


def mark(connection: Connection, name: str) -> Mark | None:
    """What the database's comment says, or None: no such database, or none that this tool has made."""
    row = connection.execute(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment"
        " FROM pg_catalog.pg_database WHERE datname = %s",
        [name],
    ).fetchone()
    return mark_of((row or {}).get("comment"))


def mark_of(comment: str | None) -> Mark | None:
    """What a comment says, or None if it is none of this tool's."""
    try:
        return Mark(**json.loads(comment or ""))
    except (ValueError, TypeError):
        return None


def exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", [name]).fetchone() is not None


def set_mark(connection: Connection, name: str, said: Mark) -> None:
    """Say it in the database's comment."""
    text = json.dumps({key: value for key, value in vars(said).items() if value})
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), text))


def creation(name: str, like: Properties, major: int) -> sql.Composed:
    """The statement that makes an empty database of the same sort.

    Args:
        major: The server's major version.
    """
    words: list[tuple[str, str | None]] = [
        ("OWNER", None),
        ("ENCODING", like.encoding),
        ("LC_COLLATE", like.collate),
        ("LC_CTYPE", like.ctype),
    ]
    if major >= 15:
        words.append(("LOCALE_PROVIDER", {"c": "libc", "i": "icu", "b": "builtin"}[like.provider]))
    if like.locale is not None and like.provider != "c":
        words.append(("ICU_LOCALE" if like.provider == "i" else "BUILTIN_LOCALE", like.locale))
    if like.icu_rules is not None:
        words.append(("ICU_RULES", like.icu_rules))
    said = [
        sql.SQL("{} {}").format(sql.SQL(word), sql.Identifier(like.owner) if value is None else value)
        for word, value in words
    ]
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), sql.SQL(" ").join(said))


def create(connection: Connection, name: str, like: Properties, said: Mark) -> None:
    """Make an empty database that nobody but its owner and superusers may enter, and mark it."""
    connection.execute(creation(name, like, connection.info.server_version // 10000))
    set_mark(connection, name, said)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def drop(connection: Connection, name: str) -> None:
    """Drop a database with its sessions; nothing happens if there is none. See `subscriptions.leave_publishers`."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def bytes_of(connection: Connection, name: str) -> int:
    """What a database takes on the server's disk by now."""
    row = connection.execute("SELECT pg_catalog.pg_database_size(%s) AS bytes", [name]).fetchone()
    assert row
    return int(row["bytes"])


def analyze(connection: Connection, *, only_what_no_archive_has: bool) -> None:
    """Gather the planner's statistics of the connection's database.

    Args:
        only_what_no_archive_has: Those of several columns at once; the others were restored.
    """
    if not only_what_no_archive_has:
        connection.execute("ANALYZE")
        return
    rows = connection.execute(
        "SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_statistic_ext s"
        " JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    ).fetchall()
    for row in rows:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(row["schema"], row["name"])))


def bestow(connection: Connection, name: str, like: Properties) -> None:
    """Give a database the settings, limit and rights that another was recorded with, in one transaction."""
    target = sql.Identifier(name)
    with connection.transaction():
        for role, setting in like.settings:
            key, _, value = setting.partition("=")
            connection.execute(_setting(target, role, key, value))
        connection.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(target, like.connection_limit))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(target))
        for role, right, passed in like.grants:
            grantee = sql.Identifier(role) if role else sql.SQL("PUBLIC")
            tail = sql.SQL(" WITH GRANT OPTION" if passed else "")
            statement = sql.SQL("GRANT {} ON DATABASE {} TO {}{}")
            connection.execute(statement.format(sql.SQL(right), target, grantee, tail))


_LISTS = frozenset(
    (
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
        "unix_socket_directories",
    )
)
"""Settings that hold a list of names: pg_dumpall, too, writes their values without quotes of its own."""


def _setting(target: sql.Identifier, role: str, key: str, value: str) -> sql.Composed:
    written = sql.SQL(value) if key in _LISTS and value else sql.Literal(value)
    name = sql.SQL(".").join(map(sql.Identifier, key.split(".")))
    if role:
        who = sql.Identifier(role)
        return sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} TO {}").format(who, target, name, written)
    return sql.SQL("ALTER DATABASE {} SET {} TO {}").format(target, name, written)


def difference(recorded: Properties, found: Properties) -> Sequence[str]:
    """What a database is otherwise than it was recorded, apart from its comment."""
    before, now = vars(recorded), vars(found)
    names = [name for name in before if name not in ("comment", "collation_version")]
    return [
        f"database: {name.replace('_', ' ')} is {_said(now[name])}, was {_said(before[name])}"
        for name in names
        if _said(before[name]) != _said(now[name])
    ]


def _said(value: Any) -> str:
    return "; ".join(" ".join(map(str, each)) for each in sorted(value)) if isinstance(value, tuple) else str(value)
