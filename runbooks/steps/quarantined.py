"""What only a database in quarantine has: counted, and written to files that a person and a program can read."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from runbooks.engine.errors import InputError, RunbookError
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.making import contents_of
from runbooks.steps.restoring import PROVEN
from runbooks.systems.postgres import rows
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.fingerprint import Table, columns_of, fingerprints, large_objects, tables
from runbooks.systems.postgres.quarantine import Aside, holding, put_aside, readable
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.postgres.rows import Difference, Pair
from runbooks.systems.postgres.snapshot import Holder, held, seeing

ADDED, CHANGED, CHANGED_LIVE, GONE, WHOLE = "added", "changed", "changed-live", "gone", "whole"
"""Rows that only the quarantine has; that it has otherwise, and the same as the live database has them; that it lacks;
and all rows, where the live database lacks the table or some of its columns."""

BATCH = 1000


class Written(enum.StrEnum):
    """When a table was written to that differs: it was put aside at the switch, and the live one went on from there."""

    UNTOLD = ""
    BEFORE = "all of it from before the switch"
    AFTER = "all of it written to the live database since the switch: nothing is only here"
    BOTH = "written to before the switch and since"


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """What a table in quarantine has otherwise than the live database's.

    Attributes:
        note: What stands in the way of comparing row by row.
        written: When what differs was written, as far as the fingerprints of the snapshot that took its place tell.
        files: Of an export: kind of rows → the file's name.
    """

    name: str
    added: int = 0
    changed: int = 0
    gone: int = 0
    note: str = ""
    written: Written = Written.UNTOLD
    files: dict[str, str]

    @property
    def remarks(self) -> str:
        """What a person should know of it."""
        return "; ".join(part for part in (self.written.value, self.note) if part)


@dataclass(frozen=True)
class Comparison:
    """A database in quarantine against another one.

    Attributes:
        against: What it was compared with, in words.
        large_objects: How those differ, or nothing.
        untold: Why it can't be told when what differs was written; empty: it can, or need not be.
    """

    aside: Aside
    live: str
    against: str
    tables: Sequence[TableDifference]
    equal: int
    large_objects: str = ""
    untold: str = ""

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return sum(each.added + each.changed + each.gone for each in self.tables)


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


def compare(snapshots: Snapshots, aside: Aside, into: Path | None = None, *, with_snapshot: bool = False) -> Comparison:
    """Compare it with the live database as it is now, row by row where they differ.

    Args:
        into: An empty folder that the rows are written to; None: they are only counted.
        with_snapshot: Compare it with the snapshot that took its place instead, so with the live database as it was at
            the switch. That must have been restored beside it.

    Raises:
        InputError: it was not.
        SystemFault: one of the two can't be read.
    """
    access, live = snapshots.access, snapshots.database
    other = _restored(snapshots, aside) if with_snapshot else live
    recorded, untold = ({}, "") if with_snapshot else _recorded(snapshots, aside)
    with (
        readable(access, aside.name),
        held(access, aside.name) as ours,
        held(access, other) as theirs,
        seeing(access, ours.moment, aside.name) as here,
        seeing(access, theirs.moment, other) as there,
    ):
        known, others = tables(here), {table.identifier for table in tables(there)}
        shared = [each for each in known if each.identifier in others]
        one, two = (_fingerprints(snapshots, shared, *side) for side in ((aside.name, ours), (other, theirs)))
        unequal = {name for name in one if one[name] != two[name]}
        found = []
        for number, table in enumerate(sorted(known, key=lambda each: each.identifier), start=1):
            if table.identifier not in others:
                found.append(_whole(table, here, into, number, "the live database has no such table"))
            elif table.identifier in unequal or columns_of(here, table) != columns_of(there, table):
                found.append(_table(rows.pair(table, here, there), here, there, into, number))
        blobs = large_objects(here), large_objects(there)
    said = f"{blobs[0].rows} large objects, the other one has {blobs[1].rows}" if blobs[0] != blobs[1] else ""
    differing = [
        replace(each, written=_written(each.name, one, two, recorded))
        for each in found
        if each.added or each.changed or each.gone or each.note
    ]
    against = f"snapshot {aside.mark.snapshot}, as {other} holds it" if with_snapshot else f"{live} as it is now"
    return Comparison(aside, live, against, differing, len(known) - len(differing), said, untold)


def _fingerprints(snapshots: Snapshots, known: Sequence[Table], name: str, holder: Holder) -> Mapping[str, Fingerprint]:
    jobs, stop = snapshots.environment.backup.jobs, threading.Event()
    return fingerprints(snapshots.access, known, moment=holder.moment, database=name, jobs=jobs, stopping=stop)


def _restored(snapshots: Snapshots, aside: Aside) -> str:
    """The database beside the live one that holds the snapshot which took its place, proven to be equal to it."""
    found = holding(snapshots.access, snapshots.database, aside.mark.snapshot, PROVEN)
    if found:
        return found[-1]
    raise InputError(
        "the snapshot that took its place is not restored beside the live database",
        where=aside.name,
        found=f"snapshot {aside.mark.snapshot or 'unknown'}",
        mend=f"invoke backup.restore --snapshot {aside.mark.snapshot}, then again; or --against live",
    )


def _recorded(snapshots: Snapshots, aside: Aside) -> tuple[Mapping[str, Fingerprint], str]:
    """The fingerprints of the tables as they were at the switch; or why they can't be told."""
    try:
        manifest = snapshots.shelf.manifest(aside.mark.snapshot)
        if manifest is not None:
            return contents_of(snapshots, manifest).tables, ""
        why = "it is not in the store any more"
    except RunbookError as error:
        why = error.what
    return {}, f"snapshot {aside.mark.snapshot}: {why}"


def _written(
    name: str,
    here: Mapping[str, Fingerprint],
    there: Mapping[str, Fingerprint],
    recorded: Mapping[str, Fingerprint],
) -> Written:
    if name not in recorded or name not in here:
        return Written.UNTOLD
    before, since = here[name] != recorded[name], there[name] != recorded[name]
    if before and since:
        return Written.BOTH
    return Written.BEFORE if before else Written.AFTER if since else Written.UNTOLD


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
    yield f"Compared with {comparison.against} when this was written; rows are CSV with all columns, in UTF-8."
    if comparison.untold:
        yield f"When what differs was written can't be told: {comparison.untold}."
    yield ""
    yield "| table | added | changed | gone | files | note |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in comparison.tables:
        files = ", ".join(f"`{name}`" for name in each.files.values())
        name = each.name.replace("|", "\\|")
        yield f"| {name} | {each.added} | {each.changed} | {each.gone} | {files} | {each.remarks} |"
    yield ""
    yield f"{comparison.equal} tables are equal."
    if comparison.large_objects:
        yield f"Large objects are not in these files: {comparison.large_objects}."
