"""Carries a prepared run out, to its recorded end: signals, journal, anchor, reports."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.catalog import Prepared
from runbooks.engine import audit
from runbooks.engine.errors import SystemFault
from runbooks.engine.journal import Journal
from runbooks.engine.lease import Lease
from runbooks.engine.recorder import Observer, Recorder
from runbooks.engine.redact import Redactor
from runbooks.engine.run import Ending, compensate, perform
from runbooks.engine.stepping import Run
from runbooks.engine.stop import StopRequest
from runbooks.engine.store import Store
from runbooks.options import CONSOLE, Options
from runbooks.report import console, json_report, markdown


@dataclass(frozen=True)
class Execution:
    """What it takes. ``confirm_lease`` raises once the environment is no longer ours; ``held``: the lease, if any."""

    prepared: Prepared
    run: str
    recorder: Recorder
    store: Store
    confirm_lease: Callable[[], None]
    held: Lease | None


def recorder_for(journal: Journal, redactor: Redactor, options: Options) -> Recorder:
    """A recorder that keeps the run's log, and shows the run if a person is to see it."""
    folder = journal.path.parent
    observers: list[Observer] = [markdown.LogWriter(folder)]
    if options.format == CONSOLE:
        observers.append(console.choose(options.stream, _shown(folder / audit.LOG), os.environ))
    return Recorder(journal, redactor, observers)


def _shown(path: Path) -> str:
    """The path as it is typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def execute(execution: Execution, options: Options, *, back: bool = False) -> int:
    """Perform the run, or take it back, to its recorded end; then let the store vouch for the journal."""
    began = time.monotonic()
    recorder, held = execution.recorder, execution.held
    if held is not None:
        recorder.append("lease", token=held.token, holder=held.holder, reason=held.reason)
    stop = StopRequest()
    prepared = execution.prepared
    token = held.token if held else 0
    run = Run(execution.run, prepared.runbook, prepared.tools, recorder, stop, execution.confirm_lease, token)
    try:
        with stop.listening():
            ending = compensate(run, None) if back else perform(run)
        _end(recorder, ending, time.monotonic() - began)
        _anchor(execution.store, execution.run, recorder)
    finally:
        recorder.journal.close()
        _tell_what_is_lost(recorder)
    _print_report(recorder, options)
    return ending.exit_code


def _end(recorder: Recorder, ending: Ending, seconds: float) -> None:
    recorder.append(
        "end",
        status=ending.status,
        exit_code=ending.exit_code,
        verdict=ending.verdict,
        error=str(ending.error) if ending.error else None,
        mend=ending.mend,
        seconds=round(seconds, 3),
    )


def _anchor(store: Store, run: str, recorder: Recorder) -> None:
    log = recorder.journal.path.parent / audit.LOG
    try:
        audit.put_anchor(store, run, recorder.journal.records[-1], log.read_bytes() if log.exists() else b"")
    except SystemFault as fault:
        print(f"the run is not anchored in the store; the next run will vouch for it\n{fault}", file=sys.stderr)


def _tell_what_is_lost(recorder: Recorder) -> None:
    """A run that nobody could see, or whose log ends early, must not look like one that went by quietly."""
    for text in recorder.lost:
        print(f"the run could not be shown to its end: {text}", file=sys.stderr)
    if recorder.lost:
        print(f"  what happened stands in {_shown(recorder.journal.path)}", file=sys.stderr)


def _print_report(recorder: Recorder, options: Options) -> None:
    records: Sequence[Any] = recorder.journal.records
    if options.format == "json":
        json.dump(json_report.render(records), options.stream, indent=1, ensure_ascii=False)
        options.stream.write("\n")
    elif options.format == "markdown":
        options.stream.write(markdown.render(records))
