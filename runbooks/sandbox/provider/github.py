"""GitHub's API: a repository's issues and their comments, in pages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

DOCUMENTATION = "https://docs.github.com/rest"


def routes(state: State) -> list[Route]:
    api = GitHub(state)
    return [
        Route("/repos/{owner}/{name}/issues", api.issues, methods=["GET"]),
        Route("/repos/{owner}/{name}/issues/comments", api.comments, methods=["GET"]),
    ]


class GitHub:
    """``accounts.json``'s ``github``.

    ``tokens`` (``{"ghp_…": {}}``), and ``repositories`` (``{"OWNER/NAME": {"issues": […], "disabled": false}}``), where
    an issue is ``{"number", "by", "age_days", "pull_request"?, "comments": [{"by", "bot"?, "age_days"}]}``.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def issues(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        held = sorted(self._held(request)["issues"], key=lambda issue: -issue["age_days"])
        return self._page(request, [_issue(request, each) for each in held])

    async def comments(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        said = [
            _comment(request, issue, comment)
            for issue in self._held(request)["issues"]
            for comment in issue["comments"]
        ]
        said.sort(key=lambda comment: comment["created_at"], reverse=True)
        return self._page(request, said)

    def _held(self, request: Request) -> Any:
        return self.state.account("github").get("repositories", {}).get(_repository(request))

    def _refusal(self, request: Request) -> Response | None:
        behaviour = self.state.behaviour("github")
        if behaviour.status in (403, 429):
            return self._error(behaviour.status, "API rate limit exceeded for user ID 1.", remaining="0")
        if behaviour.status:
            return self._error(behaviour.status, f"Status {behaviour.status}")
        authorization = request.headers.get("authorization")
        token = (authorization or "").partition(" ")[2]
        if authorization and token not in self.state.account("github").get("tokens", {}):
            return self._error(401, "Bad credentials")
        held = self._held(request)
        if held is None:
            return self._error(404, "Not Found")
        if held.get("disabled"):
            return self._error(410, "Issues are disabled for this repo")
        return None

    def _page(self, request: Request, found: Sequence[dict[str, Any]]) -> Response:
        size, number = int(request.query_params.get("per_page", 30)), int(request.query_params.get("page", 1))
        headers = self._headers()
        if number * size < len(found):
            following = request.url.include_query_params(page=number + 1)
            headers["link"] = f'<{following}>; rel="next"'
        return JSONResponse(found[(number - 1) * size : number * size], headers=headers)

    def _error(self, status: int, message: str, remaining: str = "4990") -> Response:
        headers = self._headers() | {"x-ratelimit-remaining": remaining}
        body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        return JSONResponse(body, status_code=status, headers=headers)

    def _headers(self) -> dict[str, str]:
        usual = {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": "4990",
            "x-ratelimit-used": "10",
            "x-ratelimit-reset": str(int(time.time()) + 1800),
            "x-ratelimit-resource": "core",
            "x-github-api-version-selected": "2022-11-28",
        }
        return usual | dict(self.state.behaviour("github").headers or {})


def _repository(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _issue(request: Request, issue: dict[str, Any]) -> dict[str, Any]:
    said = {
        "number": issue["number"],
        "title": f"Issue {issue['number']}",
        "state": "open",
        "html_url": f"https://github.com/{_repository(request)}/issues/{issue['number']}",
        "user": {"login": issue["by"], "type": "User"},
        "comments": len(issue["comments"]),
        "created_at": _moment(issue["age_days"]),
    }
    return said | ({"pull_request": {"url": "…"}} if issue.get("pull_request") else {})


def _comment(request: Request, issue: dict[str, Any], comment: dict[str, Any]) -> dict[str, Any]:
    return {
        "issue_url": f"https://api.github.com/repos/{_repository(request)}/issues/{issue['number']}",
        "user": {"login": comment["by"], "type": "Bot" if comment.get("bot") else "User"},
        "created_at": _moment(comment["age_days"]),
        "body": "…",
    }


def _moment(age_days: float) -> str:
    return f"{datetime.now(UTC) - timedelta(days=age_days):%Y-%m-%dT%H:%M:%SZ}"
