"""Runs Invoke with its arguments in this process, then writes the most memory that the process ever had, in KiB."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from unittest import mock

from invoke.main import program

from runbooks.steps import snapshot

if __name__ == "__main__":
    if os.environ.get("NO_ROOM"):
        mock.patch.object(snapshot, "room", return_value=0).start()
    try:
        program.run(["invoke", *sys.argv[1:]], exit=False)
    finally:
        status = Path("/proc/self/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        Path(os.environ["PEAK_FILE"]).write_text(found[1])
