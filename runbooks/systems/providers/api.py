"""What the clients of all vendors share: waiting when told to, and every refusal as a fault that never shows a key.

A vendor's own message is not shown: OpenAI's echoes a part of the key. Its code is, which is a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience, retry_after

CODE = re.compile(r"[A-Za-z][\w. -]{0,59}")

Shape = TypeVar("Shape")


class Denied(SystemFault):
    """A vendor said no. What it says and how to mend it are the same for every vendor."""

    says: ClassVar[str]
    why: ClassVar[Reason] = Reason.FAILED
    remedy: ClassVar[str] = ""


class KeyRefused(Denied):
    """The vendor does not know the key: it was revoked, or never was one."""

    says = "does not accept the key"
    why = Reason.UNAUTHORISED
    remedy = "see the vendor's dashboard, and whether the key was copied whole"


class NotAllowed(Denied):
    """The vendor knows the key, which may not do this."""

    says = "accepts the key, which may not do this"
    why = Reason.UNAUTHORISED
    remedy = "see what the key may do, in the vendor's dashboard"


class NotFound(Denied):
    """The vendor has no such thing."""

    says = "has no such thing"


class Incomplete(Denied):
    """The vendor knows the key, and the request lacks something."""

    says = "finds the request wrong"


class NotServed(Denied):
    """The vendor knows the key and does not serve it: nothing is paid, a spending limit is reached, the API is off."""

    says = "knows the key and does not serve it"
    remedy = "see billing, limits and what is switched on in the vendor's dashboard; waiting does not help"


@dataclass(frozen=True)
class Refusal:
    """How a vendor said no.

    Attributes:
        kind: What it means for us; None: it is the vendor's own failure.
        code: The vendor's word for it.
    """

    kind: type[Denied] | None
    code: str = ""


BY_STATUS: Mapping[int, type[Denied]] = {401: KeyRefused, 402: NotServed, 403: NotAllowed, 404: NotFound}
"""What a status means where a vendor has no other use for it."""


class Api:
    """One vendor's API, asked with one key.

    Args:
        vendor: Its name, for people.
        http: Where it answers.
        headers: What every request carries, the key among it.
        patience: How long to wait when it is asked too often.
        read: What an answer of status 400 or more means. It must not fail, whatever the body is.
        wanted: How many seconds a 429 wants us to wait.
    """

    def __init__(
        self,
        vendor: str,
        http: HttpClient,
        headers: Mapping[str, str],
        patience: Patience,
        *,
        read: Callable[[Answer], Refusal],
        wanted: Callable[[Answer], float | None] = retry_after,
    ) -> None:
        self.vendor = vendor
        self._http = http
        self._headers = headers
        self._patience = patience
        self._read = read
        self._wanted = wanted

    def get(self, path: str, shape: type[Shape], **query: Any) -> Shape:
        """What answers at this path, in the form of a dataclass; what else the answer holds is left out.

        Args:
            query: What stands behind the question mark; a list becomes a parameter that is repeated.

        Raises:
            KeyRefused, NotAllowed, NotFound, NotServed: see there.
            SystemFault: RATE_LIMITED for longer than we wait, the vendor failed, or said something else than promised.
        """
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        answer = self._patience.ask(lambda: self._once(target), self._wanted)
        if answer.status >= 400:
            raise self._fault(answer, self._read(answer))
        return shaped(answer, shape)

    def post(self, path: str, shape: type[Shape], body: Mapping[str, Any]) -> Shape:
        """What answers to this JSON. Raises as `get`."""
        return shaped(self._changed("POST", path, body), shape)

    def delete(self, path: str) -> None:
        """Have something removed. Raises as `get`."""
        self._changed("DELETE", path, None)

    def _changed(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        answer = self._patience.ask(lambda: self._once(path, method, body), self._wanted)
        if answer.status >= 400:
            raise self._fault(answer, self._read(answer))
        return answer

    def _once(self, target: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Answer:
        answer = self._http.request(method, target, json=body, headers=self._headers)
        if answer.status == 429 and (refusal := self._read(answer)).kind is NotServed:
            raise self._fault(answer, refusal)  # it is no rate that is limited: never ask again
        return answer

    def _fault(self, answer: Answer, refusal: Refusal) -> SystemFault:
        where = f"{answer.method} {answer.url}"
        found = f"HTTP {answer.status}" + (f", {refusal.code}" if CODE.fullmatch(refusal.code) else "")
        kind = refusal.kind
        if kind is None:
            mend = "see the vendor's status page"
            return SystemFault(f"{self.vendor} failed", reason=Reason.FAILED, where=where, found=found, mend=mend)
        return kind(f"{self.vendor} {kind.says}", reason=kind.why, where=where, found=found, mend=kind.remedy)


def by_status(answer: Answer) -> Refusal:
    """What an answer means of a vendor whose bodies say no more than its statuses."""
    return Refusal(BY_STATUS.get(answer.status))


def shaped(answer: Answer, shape: type[Shape]) -> Shape:
    """An answer's JSON in the form of a dataclass.

    Raises:
        SystemFault: it is something else. What it is instead is not shown: it may be a secret in the wrong place.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(answer.json())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise SystemFault(
            "the answer is not what the vendor's API promises",
            reason=Reason.BAD_ANSWER,
            where=f"{answer.method} {answer.url}",
            found=f"{place}: {first['msg']}",
            mend="see whether something else answers at this address, or the API has changed",
        ) from None


def error_of(answer: Answer) -> dict[str, Any]:
    """The JSON object in a refusal's body; empty if there is none."""
    try:
        body = answer.json()
    except SystemFault:
        return {}
    return body if isinstance(body, dict) else {}


def part_of(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside one; empty if there is none."""
    part = value.get(name)
    return part if isinstance(part, dict) else {}
