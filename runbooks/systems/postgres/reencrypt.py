"""Fills a side table with a column's values under a new key, and swaps them into the column.

The first is done batch by batch while the application goes on; the second in one transaction that holds writers off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import tuple_row

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.side_table import SideStage, SideTable
from runbooks.systems.secrets.fernet import Keys

SHOWN = 20
"""Rows that are named in a message."""

LOCK_TIMEOUT = "5s"
"""How long the swap waits for writers; whoever writes meanwhile waits behind it."""

_LATE = (
    "SELECT t.{key}, t.{value} FROM {table} t LEFT JOIN {side} s ON s.id = t.{key}"
    " WHERE t.{value} IS NOT NULL AND s.{to} IS DISTINCT FROM t.{value} ORDER BY t.{key}"
)


@dataclass(frozen=True)
class Survey:
    """Which key opens the rows of a column; of those that none opens, their ids."""

    old: int
    new: int
    neither: Sequence[int]


@dataclass(frozen=True)
class Swapped:
    """What a swap has changed: rows in all, and how many of them had been written since the batches."""

    rows: int
    late: int


def survey(connection: Connection, side: SideTable, keys: Keys) -> Survey:
    """Try every row, and write nothing."""
    counts = {"old": 0, "new": 0}
    neither: list[int] = []
    with connection.transaction(), connection.cursor("survey", row_factory=tuple_row) as rows:
        rows.itersize = 5000
        rows.execute(side.statement("SELECT {key}, {value} FROM {table} WHERE {value} IS NOT NULL"))
        for id, token in rows:
            opener = keys.opened_by(token)
            if opener == "neither":
                neither.append(id)
            else:
                counts[opener] += 1
    return Survey(counts["old"], counts["new"], sorted(neither))


def encrypt_batch(connection: Connection, side: SideTable, high: int, keys: Keys) -> Sequence[int]:
    """Put one batch into the side table, whole or not at all; again is no harm.

    Returns:
        The ids of rows that neither key opens; if there are any, the batch is not done.
    """
    with connection.transaction():
        batch = connection.execute(
            side.statement("SELECT low, done FROM {batches} WHERE high = %s FOR UPDATE"), [high]
        ).fetchone()
        if batch is None or batch["done"]:
            return []
        with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            rows = cursor.execute(
                side.statement(
                    "SELECT {key}, {value} FROM {table} WHERE {key} > %s AND {key} <= %s AND {value} IS NOT NULL"
                ),
                [batch["low"], high],
            ).fetchall()
        pairs, strange = keys.paired(rows)
        if strange:
            return strange
        # Fernet tokens are letters, digits, '-', '_' and '=': nothing in them means anything to COPY.
        lines = "".join([f"{id}\t{old}\t{new}\n" for id, old, new in pairs])
        with connection.cursor().copy(side.statement("COPY {side} (id, old, new) FROM STDIN")) as copy:
            copy.write(lines)
        connection.execute(side.statement("UPDATE {batches} SET done = true WHERE high = %s"), [high])
    return []


def swap(
    connection: Connection,
    side: SideTable,
    keys: Keys,
    *,
    back: bool = False,
    again: bool = False,
    said: Callable[[str], None] = lambda _what: None,
) -> Swapped | None:
    """Put the values under the new key into the column, or with `back` those under the old one, in one transaction.

    At its end every row is the one in the side table, which was opened with the key that counts then; rows written
    since the batches are encrypted here. Writers wait meanwhile, readers see the old or the new.

    Args:
        connection: In autocommit.
        again: Also where it was done before, for the rows that were written since.
        said: Told what is being done.

    Returns:
        None: it was done before.

    Raises:
        NeedsPerson: a row opens with neither key; nothing was changed. Its id is named, never its value.
    """
    origin, target = ("new", "old") if back else ("old", "new")
    words = {"origin": sql.Identifier(origin), "to": sql.Identifier(target)}
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        connection.execute("SET LOCAL work_mem = '128MB'")
        said(f"waiting for those who write to {side.column.table}")
        connection.execute(side.statement("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
        wanted = SideStage.BUILDING if back else SideStage.SWAPPED
        stage = side.stage(connection)
        if stage is None or (stage is wanted and not again):
            return None
        said("changing the rows")
        changed = connection.execute(
            side.statement(
                "UPDATE {table} t SET {value} = s.{to} FROM {side} s"
                # as a join's condition the whole value would be hashed, of both; so it is compared, where the keys meet
                " WHERE s.id = t.{key} AND t.{value} IS NOT DISTINCT FROM s.{origin} AND s.old <> s.new",
                **words,
            )
        ).rowcount
        said("looking for rows written meanwhile")
        late: Sequence[tuple[int, str]] = []
        if not _all_written(connection, side, changed):
            late = connection.cursor(row_factory=tuple_row).execute(side.statement(_LATE, **words)).fetchall()
        if late:
            _take(connection, side, late, keys, target)
            _prove_none(
                side, connection.cursor(row_factory=tuple_row).execute(side.statement(_LATE, **words)).fetchall()
            )
        side.set_stage(connection, wanted)
        said("every row is proven; committing")
    return Swapped(changed + len(late), len(late))


def put_back(connection: Connection, side: SideTable) -> int:
    """Take a swap back for the rows that nobody has written since, and drop the side table; it needs no key.

    Args:
        connection: In autocommit.

    Returns:
        How many rows are byte for byte as they were before.
    """
    with connection.transaction():
        changed = 0
        if side.stage(connection) is SideStage.SWAPPED:
            changed = connection.execute(
                side.statement(
                    "UPDATE {table} t SET {value} = s.old FROM {side} s"
                    " WHERE s.id = t.{key} AND t.{value} = s.new AND s.old <> s.new"
                )
            ).rowcount
        side.drop(connection)
    return changed


def refuse_strange(side: SideTable, ids: Sequence[int]) -> None:
    """Raise NeedsPerson if there are rows that neither key opens."""
    if not ids:
        return
    shown = ", ".join(map(str, ids[:SHOWN])) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")
    raise NeedsPerson(
        f"{len(ids)} row{'s' if len(ids) > 1 else ''} can be opened neither with the old key nor with the new one",
        where=str(side.column),
        found=f"{side.column.key} {shown}",
        mend="find the key that they were encrypted with (an older variables backup), or have the user enter the "
        "value anew; then resume",
    )


def _all_written(connection: Connection, side: SideTable, changed: int) -> bool:
    """Whether what was just changed is every row, and nothing can have made anything else of it.

    The statement that wrote a row is then its proof, since writers are held off: it has the value of the side table.
    """
    row = connection.execute(
        side.statement(
            "SELECT (SELECT count(*) FROM {table} WHERE {value} IS NOT NULL) AS rows,"
            " EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = {name}::regclass AND NOT tgisinternal)"
            " OR EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = {name}::regclass) AS meddled",
            name=sql.Literal(side.statement("{table}").as_string()),
        )
    ).fetchone()
    return bool(row and row["rows"] == changed and not row["meddled"])


def _take(connection: Connection, side: SideTable, late: Sequence[tuple[int, str]], keys: Keys, target: str) -> None:
    pairs, strange = keys.paired(late)
    refuse_strange(side, strange)
    with connection.cursor() as cursor:
        cursor.executemany(
            side.statement(
                "INSERT INTO {side} (id, old, new) VALUES (%s, %s, %s)"
                " ON CONFLICT (id) DO UPDATE SET old = excluded.old, new = excluded.new"
            ),
            pairs,
        )
        cursor.executemany(
            side.statement("UPDATE {table} SET {value} = %s WHERE {key} = %s AND {value} <> %s"),
            [(value, id, value) for id, old, new in pairs for value in (old if target == "old" else new,)],
        )


def _prove_none(side: SideTable, late: Sequence[tuple[int, str]]) -> None:
    if late:
        raise SystemFault(
            "rows are not what was just written to them, so nothing was changed",
            reason=Reason.FAILED,
            where=str(side.column),
            found=f"{len(late)} rows",
            mend="see the table's triggers and rules",
        )
