"""Runs on disk: where they are, what each one's journal says of it, and how one begins after another."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Chain, Record, goes_on, read_chain
from runbooks.engine.outcome import Status


@dataclass(frozen=True)
class Summary:
    """A run in one line, as its journal tells it."""

    id: str
    folder: Path
    runbook: str
    environment: str
    operator: str
    started: datetime | None
    status: Status
    verdict: str
    exit_code: int | None


def new_id(runbook: str) -> str:
    """An id that sorts by time and says what ran: ``20261123T050212.345Z-release.verify-k3f9``."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    tail = "".join(secrets.choice(letters) for _ in range(4))
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z-{runbook}-{tail}"


def began(run: str) -> datetime:
    """When a run began, as its id says."""
    return datetime.strptime(run.partition("Z-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)


def runbook_of(run: str) -> str:
    """The runbook that a run executes, as its id says."""
    return run.partition("Z-")[2].rpartition("-")[0]


def folders(root: Path) -> Iterator[Path]:
    """The folders of all runs that have a journal, oldest first."""
    if root.is_dir():
        yield from sorted(path.parent for path in root.glob(f"*/{FILE_NAME}"))


def find(root: Path, wanted: str) -> Path:
    """The folder of the run with this id, or with an id that only one run begins or ends with.

    Raises:
        InputError: no run, or several, answer to it.
    """
    known = list(folders(root))
    if wanted == "latest" and known:
        return known[-1]
    matches = [path for path in known if path.name == wanted] or [
        path for path in known if path.name.startswith(wanted) or path.name.endswith(wanted)
    ]
    if len(matches) == 1:
        return matches[0]
    raise InputError(
        f"{'several runs answer' if matches else 'no run answers'} to {wanted}",
        where=str(root),
        found=", ".join(path.name for path in (matches or known)[-5:]) or "no runs yet",
        mend="invoke runs.list",
    )


def summary(folder: Path) -> Summary:
    """What the run's journal says of it, however it ended; a damaged journal is told as far as it holds."""
    chain = read_chain(folder / FILE_NAME)
    header = chain.records[0].data if chain.records else {}
    ended = _last(chain, "end")
    return Summary(
        id=folder.name,
        folder=folder,
        runbook=header.get("runbook", "?"),
        environment=header.get("environment", "?"),
        operator=header.get("operator", "?"),
        started=chain.records[0].at if chain.records else None,
        status=_status(chain, ended, folder),
        verdict=ended.get("verdict", "") if ended else "",
        exit_code=ended.get("exit_code") if ended else None,
    )


def overtaken_by(folder: Path) -> str | None:
    """The first later run that has changed the same environment; what an earlier one did is not its own any more.

    One that was refused before it began to change anything is none: it would close the way out that it tells of.
    """
    for later in folders(folder.parent):
        if later.name > folder.name:
            records = read_chain(later / FILE_NAME).records
            if any(record.kind == "intent" for record in records) and records[0].data.get("overtakes", True):
                return later.name
    return None


def can_go_on(folder: Path) -> bool:
    """Whether a run that is over can still be resumed or taken back."""
    status = summary(folder).status
    return status not in (Status.DONE, Status.COMPENSATED, Status.DAMAGED) and overtaken_by(folder) is None


def previous(root: Path) -> Mapping[str, Any] | None:
    """What a new run's first record says of the newest one before it: its id, last record and that one's hash."""
    for folder in reversed(list(folders(root))):
        records = read_chain(folder / FILE_NAME).records
        if records:
            return {"run": folder.name, "seq": records[-1].seq, "hash": records[-1].hash}
    return None


def _status(chain: Chain, ended: Mapping[str, Any], folder: Path) -> Status:
    if chain.break_line is not None:
        return Status.DAMAGED
    if not ended:
        return Status.RUNNING if goes_on(folder / FILE_NAME) else Status.INTERRUPTED
    try:
        return Status(ended["status"])
    except (KeyError, ValueError):  # of another version of this tool
        return Status.NEEDS_PERSON


def _last(chain: Chain, kind: str) -> Mapping[str, Any]:
    found: Record | None = None
    for record in chain.records:
        if record.kind == kind:
            found = record
        elif record.kind == "resumed":
            found = None
    return found.data if found else {}
