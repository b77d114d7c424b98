"""One log line per request, and an unexpected error turned into a 500 and one line."""

from __future__ import annotations

import logging
import time
import traceback

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("app.request")


def _route(scope: Scope) -> str:
    """The template of the matched route. The path itself may hold a token, the query anything."""
    route = scope.get("route")
    return str(getattr(route, "path", None) or "(no route)")


def _where(error: Exception) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/app/" in frame.filename]
    return f"{frames[-1].filename.rpartition('/app/')[2]}:{frames[-1].lineno}" if frames else "unknown"


class LogLine:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001  # the last place to turn it into an answer
            _report(scope, error)
            if not status:
                answer = JSONResponse({"detail": "Internal Server Error"}, status_code=500)
                await answer(scope, receive, send_and_note)
        milliseconds = (time.perf_counter() - started) * 1000
        log.info("%s %s %d %.0fms", scope["method"], _route(scope), status, milliseconds)


def _report(scope: Scope, error: Exception) -> None:
    # The first line only: a database error goes on with the offending row.
    summary = (str(error).splitlines() or [""])[0]
    arguments = (scope["method"], _route(scope), _where(error), type(error).__name__, summary)
    log.error("%s %s failed at %s: %s: %s", *arguments)
