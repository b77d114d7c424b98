"""Mail through the configured provider. A failure is logged and never breaks the request that caused it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from app.core.config import settings
from app.vendors import http

log = logging.getLogger("app.mail")

RESEND = "https://api.resend.com"


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str


async def send_mail(mail: Mail) -> None:
    try:
        await _send(mail)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not reach the request
        log.error("mail not sent provider=%s: %s", settings.EMAIL_PROVIDER, error)


async def _send(mail: Mail) -> None:
    if settings.EMAIL_PROVIDER == "console":
        # The body holds a token; only a developer's own terminal may show it.
        body = mail.text if settings.is_development else "(body not shown outside development)"
        log.info("mail to the console: %s %s", mail.subject, body)
    elif settings.EMAIL_PROVIDER == "resend":
        await _send_with_resend(mail)
    else:
        msg = "this provider is not built into the stand-in"
        raise NotImplementedError(msg)


async def _send_with_resend(mail: Mail) -> None:
    base = os.environ.get("RESEND_API_BASE", "").rstrip("/") or RESEND
    answer = await http.client().post(
        f"{base}/emails",
        headers={"Authorization": f"Bearer {settings.RESEND_API_KEY}"},
        json={
            "from": f"{settings.EMAIL_FROM_NAME} <{settings.EMAIL_FROM_ADDRESS}>",
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
        },
    )
    if answer.status_code >= 300:
        msg = f"status {answer.status_code}"
        raise RuntimeError(msg)
    log.info("mail accepted by resend")
