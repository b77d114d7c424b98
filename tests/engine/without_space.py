"""Started as a process of its own: append to a journal until the disk takes only half a line."""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

from runbooks.engine.journal import Journal, JournalUnwritable
from runbooks.engine.redact import Redactor

if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = Journal.create(Path(sys.argv[1]), Redactor())
    journal.append("run")
    journal.append("note")
    limit = journal.path.stat().st_size + 40
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for _ in range(2):
        try:
            journal.append("intent", step="x" * 100)
        except JournalUnwritable as error:
            print(f"{type(error).__name__}: {error.found}")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
