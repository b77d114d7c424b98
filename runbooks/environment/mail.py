"""What an environment declares of the mail that its application sends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbooks.environment.value import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail is sent, and how it is known to be genuine. Which provider it is stands in the application's variables.

    Attributes:
        domain: The application's domain, which mail comes from. None: it is told from FRONTEND_URL.
        url: The provider's API, where it is not the usual one: another region, a proxy.
        admin_key: A key that may read sending domains, where the application's may only send. Postmark's account token.
            Resend and SendGrid make and revoke keys for it, if it may, when the application's is rotated.
        ca_file: PEM file of the authority that signed the certificate at ``url``.
        return_path: The domain in the envelope's sender, whose SPF counts; None: what the provider usually takes.
        dkim_selectors: Names of the keys that mail is signed with; none: those that the provider usually takes.
    """

    domain: str | None = None
    url: Value | None = None
    admin_key: Value | None = None
    ca_file: Path | None = None
    return_path: str | None = None
    dkim_selectors: tuple[str, ...] = ()
