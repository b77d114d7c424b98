"""What only a database in quarantine has: counted, and written to files that a person and a program can read."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runbooks.engine.errors import InputError
from runbooks.environment.snapshots import Snapshots
from runbooks.systems.postgres import rows
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.fingerprint import Table, columns_of, fingerprints, large_objects, tables
from runbooks.systems.postgres.quarantine import Aside, put_aside, readable
from runbooks.systems.postgres.rows import Difference, Pair
from runbooks.systems.postgres.snapshot import Holder, held, seeing

ADDED, CHANGED, CHANGED_LIVE, GONE, WHOLE = "added", "changed", "changed-live", "gone", "whole"
"""Rows that only the quarantine has; that it has otherwise, and the same as the live database has them; that it lacks;
and all rows, where the live database lacks the table or some of its columns."""

BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """What a table in quarantine has otherwise than the live database's.

    Attributes:
        note: What stands in the way of comparing row by row.
        files: Of an export: kind of rows → the file's name.
    """

    name: str
    added: int = 0
    changed: int = 0
    gone: int = 0
    note: str = ""
    files: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """A database in quarantine against the live one. ``large_objects``: how those differ, or nothing."""

    aside: Aside
    live: str
    tables: Sequence[TableDifference]
    equal: int
    large_objects: str = ""


def find(snapshots: Snapshots, name: str) -> Aside:
    """The database in quarantine with this name, or one that only one name begins or ends with.

    Raises:
        InputError: there is none, or several answer to it.
        SystemFault: the server can't be asked.
    """
    known = put_aside(snapshots.access, snapshots.database)
    if name == "newest":
        matches = list(known[-1:])
    else:
        matches = [each for each in known if each.name == name] or [
            each for each in known if each.name.startswith(name) or each.name.endswith(name)
        ]
    if len(matches) != 1:
        raise InputError(
            f"{'several databases' if matches else 'no database'} in quarantine {'answer' if matches else 'answers'}"
            f" to {name}",
            where=str(snapshots.access),
            found=", ".join(each.name for each in matches or known) or "nothing is in quarantine",
            mend="invoke quarantine.list, and give the whole name",
        )
    return matches[0]


def compare(snapshots: Snapshots, aside: Aside, into: Path | None = None) -> Comparison:
    """Compare it with the live database as it is now, row by row where they differ.

    Args:
        into: An empty folder that the rows are written to; None: they are only counted.

    Raises:
        SystemFault: one of the two can't be read.
    """
    access, live = snapshots.access, snapshots.database
    with (
        readable(access, aside.name),
        held(access, aside.name) as ours,
        held(access) as theirs,
        seeing(access, ours.moment, aside.name) as here,
        seeing(access, theirs.moment) as there,
    ):
        known, others = tables(here), {table.identifier for table in tables(there)}
        unequal = _unequal(snapshots, aside, [each for each in known if each.identifier in others], ours, theirs)
        found = []
        for number, table in enumerate(sorted(known, key=lambda each: each.identifier), start=1):
            if table.identifier not in others:
                found.append(_whole(table, here, into, number, "the live database has no such table"))
            elif table.identifier in unequal or columns_of(here, table) != columns_of(there, table):
                found.append(_table(rows.pair(table, here, there), here, there, into, number))
        blobs = large_objects(here), large_objects(there)
    said = f"{blobs[0].rows} large objects, the live database has {blobs[1].rows}" if blobs[0] != blobs[1] else ""
    differing = [each for each in found if each.added or each.changed or each.gone or each.note]
    return Comparison(aside, live, differing, len(known) - len(differing), said)


def _unequal(snapshots: Snapshots, aside: Aside, known: Sequence[Table], ours: Holder, theirs: Holder) -> set[str]:
    """The tables whose fingerprints differ."""
    jobs, stop = snapshots.environment.backup.jobs, threading.Event()
    one, other = (
        fingerprints(snapshots.access, known, moment=holder.moment, database=name, jobs=jobs, stopping=stop)
        for holder, name in ((ours, aside.name), (theirs, snapshots.database))
    )
    return {name for name in one if one[name] != other[name]}


def _table(of: Pair, here: Connection, there: Connection, into: Path | None, number: int) -> TableDifference:
    if of.only_here:
        lacking = f"the live table lacks {', '.join(of.only_here)}, so it is taken as a whole"
        return _whole(of.table, here, into, number, lacking)
    counts: dict[str, int] = defaultdict(int)
    with _Files(of.table, into, number) as files:
        for each in rows.differences(of, here, there):
            counts[_kind(each)] += 1
            files.add(each, here, there)
        files.flush(here, there)
    note = "" if of.key else "no primary key that both have: a changed row counts as one added and one gone"
    return TableDifference(
        name=of.table.identifier,
        added=counts[ADDED],
        changed=counts[CHANGED],
        gone=counts[GONE],
        note=note if counts else "",
        files=files.names,
    )


def _whole(table: Table, here: Connection, into: Path | None, number: int, why: str) -> TableDifference:
    count = rows.count(here, table)
    with _Files(table, into, number) as files:
        if into:
            rows.write_all(here, table, files.open(WHOLE))
    return TableDifference(name=table.identifier, added=count, note=why, files=files.names)


def _kind(each: Difference) -> str:
    return ADDED if each.there is None else GONE if each.here is None else CHANGED


class _Files(contextlib.ExitStack):
    """The files of one table's rows, each opened when the first row of its kind comes."""

    def __init__(self, table: Table, into: Path | None, number: int) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self._table, self._into, self._number = table, into, number
        self._streams: dict[str, BinaryIO] = {}
        self._waiting: dict[str, list[str]] = defaultdict(list)

    def add(self, each: Difference, here: Connection, there: Connection) -> None:
        if self._into is None:
            return
        kind = _kind(each)
        if each.here:
            self._waiting[kind].append(each.here.ctid)
        if each.there:
            self._waiting[CHANGED_LIVE if each.here else GONE].append(each.there.ctid)
        if len(self._waiting[kind]) >= BATCH:
            self.flush(here, there)

    def flush(self, here: Connection, there: Connection) -> None:
        """Write what waits."""
        for kind, ctids in self._waiting.items():
            if ctids:
                rows.write(there if kind in (GONE, CHANGED_LIVE) else here, self._table, ctids, self.open(kind))
        self._waiting.clear()

    def open(self, kind: str) -> BinaryIO:
        if kind not in self._streams:
            assert self._into
            plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in f"{self._table.schema}.{self._table.name}")
            self.names[kind] = f"{self._number:03d}-{plain[:80]}-{kind}.csv"
            self._streams[kind] = self.enter_context((self._into / self.names[kind]).open("wb"))
        return self._streams[kind]


def index(comparison: Comparison) -> Iterator[str]:
    """What was found, in Markdown: what a person reads first."""
    mark = comparison.aside.mark
    yield f"# {comparison.aside.name}"
    yield ""
    yield f"Put aside at {mark.at} by {mark.by} (run {mark.run}), for snapshot {mark.snapshot}."
    yield f"Compared with {comparison.live} as it was when this was written; rows are CSV with all columns, in UTF-8."
    yield ""
    yield "| table | added | changed | gone | files | note |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in comparison.tables:
        files = ", ".join(f"`{name}`" for name in each.files.values())
        name = each.name.replace("|", "\\|")
        yield f"| {name} | {each.added} | {each.changed} | {each.gone} | {files} | {each.note} |"
    yield ""
    yield f"{comparison.equal} tables are equal."
    if comparison.large_objects:
        yield f"Large objects are not in these files: {comparison.large_objects}."
