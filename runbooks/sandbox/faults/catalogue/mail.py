"""Mails that are lost or late, and tokens in them that are worth too little or too much."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built

FAULTS = (
    Fault(
        name="mail-lost",
        breaks="email.password-reset-works",
        shows="no mail with a link to reset the password came within 6 s",
        also=("accounts.verify-email", "accounts.reset-password", "verification.email-delivery"),
        means=means.provider("resend", lose_mails=True),
    ),
    Fault(
        name="mail-late",
        breaks="verification.email-delivery",
        shows="it came after 3.",
        means=means.provider("resend", delay=3),
    ),
    built("reset-token-ignored", "email.password-reset-works", "the old password still logs in"),
    built("reset-token-reusable", "accounts.reset-password", "the token was accepted a second time"),
    built("verify-token-ignored", "accounts.verify-email", "a tampered token was accepted"),
)
