"""PagerDuty's API: who is on call by an escalation policy."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    return [Route("/oncalls", PagerDuty(state).on_calls, methods=["GET"])]


class PagerDuty:
    """``accounts.json``'s ``pagerduty``: ``tokens`` (a list), and ``oncalls`` by policy.

    An entry is ``{"user", "level", "start", "end"}``; the last two are ISO 8601, or null.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def on_calls(self, request: Request) -> Response:
        behaviour, account = self.state.behaviour("pagerduty"), self.state.account("pagerduty")
        if behaviour.status:
            return JSONResponse({"error": {"message": f"Status {behaviour.status}", "code": 2000}}, behaviour.status)
        token = request.headers.get("authorization", "").removeprefix("Token token=")
        if token not in account.get("tokens", []):
            return JSONResponse({"error": {"message": "Unauthorized", "code": 2006}}, status_code=401)
        query = request.query_params
        policies = query.getlist("escalation_policy_ids[]")
        held = [entry for policy in policies for entry in account.get("oncalls", {}).get(policy, [])]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 25))
        said = [
            {
                "user": {"id": f"P{entry['user'].upper()}", "type": "user_reference", "summary": entry["user"]},
                "schedule": None,
                "escalation_policy": {"id": policies[0], "type": "escalation_policy_reference"},
                "escalation_level": entry["level"],
                "start": entry["start"],
                "end": entry["end"],
            }
            for entry in held[offset : offset + limit]
        ]
        more = offset + limit < len(held)
        return JSONResponse({"oncalls": said, "limit": limit, "offset": offset, "more": more, "total": None})
