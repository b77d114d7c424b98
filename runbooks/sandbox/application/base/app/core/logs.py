"""One line per event on standard output. Paths are logged as route templates: real ones hold tokens."""

from __future__ import annotations

import logging
import sys


class OneLineFormatter(logging.Formatter):
    """Keep a traceback or a multi-line message on the line of its event."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " | ")


def configure() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # uvicorn's own access line prints the path and query as they came.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    # httpx prints whole URLs at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
