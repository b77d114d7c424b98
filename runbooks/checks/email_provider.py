"""The provider that sends the application's mail."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.email_sender import sender_domain
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed
from runbooks.environment.vendors import MAIL_KEYS
from runbooks.systems.providers.api import KeyRefused, NotServed

PROVIDER = "EMAIL_PROVIDER"


@check(
    "email.provider-known",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    depends_on=("email.provider-not-console",),
    target="variables",
)
def provider_known(subject: Subject) -> Finding:
    expected = f"{PROVIDER} is one of {', '.join(MAIL_KEYS)}, and has its settings"
    provider = _provider(subject)
    if provider not in MAIL_KEYS:
        return failed(expected, f"{PROVIDER} is {provider!r}", f"set {PROVIDER} to one of them")
    missing = [name for name in MAIL_KEYS[provider] if not _set(subject, name)]
    if missing:
        return failed(expected, f"{PROVIDER} is {provider} without {', '.join(missing)}", f"set {', '.join(missing)}")
    return passed(expected, f"{PROVIDER} is {provider}, with {', '.join(MAIL_KEYS[provider])}")


@check(
    "email.provider-key-accepted",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    depends_on=("email.provider-known", "email.from-own-domain"),
    target="mail provider",
    seconds=20,
)
def provider_key_accepted(subject: Subject) -> Finding:
    provider = _provider(subject)
    domain = _sending_domain(subject, provider)
    expected = f"{provider} accepts the key, and mail from {domain} reaches everybody"
    try:
        sending = subject.site.vendors.mail(provider, subject.variables).sending(domain)
    except (KeyRefused, NotServed) as refused:
        return failed(expected, f"{provider}: {refused.what} ({refused.found})", refused.mend)
    if sending.problems:
        return failed(expected, f"{provider}: {'; '.join(sending.problems)}", "see the domain in its dashboard")
    return passed(expected, f"{provider}: {sending.seen}")


def _provider(subject: Subject) -> str:
    return subject.site.variable(PROVIDER) or "console"


def _sending_domain(subject: Subject, provider: str) -> str:
    """The domain that the provider signs for: at Mailgun, requests name it."""
    own = subject.site.variable("MAILGUN_DOMAIN") if provider == "mailgun" else None
    return own or sender_domain(subject)


def _set(subject: Subject, name: str) -> bool:
    value = subject.variables.get(name)
    return bool(value and value.reveal())
