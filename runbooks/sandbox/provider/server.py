"""The vendors on one port: their paths do not collide."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runbooks.sandbox.provider import openai, resend
from runbooks.sandbox.provider.state import State

READY = "/ready"


def create_server(folder: Path) -> Starlette:
    state = State(folder)
    ready = Route(READY, _ready, methods=["GET"])
    server = Starlette(routes=[ready, *openai.routes(state), *resend.routes(state)])
    server.add_middleware(Witness, state=state)
    return server


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ready")


class Witness:
    """Note every request as it came, and wait as long as the vendor was told to."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == READY:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self.state.note_request(request.method, request.url.path, dict(request.headers), body.decode(errors="replace"))
        vendor = "openai" if scope["path"].startswith("/v1/") else "resend"
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
