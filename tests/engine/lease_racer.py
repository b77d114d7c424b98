"""Started as a process of its own: take the lease on a signal from outside, and hold it until the input ends."""

from __future__ import annotations

import sys
from pathlib import Path

from runbooks.engine.errors import LeaseHeld
from runbooks.engine.lease import acquire
from runbooks.systems.store.folder import FolderStore

if __name__ == "__main__":
    store = FolderStore(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        acquire(store, run=sys.argv[2], reason="a race")
        print("won", flush=True)
    except LeaseHeld:
        print("held", flush=True)
    sys.stdin.read()
