"""Whether receivers can tell the application's mail from a stranger's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.checks.declare import check
from runbooks.checks.mail_records import Spf, dkim_problem, dmarc, spf
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.systems.dns.client import DnsClient

DEFAULT_SENDER = "noreply@praviel.com"
"""What the application takes for EMAIL_FROM_ADDRESS when it is not set."""


@dataclass(frozen=True)
class Service:
    """What a mail provider asks its customers to publish.

    Attributes:
        spf: Domains whose SPF lists its servers.
        return_paths: Names below the sender's domain that it usually puts into the envelope.
        selectors: Names of the keys that it usually signs with; none: they differ by customer.
    """

    spf: tuple[str, ...]
    return_paths: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()


SERVICES = {
    "resend": Service(("amazonses.com",), ("send",), ("resend",)),
    "sendgrid": Service(("sendgrid.net",), (), ("s1", "s2")),
    "aws_ses": Service(("amazonses.com",), ("mail",)),
    "mailgun": Service(("mailgun.org",), ("mg",)),
    "postmark": Service(("mtasv.net",), ("pm-bounces",)),
}


@check(
    "email.spf-dkim-dmarc",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    depends_on=("email.provider-not-console",),
    target="dns",
)
def spf_dkim_dmarc(subject: Subject) -> Finding:
    site, declared = subject.site, subject.environment.mail
    domain = (site.variable("EMAIL_FROM_ADDRESS") or DEFAULT_SENDER).rpartition("@")[2].lower()
    provider = site.variable("EMAIL_PROVIDER") or "console"
    expected = f"mail from {domain} by {provider}: SPF within 10 look-ups, a DKIM key of 1024 bits, a DMARC policy"
    service = SERVICES.get(provider)
    if service is None:
        return skipped(expected, f"{provider} sends no mail that is known here")
    envelope, problem = _envelope(site.public.names, service, domain, declared.return_path)
    if problem:
        mend = f"publish the SPF record that {provider} shows for {domain}, once, within 10 look-ups"
        return failed(expected, problem, mend)
    selectors = declared.dkim_selectors or service.selectors
    if not selectors:
        mend = "declare mail.dkim_selectors: the provider's console shows them"
        return unknown(expected, f"{envelope}; which key {provider} signs with can't be looked up", mend)
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        if wrong := dkim_problem(site.public.names.texts(name)):
            return failed(expected, f"{name}: {wrong}", f"publish the DKIM key that {provider} shows for {domain}")
    policy = dmarc(domain, site.public.names.texts)
    if policy.problem:
        mend = f"publish at _dmarc.{domain}: v=DMARC1; p=quarantine; rua=mailto:…"
        return failed(expected, policy.problem, mend)
    keys = ", ".join(selectors)
    return passed(expected, f"{envelope}; DKIM key {keys}; DMARC {policy.policy} at {policy.name}")


def _envelope(names: DnsClient, service: Service, domain: str, return_path: str | None) -> tuple[str, str]:
    """What SPF says for the envelope's domain, and what is wrong with it; one of the two is empty.

    Without a declared one, the first usual domain counts whose record lets the provider in.
    """
    candidates = [return_path] if return_path else [*(f"{each}.{domain}" for each in service.return_paths), domain]
    problems = []
    for candidate in candidates:
        found = spf(candidate, names.texts)
        problem = found.problem or _stranger(names, service.spf, candidate, found)
        if not problem:
            return f"SPF of {candidate} costs {found.lookups} look-ups and ends in {found.ending or 'nothing'}", ""
        problems.append(problem)
    return "", "; ".join(problems)


def _stranger(names: DnsClient, domains: Sequence[str], candidate: str, found: Spf) -> str:
    """That the provider is not among those who may send for the domain; nothing if it is.

    A domain that is only an alias of the provider's has the provider's own record.
    """
    if found.covers(domains) or Spf(included=frozenset({names.alias(candidate)})).covers(domains):
        return ""
    return f"the SPF of {candidate} does not include {' or '.join(domains)}"
