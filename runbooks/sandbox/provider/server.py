"""All vendors on one port, each under its own name: ``/openai/v1/models``, ``/resend/domains``.

A module of this package that has ``routes(state)`` is a vendor; nothing has to be registered.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runbooks.sandbox import provider
from runbooks.sandbox.provider.state import State

READY = "/ready"


def create_server(folder: Path) -> Starlette:
    state = State(folder)
    ready = Route(READY, _ready, methods=["GET"])
    server = Starlette(routes=[ready, *_vendors(state)])
    server.add_middleware(Witness, state=state)
    return server


def _vendors(state: State) -> Iterator[Mount]:
    for found in pkgutil.iter_modules(provider.__path__):
        if not found.name.startswith("_"):
            module = importlib.import_module(f"{provider.__name__}.{found.name}")
            if hasattr(module, "routes"):
                yield Mount(f"/{found.name}", routes=module.routes(state))


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ready")


class Witness:
    """Note every request as it came, and wait as long as the vendor was told to."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith((READY, "/inbox/", "/witness/")):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self.state.note_request(request.method, request.url.path, dict(request.headers), body.decode(errors="replace"))
        vendor = scope["path"].split("/")[1]
        await asyncio.sleep(self.state.behaviour(vendor).delay)
        await self.app(scope, _replay(body), send)


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> dict[str, object]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
