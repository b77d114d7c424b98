"""``python -m runbooks.sandbox.dns --port N --zone FILE``."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from runbooks.sandbox.dns.server import create_servers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runbooks.sandbox.dns", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--zone", type=Path, required=True)
    arguments = parser.parse_args()
    for server in create_servers(arguments.zone, arguments.port):
        server.start_thread()
    threading.Event().wait()  # until a signal ends us


if __name__ == "__main__":
    main()
