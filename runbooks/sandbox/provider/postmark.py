"""Postmark's API: a server, and the account's sending domains."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    api = Postmark(state)
    return [
        Route("/server", api.server, methods=["GET"]),
        Route("/domains", api.domains, methods=["GET"]),
    ]


class Postmark:
    """``accounts.json``'s ``postmark``: ``keys`` of servers (``{"…": {"delivery": "Sandbox"?}}``), ``admin_keys``.

    The latter are a list of the account's tokens; ``domains`` as at Resend.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def server(self, request: Request) -> Response:
        if told := self._told():
            return told
        keys = self.state.account("postmark").get("keys", {})
        entry = keys.get(request.headers.get("x-postmark-server-token"))
        if entry is None or entry.get("revoked"):
            return _error(
                401, 10, "The Server Token you provided in the X-Postmark-Server-Token request header is invalid."
            )
        return JSONResponse({"ID": 1, "Name": "Application", "DeliveryType": entry.get("delivery", "Live")})

    async def domains(self, request: Request) -> Response:
        if told := self._told():
            return told
        account = self.state.account("postmark")
        if request.headers.get("x-postmark-account-token") not in account.get("admin_keys", []):
            return _error(401, 10, "The Account Token you provided is invalid.")
        listed = [
            {
                "ID": position,
                "Name": each["name"],
                "SPFVerified": True,
                "DKIMVerified": each.get("status", "verified") == "verified",
                "WeakDKIM": False,
                "ReturnPathDomainVerified": True,
            }
            for position, each in enumerate(account.get("domains", []), start=1)
        ]
        return JSONResponse({"TotalCount": len(listed), "Domains": listed})

    def _told(self) -> Response | None:
        behaviour = self.state.behaviour("postmark")
        if not behaviour.status:
            return None
        answer = _error(behaviour.status, behaviour.status, "As told.")
        answer.headers.update(behaviour.headers or {})
        return answer


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"ErrorCode": code, "Message": message}, status_code=status)
