"""AWS SES, version 2: the account, and one sending identity.

moto's SES has no GetAccount, and no identity of it is ever verified. Signatures are not checked: the access key id in
them tells who asks.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

CODES = {
    400: "BadRequestException",
    403: "UnrecognizedClientException",
    404: "NotFoundException",
    429: "TooManyRequestsException",
}


def routes(state: State) -> list[Route]:
    api = SES(state)
    return [
        Route("/v2/email/account", api.account, methods=["GET"]),
        Route("/v2/email/identities/{name}", api.identity, methods=["GET"]),
    ]


class SES:
    """``accounts.json``'s ``aws_ses``: ``keys`` by access key id, ``domains`` as at Resend, ``sandbox`` (true or not).

    A key with ``"denied": true`` may do nothing.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def account(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        production = not self.state.account("aws_ses").get("sandbox")
        return JSONResponse(
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": production,
                "SendingEnabled": True,
                "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0},
            }
        )

    async def identity(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        wanted = request.path_params["name"]
        held = self.state.account("aws_ses").get("domains", [])
        found = next((each for each in held if each["name"] == wanted), None)
        if found is None:
            return self._error(404, f"Email identity {wanted} does not exist.")
        return JSONResponse(_identity(verified=found.get("status", "verified") == "verified"))

    def _refusal(self, request: Request) -> Response | None:
        if status := self.state.behaviour("aws_ses").status:
            return self._error(status, "As told.")
        signed = re.search(r"Credential=([^/]+)/", request.headers.get("authorization", ""))
        entry = self.state.account("aws_ses").get("keys", {}).get(signed.group(1) if signed else None)
        if entry is None or entry.get("revoked"):
            return self._error(403, "The security token included in the request is invalid.")
        if entry.get("denied"):
            return self._error(403, "User is not authorized to perform this.", "AccessDeniedException")
        return None

    def _error(self, status: int, message: str, code: str | None = None) -> Response:
        headers = {"x-amzn-errortype": code or CODES.get(status, "InternalFailure")}
        headers |= self.state.behaviour("aws_ses").headers or {}
        return JSONResponse({"message": message}, status_code=status, headers=headers)


def _identity(*, verified: bool) -> dict[str, Any]:
    status = "SUCCESS" if verified else "PENDING"
    return {
        "IdentityType": "DOMAIN",
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": verified,
        "VerificationStatus": status,
        "DkimAttributes": {
            "SigningEnabled": True,
            "Status": status,
            "Tokens": ["a", "b", "c"],
            "SigningAttributesOrigin": "AWS_SES",
            "CurrentSigningKeyLength": "RSA_2048_BIT",
        },
        "MailFromAttributes": {
            "MailFromDomain": "mail.praviel.test",
            "MailFromDomainStatus": "SUCCESS",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
    }
