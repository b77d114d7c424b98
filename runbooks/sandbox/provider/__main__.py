"""``python -m runbooks.sandbox.provider --port N --state FOLDER``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from runbooks.sandbox.provider.server import create_server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runbooks.sandbox.provider", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    os.umask(0o077)
    uvicorn.run(create_server(arguments.state), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
