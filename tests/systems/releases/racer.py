"""Writes so many entries into a ledger, as fast as it can."""

from __future__ import annotations

import sys
from pathlib import Path

from runbooks.engine.errors import SystemFault
from runbooks.systems.releases.record import Kind
from runbooks.systems.store.folder import FolderStore
from tests.systems.releases.ledgers import Writer

if __name__ == "__main__":
    folder, name, count = sys.argv[1:]
    writer = Writer(FolderStore(Path(folder)))
    for number in range(int(count)):
        while True:
            try:
                writer.write(Kind.BEGAN, "v1", run=f"{name}-{number}")
                break
            except SystemFault:  # outrun five times: begin again, as an operator would
                continue
