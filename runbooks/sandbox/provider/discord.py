"""Discord's API: invites with their counts, and webhooks, which are looked at or posted to."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

FAILURES = {
    401: ("401: Unauthorized", 0),
    403: ("Missing Access", 50001),
    500: ("500: Internal Server Error", 0),
}
RETRY_AFTER = "0.3"


def routes(state: State) -> list[Route]:
    api = Discord(state)
    webhook = "webhooks/{id}/{token}"
    return [
        Route("/api/v10/invites/{code}", api.invite, methods=["GET"]),
        *(Route(f"/{base}/{webhook}", api.webhook, methods=["GET"]) for base in ("api", "api/v10")),
        *(Route(f"/{base}/{webhook}", api.post, methods=["POST"]) for base in ("api", "api/v10")),
    ]


class Discord:
    """``accounts.json``'s ``discord``.

    ``invites`` (``{"CODE": {"guild": "…", "members": 94, "online": 12, "expires_at": null}}``), and ``webhooks``
    (``{"ID": "TOKEN"}``).
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def invite(self, request: Request) -> Response:
        if refusal := self._refusal():
            return refusal
        code = request.path_params["code"]
        held = self.state.account("discord").get("invites", {}).get(code)
        if held is None:
            return _error(404, "Unknown Invite", 10006)
        said: dict[str, Any] = {
            "type": 0,
            "code": code,
            "expires_at": held.get("expires_at"),
            "guild": {"id": "1180000000000000001", "name": held["guild"]},
            "channel": {"id": "1180000000000000002", "name": "welcome", "type": 0},
        }
        if request.query_params.get("with_counts") == "true":
            said |= {"approximate_member_count": held["members"], "approximate_presence_count": held["online"]}
        return JSONResponse(said, headers=self._headers())

    async def webhook(self, request: Request) -> Response:
        if refusal := self._refusal() or self._stranger(request):
            return refusal
        said = {
            "id": request.path_params["id"],
            "type": 1,
            "name": "status",
            "channel_id": "1180000000000000003",
            "guild_id": "1180000000000000001",
            "token": request.path_params["token"],
        }
        return JSONResponse(said, headers=self._headers())

    async def post(self, request: Request) -> Response:
        if refusal := self._refusal() or self._stranger(request):
            return refusal
        body = await request.json()
        if not body.get("content"):
            return _error(400, "Cannot send an empty message", 50006)
        if len(body["content"]) > 2000:
            return _error(400, "Invalid Form Body", 50035)
        if request.query_params.get("wait") == "true":
            return JSONResponse({"id": "1180000000000000009", "content": body["content"]}, headers=self._headers())
        return Response(status_code=204, headers=self._headers())

    def _stranger(self, request: Request) -> Response | None:
        token = self.state.account("discord").get("webhooks", {}).get(request.path_params["id"])
        if token is None:
            return _error(404, "Unknown Webhook", 10015)
        return None if token == request.path_params["token"] else _error(401, "Invalid Webhook Token", 50027)

    def _refusal(self) -> Response | None:
        behaviour = self.state.behaviour("discord")
        if behaviour.status == 429:
            wait = dict(behaviour.headers or {}).get("retry-after", RETRY_AFTER)
            body = {"message": "You are being rate limited.", "retry_after": float(wait), "global": False}
            headers = self._headers() | {"retry-after": str(max(1, round(float(wait)))), "x-ratelimit-remaining": "0"}
            return JSONResponse(body, status_code=429, headers=headers | {"x-ratelimit-scope": "user"})
        if behaviour.status:
            return _error(behaviour.status, *FAILURES.get(behaviour.status, (f"Status {behaviour.status}", 0)))
        return None

    def _headers(self) -> dict[str, str]:
        usual = {
            "x-ratelimit-limit": "5",
            "x-ratelimit-remaining": "4",
            "x-ratelimit-reset-after": "1.000",
            "x-ratelimit-bucket": "abcd1234",
        }
        return usual | dict(self.state.behaviour("discord").headers or {})


def _error(status: int, message: str, code: int) -> Response:
    return JSONResponse({"message": message, "code": code}, status_code=status)
