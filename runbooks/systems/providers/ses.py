"""AWS SES, version 2 of its API. All that it says is of one region."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.providers.api import KeyRefused, NotAllowed
from runbooks.systems.providers.mail import Sending

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

KEY_REFUSED = {
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
PROMISED = {"ProductionAccessEnabled", "SendingEnabled", "VerifiedForSendingStatus", "DkimAttributes"}
TOO_MANY = {"Throttling", "ThrottlingException", "TooManyRequestsException"}


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose SES is asked, and where.

    Attributes:
        url: Another address than the region's own; None means AWS.
        ca_file: PEM file of the authority that signed its certificate.
        seconds: How long connecting, and each wait for an answer, may take.
    """

    region: str
    access_key: Secret
    secret_key: Secret
    url: str | None = None
    ca_file: Path | None = None
    seconds: float = 5.0


class SES:
    """See `MailProvider`. boto3 waits by itself when it is asked to, and no longer than two attempts last."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def sending(self, domain: str) -> Sending:
        with self._faults(), contextlib.closing(self._client()) as client:
            account = client.get_account()
            try:
                identity = client.get_email_identity(EmailIdentity=domain)
            except client.exceptions.NotFoundException:
                return Sending("no such identity", (f"{domain} is no identity in {self._account.region}",))
        if PROMISED - {*account, *identity}:
            raise _bad_answer(self._where)
        return judged(domain, account, identity)

    @property
    def _where(self) -> str:
        return self._account.url or f"SES in {self._account.region}"

    def _client(self) -> SESV2Client:
        import boto3
        from botocore.config import Config

        account = self._account
        config = Config(
            connect_timeout=account.seconds,
            read_timeout=account.seconds,
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
        )
        options: dict[str, Any] = {"verify": str(account.ca_file)} if account.ca_file else {}
        return boto3.session.Session().client(
            "sesv2",
            config=config,
            endpoint_url=account.url,
            region_name=account.region,
            aws_access_key_id=account.access_key.reveal(),
            aws_secret_access_key=account.secret_key.reveal(),
            **options,
        )

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            yield
        except ClientError as error:
            raise _fault(str(error.response.get("Error", {}).get("Code", "")), self._where) from None
        except BotoCoreError as error:
            raise SystemFault(
                "SES can't be reached",
                reason=Reason.UNREACHABLE,
                where=self._where,
                found=str(error),
                mend="see whether this machine may reach it",
            ) from error
        except (ResponseParserError, AttributeError, TypeError) as error:  # botocore takes the body's form for granted
            raise _bad_answer(self._where) from error


def judged(domain: str, account: Mapping[str, Any], identity: Mapping[str, Any]) -> Sending:
    """What the answers of GetAccount and GetEmailIdentity mean."""
    problems = []
    if not account.get("ProductionAccessEnabled"):
        problems.append("the account is in SES's sandbox: its mail reaches verified recipients only")
    if not account.get("SendingEnabled"):
        problems.append("sending is switched off for the account")
    if account.get("EnforcementStatus") == "SHUTDOWN":
        problems.append("AWS has shut the account's sending down")
    if not identity.get("VerifiedForSendingStatus"):
        problems.append(f"{domain} is not verified for sending")
    dkim = identity.get("DkimAttributes", {}).get("Status")
    if dkim != "SUCCESS":
        problems.append(f"DKIM of {domain} is {dkim}")
    return Sending(f"production access, {domain} is verified", tuple(problems))


def _bad_answer(where: str) -> SystemFault:
    mend = "see whether something else answers at this address"
    return SystemFault("the answer is not SES's", reason=Reason.BAD_ANSWER, where=where, mend=mend)


def _fault(code: str, where: str) -> SystemFault:
    if code in KEY_REFUSED:
        return KeyRefused(
            f"SES {KeyRefused.says}", reason=KeyRefused.why, where=where, found=code, mend=KeyRefused.remedy
        )
    if code in NOT_ALLOWED:
        mend = "allow ses:GetAccount and ses:GetEmailIdentity"
        return NotAllowed(f"SES {NotAllowed.says}", reason=NotAllowed.why, where=where, found=code, mend=mend)
    if code in TOO_MANY:
        return SystemFault("too many requests were made", reason=Reason.RATE_LIMITED, where=where, found=code)
    return SystemFault("SES failed", reason=Reason.FAILED, where=where, found=code or "no code")
