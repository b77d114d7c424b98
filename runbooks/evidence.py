"""Evidence of earlier runs that may stand in where a rate limit forbids to look again."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path

from runbooks.checks.declare import SiteCheck
from runbooks.engine.check import Finding, Reused
from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Chain, Record, read_chain
from runbooks.engine.outcome import Verdict
from runbooks.engine.runs import folders

RUNS_READ = 50
"""How many of the newest verifications are searched."""


def find_earlier(
    runs: Path, own_run: str, commit: str | None, fingerprint: str | None, check: SiteCheck
) -> Reused | None:
    """The newest ``passed`` of this check that is younger than its ``valid_for``, for the same release and variables.

    Without a commit and a fingerprint nothing is known to be the same, so nothing is found. Evidence that was itself
    reused does not count again.
    """
    if commit is None or fingerprint is None:
        return None
    verifications = [folder for folder in folders(runs) if "-release.verify-" in folder.name]
    for folder in reversed(verifications[-RUNS_READ:]):
        if folder.name == own_run:
            continue
        chain = _chain(folder)
        if chain is None or chain.break_line is not None:
            continue  # what was changed afterwards proves nothing
        records = chain.records
        if _release(records) == (commit, fingerprint):
            for record in records:
                if _stands_in(record, check):
                    data = record.data
                    finding = Finding(Verdict.PASSED, data["expected"], data["found"])
                    return Reused(folder.name, record.at, finding)
    return None


def _chain(folder: Path) -> Chain | None:
    file = folder / FILE_NAME
    try:
        seen = file.stat()
        return _read(file, seen.st_mtime_ns, seen.st_size)
    except (OSError, InputError):  # removed in between, or unreadable: runs.audit tells
        return None


@functools.lru_cache(RUNS_READ)
def _read(file: Path, _changed_ns: int, _size: int) -> Chain:
    """A journal that several checks of a run search is read once, and again once it has changed."""
    return read_chain(file)


def _release(records: tuple[Record, ...]) -> tuple[str | None, str | None]:
    for record in records:
        if record.kind == "release":
            return record.data["commit"], record.data["fingerprint"]
    return None, None


def _stands_in(record: Record, check: SiteCheck) -> bool:
    data = record.data
    return (
        record.kind == "check"
        and data["id"] == check.id
        and data["verdict"] == Verdict.PASSED
        and data["reused"] is None
        and datetime.now(UTC) - record.at < check.valid_for
    )
