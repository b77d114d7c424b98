"""The command lines of pg_dump and pg_restore, and what is read out of what they print. Nothing is run here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

LOCK_WAIT = "30s"
"""A dump waits this long for a table that a migration holds; everybody else waits behind it."""

_ENTRY = re.compile(r"^(?P<id>\d+); \d+ \d+ (?P<what>.+)$")
_SETVAL = re.compile(
    r"^SELECT pg_catalog\.setval\('(?P<name>(?:[^']|'')+)', (?P<value>-?\d+), (?P<called>true|false)\);$"
)


def compression(major: int, declared: str | None) -> list[str]:
    """Fast zstd, which pg_dump learnt in 16, or fast gzip. The default, gzip 6, costs thrice the time."""
    if declared:
        return [f"--compress={declared}"]
    return ["--compress=zstd:1"] if major >= 16 else ["--compress=1"]


def statistics(major: int) -> list[str]:
    """The planner's statistics along with the rows, which pg_dump learnt in 18: a restore need not gather them anew."""
    return ["--statistics"] if major >= 18 else []


def dump_to_folder(program: str, folder: Path, *, snapshot: str, jobs: int, options: list[str]) -> list[str]:
    """A dump into a folder that must not exist yet, several tables at a time."""
    return [
        *(program, "--format=directory", f"--file={folder}", f"--jobs={jobs}"),
        *_dump(snapshot),
        *options,
    ]


def dump_to_stream(program: str, *, snapshot: str, options: list[str]) -> list[str]:
    """A dump as one stream on standard output, for where there is no room on disk."""
    return [program, "--format=custom", *_dump(snapshot), *options]


def _dump(snapshot: str) -> list[str]:
    return [f"--snapshot={snapshot}", f"--lock-wait-timeout={LOCK_WAIT}", "--no-password"]


def listing(program: str, archive: Path) -> list[str]:
    """The table of contents of an archive."""
    return [program, "--list", str(archive)]


def sequence_values(program: str, archive: Path, entries: Path) -> list[str]:
    """The statements that set the sequences, by a file with their entries."""
    return [program, f"--use-list={entries}", "--file=-", str(archive)]


def restore(program: str, archive: Path, *, database: str, entries: Path, jobs: int, role: str | None) -> list[str]:
    """A restore that ends at its first error. It never cleans: the database must be empty.

    Args:
        role: Who is to own everything, where we may not make every role the owner of its own.
    """
    owner = ["--no-owner", f"--role={role}"] if role else []
    return [
        *(program, "--exit-on-error", f"--jobs={jobs}", f"--dbname={database}", "--no-password"),
        *owner,
        f"--use-list={entries}",
        str(archive),
    ]


def entries_to_restore(contents: str, made_before: Collection[str]) -> str:
    """The table of contents without what is made before: extensions, with their comments, and the schemas they are in.

    Args:
        made_before: The names of those schemas, as pg_restore writes them.
    """
    return "\n".join(line for line in contents.splitlines() if not _made(line, made_before)) + "\n"


def _made(line: str, schemas: Collection[str]) -> bool:
    entry = _ENTRY.match(line)
    if entry is None:
        return False
    words = entry["what"].split(" ")
    if words[:2] == ["EXTENSION", "-"] or words[:3] == ["COMMENT", "-", "EXTENSION"]:
        return True
    return words[:2] == ["SCHEMA", "-"] and words[2] in schemas


def sequence_entries(contents: str) -> str:
    """The entries of a table of contents that set a sequence."""
    return "".join(
        f"{line}\n"
        for line in contents.splitlines()
        if (entry := _ENTRY.match(line)) and entry["what"].startswith("SEQUENCE SET ")
    )


def parse_sequences(statements: str) -> Mapping[str, tuple[int, bool]]:
    """Sequence → its value, and whether that was handed out already."""
    return dict(_parsed(statements))


def _parsed(statements: str) -> Iterator[tuple[str, tuple[int, bool]]]:
    for line in statements.splitlines():
        found = _SETVAL.match(line.strip())
        if found:
            yield found["name"].replace("''", "'"), (int(found["value"]), found["called"] == "true")


def has_statistics(contents: str) -> bool:
    """Whether a table of contents has the planner's statistics."""
    return any(
        (entry := _ENTRY.match(line)) and entry["what"].startswith("STATISTICS DATA ") for line in contents.splitlines()
    )


def count_entries(contents: str) -> int:
    """How many entries a table of contents has."""
    return sum(1 for line in contents.splitlines() if _ENTRY.match(line))


def count_tables(contents: str) -> int:
    """How many tables' rows a table of contents has."""
    return sum(
        1 for line in contents.splitlines() if (entry := _ENTRY.match(line)) and entry["what"].startswith("TABLE DATA ")
    )
