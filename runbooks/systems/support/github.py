"""GitHub: a repository's open issues, and who has answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience, retry_after
from runbooks.systems.providers.api import BY_STATUS, Api, Denied, Refusal, error_of

PAGE = 100
MOST_PAGES = 10
"""Pages of one listing; whatever lies behind them is not looked at, and that is said."""

VERSION = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class IssuesDisabled(Denied):
    """The repository takes no issues."""

    says = "takes no issues for this repository"


class HourSpent(Denied):
    """GitHub answers only so often in an hour; it says that with 403, too."""

    says = "has answered as often as it does in an hour"
    why = Reason.RATE_LIMITED
    remedy = "declare support.github.token, with which it answers more often, or ask again later"


@dataclass(frozen=True)
class User:
    """Who wrote something."""

    login: str
    type: str

    @property
    def bot(self) -> bool:
        """Whether it is a program: its comments answer nobody."""
        return self.type == "Bot"


@dataclass(frozen=True)
class Issue:
    """An open issue, or a pull request, which GitHub lists among them."""

    number: int
    created_at: datetime
    comments: int
    user: User
    pull_request: dict[str, Any] | None = None


@dataclass(frozen=True)
class Comment:
    """A comment on some issue of the repository."""

    issue_url: str
    user: User

    @property
    def issue(self) -> int:
        """The issue's number."""
        number = self.issue_url.rpartition("/")[2]
        return int(number) if number.isdigit() else 0


@dataclass
class Repository:
    """One repository.

    Args:
        name: ``OWNER/NAME``.
        token: A token that may read issues; None: as a stranger.
    """

    http: HttpClient
    name: str
    token: Secret | None
    patience: Patience
    _api: Api = field(init=False)

    def __post_init__(self) -> None:
        headers = VERSION | ({"authorization": f"Bearer {self.token.reveal()}"} if self.token else {})
        self._api = Api("GitHub", self.http, headers, self.patience, read=_read, wanted=_wanted)

    def open_issues(self) -> Iterator[Issue]:
        """The open issues, oldest first, without pull requests.

        Raises:
            SystemFault: GitHub did not say, or there are more than are looked at.
        """
        for issue in self._pages("issues", list[Issue], state="open", sort="created", direction="asc"):
            if issue.pull_request is None:
                yield issue

    def comments_since(self, moment: datetime) -> Iterator[Comment]:
        """The comments on all issues, newest first.

        Raises:
            SystemFault: GitHub did not say, or there are more than are looked at.
        """
        since = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        yield from self._pages("issues/comments", list[Comment], since=since, sort="created", direction="desc")

    def _pages(self, path: str, shape: Any, **query: Any) -> Iterator[Any]:
        for number in range(1, MOST_PAGES + 1):
            page = self._api.get(f"/repos/{self.name}/{path}", shape, **query, per_page=PAGE, page=number)
            yield from page
            if len(page) < PAGE:
                return
        raise SystemFault(
            "there is more than is looked at",
            reason=Reason.FAILED,
            where=f"{self.name}: {path}",
            found=f"more than {PAGE * MOST_PAGES}",
            mend="close old issues",
        )


def _read(answer: Answer) -> Refusal:
    said = str(error_of(answer).get("message", ""))
    if answer.status == 410:
        return Refusal(IssuesDisabled, said)
    if answer.status == 403 and answer.headers.get("x-ratelimit-remaining") == "0":
        return Refusal(HourSpent)
    return Refusal(BY_STATUS.get(answer.status), said)


def _wanted(answer: Answer) -> float | None:
    """Retry-After, or until the hour of the limit is over."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, int(reset) - time.time())
    return retry_after(answer)
