"""Started as a process of its own: put an object that must not exist yet, on a signal from outside."""

from __future__ import annotations

import sys
from pathlib import Path

from runbooks.engine.errors import SystemFault
from runbooks.systems.store.folder import FolderStore

if __name__ == "__main__":
    store = FolderStore(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        won = store.put("prize", sys.argv[2].encode() * 1000, replaces=None)
        print("won" if won else "slower")
    except SystemFault as fault:
        print(f"fault: {fault.found}")
