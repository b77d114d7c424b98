"""Tells how many requests to a vendor held a value. It repeats none: whoever asks knows what to ask for."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    async def seen(request: Request) -> Response:
        """``{"vendor", "since", "values": {name: value}}`` gives ``{"requests", "holding": {name: count}}``."""
        asked = await request.json()
        texts = [_text(entry) for entry in state.requests(asked["since"]) if _vendor(entry) == asked["vendor"]]
        holding = {name: sum(value in text for text in texts) for name, value in asked["values"].items()}
        return JSONResponse({"requests": len(texts), "holding": holding})

    return [Route("/seen", seen, methods=["POST"])]


def _vendor(entry: dict[str, Any]) -> str:
    return str(entry["path"]).split("/")[1]


def _text(entry: dict[str, Any]) -> str:
    return json.dumps([entry["headers"], entry["body"], entry["path"]])
