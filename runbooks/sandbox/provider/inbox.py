"""The inbox of everybody: the mails that a vendor was given to send and has not lost."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    async def mails(request: Request) -> Response:
        wanted = request.query_params.get("to", "").lower()
        found = [mail for mail in state.mails() if wanted in [address.lower() for address in mail["to"]]]
        return JSONResponse({"mails": found})

    return [Route("/mails", mails, methods=["GET"])]
