"""DNS records of the mail domain that are missing or wrong."""

from __future__ import annotations

from runbooks.sandbox import names
from runbooks.sandbox.faults import edge
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.zone import text

MAIL = "email.spf-dkim-dmarc"
SHORT_KEY = (
    "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALpgKrlFGTN716c22CeWNcXL+2h1qSkl97coe87sj4tDUQLnONG3MTtr3zt7PgQppdctXd1t2TUerpQY"
    "p2SGOvQoAhb4yZuNykw2tZO0tkGhdnAfv9zxHV5uF8wpPerURwIDAQAB"
)
"""An RSA key of 768 bits."""


def _mail(name: str, shows: str, place: str, *texts: str) -> Fault:
    """A TXT record of the mail domain that is missing or says something else."""
    return Fault(
        name=name,
        breaks=MAIL,
        shows=shows,
        means=edge.record(f"{place}.{names.DOMAIN}", "TXT", *map(text, texts)),
    )


MANY = " ".join(f"a:mx{number}.{names.DOMAIN}" for number in range(1, 11))

FAULTS = (
    _mail("spf-missing", "send.praviel.test has no SPF record", "send"),
    _mail("spf-without-provider", "send.praviel.test does not include amazonses.com", "send", "v=spf1 mx -all"),
    _mail("spf-twice", "has 2 SPF records", "send", "v=spf1 include:amazonses.com -all", "v=spf1 mx -all"),
    _mail("spf-too-long", "more than 10 look-ups", "send", f"v=spf1 include:amazonses.com {MANY} -all"),
    _mail("spf-lets-everybody-in", "lets everybody in", "send", "v=spf1 include:amazonses.com +all"),
    _mail("dkim-missing", "no record", "resend._domainkey"),
    _mail("dkim-revoked", "the key is revoked", "resend._domainkey", "v=DKIM1; k=rsa; p="),
    _mail("dkim-short", "768 bits instead of 1024", "resend._domainkey", f"v=DKIM1; k=rsa; p={SHORT_KEY}"),
    _mail("dmarc-missing", "_dmarc.praviel.test has no DMARC record", "_dmarc"),
    _mail("dmarc-without-policy", "states no policy", "_dmarc", "v=DMARC1; rua=mailto:postmaster@praviel.test"),
)
