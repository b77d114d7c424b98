"""Whether a snapshot is whole, read to its end: now, or by somebody before who kept what was seen."""

from __future__ import annotations

import time

from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding, failed, passed, unknown
from runbooks.systems.snapshots import drills, inspections
from runbooks.systems.snapshots.drills import FAILED
from runbooks.systems.snapshots.manifest import Manifest

SECONDS = 40.0
"""So long objects are read to their end; a larger snapshot is read by ``backup.verify``, which keeps what it saw."""


def judge(subject: Subject, manifest: Manifest, expected: str, mend: str) -> Finding:
    """Whether every object of it is there, with the bytes that were written.

    Raises:
        SystemFault: the store can't be asked.
    """
    shelf = subject.site.shelf
    problems = [problem for file in manifest.files if (problem := shelf.misfit(manifest, file))]
    read, deadline = 0, time.monotonic() + SECONDS
    for file in sorted(manifest.files, key=lambda file: file.size) if not problems else ():
        if time.monotonic() > deadline:
            break
        problems += [problem] if (problem := shelf.problem(manifest, file)) else []
        read += 1
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        return failed(expected, f"{manifest.id}: {'; '.join(problems[:3])}{more}", mend)
    told = f"{manifest.id}: {len(manifest.files)} objects, {manifest.stored / 1e6:.1f} MB"
    if read == len(manifest.files):
        return passed(expected, f"{told}, all read")
    seen = _read_before(subject, manifest)
    if seen:
        return passed(expected, f"{told}; {read} read now, all of them {seen}")
    look = f"invoke backup.verify --snapshot {manifest.id} --env {subject.environment.name}"
    found = f"{told}: {read} could be read in time, and nobody has read the others"
    return unknown(expected, found, f"{look} reads all of it and keeps what it saw")


def _read_before(subject: Subject, manifest: Manifest) -> str:
    """Who has read all of the snapshot before, and found it intact; nothing: nobody has."""
    store = subject.site.shelf.store
    inspection = inspections.of_snapshot(store, manifest.id)
    if inspection and not inspection.problems:
        return f"by run {inspection.run}"
    for drill in drills.readable(store)[0]:
        if drill.snapshot == manifest.id and drill.verdict != FAILED:
            return f"by run {drill.run}"
    return ""
