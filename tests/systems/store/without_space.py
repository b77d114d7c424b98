"""Started as a process of its own: replace an object where only half of the new one fits."""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

from runbooks.engine.errors import SystemFault
from runbooks.systems.store.folder import FolderStore

if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = FolderStore(Path(sys.argv[1]))
    old = store.get("prize")
    assert old is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        store.put("prize", b"n" * 2000, replaces=old.version)
    except SystemFault as fault:
        print(f"fault: {fault.found}")
