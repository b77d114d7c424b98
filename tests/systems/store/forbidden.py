"""Started as a process of its own: put an object into a folder that may be read only, also when root runs the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runbooks.engine.errors import SystemFault
from runbooks.systems.store.folder import FolderStore

NOBODY = 65534

if __name__ == "__main__":
    os.chdir(sys.argv[1])
    if os.getuid() == 0:
        os.chown(".", 0, NOBODY)
        os.chmod(".", 0o550)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        FolderStore(Path()).put("prize", b"x", replaces=None)
    except SystemFault as fault:
        print(f"fault: {fault.found}")
