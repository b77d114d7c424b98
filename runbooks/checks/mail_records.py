"""The DNS records that prove a mail genuine, read as receivers read them: SPF, DKIM, DMARC.

Rules: RFC 7208 (SPF), RFC 6376, 8301 and 8463 (DKIM), RFC 9989 (DMARC). Nothing is asked here but through ``texts``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Texts = Callable[[str], Sequence[str]]
"""Gives a name's TXT records, each in one piece; empty if there are none."""

MOST_LOOKUPS = 10
FEWEST_BITS = 1024
COUNTED = ("include", "a", "mx", "ptr", "exists")
"""SPF's mechanisms that make the receiver look something up; so does the modifier ``redirect``."""


@dataclass(frozen=True)
class Spf:
    """What a domain's SPF comes to.

    Attributes:
        problem: Why a receiver can't use it; empty if it can.
        lookups: How many look-ups it costs a receiver, over all that it includes.
        included: Every domain whose SPF is part of it.
        ending: What happens to everybody else: ``-all``, ``~all``, ``?all``, ``+all``, or nothing.
    """

    problem: str = ""
    lookups: int = 0
    included: frozenset[str] = frozenset()
    ending: str = ""

    def covers(self, domains: Sequence[str]) -> bool:
        """Whether one of the domains, or a name below it, is part of it."""
        return any(name == domain or name.endswith(f".{domain}") for name in self.included for domain in domains)


def spf(domain: str, texts: Texts, spent: int = 0) -> Spf:
    """The domain's SPF with all that it includes.

    Args:
        domain: The domain.
        texts: Where its records come from.
        spent: Look-ups that led here; they count, so that domains which include each other come to an end.
    """
    records = [text for text in texts(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if len(records) != 1:
        return Spf(f"{domain} has {len(records) or 'no'} SPF record{'s' if len(records) > 1 else ''}")
    lookups, included, ending = 0, set[str](), ""
    for term in _terms(records[0]):
        name, value = _term(term)
        if name == "all":
            ending = term if term[0] in "+-~?" else f"+{term}"
        lookups += name in COUNTED or name == "redirect"
        if spent + lookups > MOST_LOOKUPS:
            return Spf(f"the SPF of {domain} costs more than {MOST_LOOKUPS} look-ups")
        if name in ("include", "redirect") and "%" not in value:
            inner = spf(value.lower(), texts, spent + lookups)
            if inner.problem:
                return inner
            lookups += inner.lookups
            included |= {value.lower(), *inner.included}
            ending = inner.ending if name == "redirect" else ending
    if spent + lookups > MOST_LOOKUPS:
        return Spf(f"the SPF of {domain} costs more than {MOST_LOOKUPS} look-ups")
    if ending == "+all":
        return Spf(f"the SPF of {domain} lets everybody in (+all)")
    return Spf("", lookups, frozenset(included), ending)


def _terms(record: str) -> Iterator[str]:
    """The terms that count: none behind ``all``, and a redirect only where there is no ``all``."""
    terms = record.split()[1:]
    names = [_term(term)[0] for term in terms]
    if "all" in names:
        yield from (term for term in terms[: names.index("all") + 1] if _term(term)[0] != "redirect")
    else:
        yield from terms


def _term(term: str) -> tuple[str, str]:
    """A mechanism's or modifier's name in small letters, and its value."""
    bare = term.lstrip("+-~?")
    for separator in "=:/":
        if separator in bare:
            name, _, value = bare.partition(separator)
            return name.lower(), value
    return bare.lower(), ""


def dkim_problem(records: Sequence[str]) -> str:
    """Why no receiver can check a signature by these TXT records of a selector, or nothing."""
    if len(records) != 1:
        return "no record" if not records else f"{len(records)} records"
    tags = _tags(records[0])
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return f"no DKIM key: {records[0][:40]!r}"
    if not tags["p"]:
        return "the key is revoked (p= is empty)"
    kind = tags.get("k", "rsa")
    try:
        key = base64.b64decode("".join(tags["p"].split()), validate=True)
    except binascii.Error:
        return "the key is not base64"
    if kind == "ed25519":
        return "" if len(key) == 32 else f"an ed25519 key of {len(key)} bytes"
    return _rsa_problem(key) if kind == "rsa" else f"the key is of the unknown kind {kind!r}"


def _rsa_problem(der: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return "the key can't be read"
    if not isinstance(key, RSAPublicKey):
        return "the key is no RSA key"
    return "" if key.key_size >= FEWEST_BITS else f"the key has {key.key_size} bits instead of {FEWEST_BITS}"


@dataclass(frozen=True)
class Dmarc:
    """What receivers are asked to do with mail that proves nothing.

    Attributes:
        problem: Why there is no policy; empty if there is one.
        policy: ``none``, ``quarantine`` or ``reject``, with a note where it is only tried out.
        name: Where the record was found.
    """

    problem: str = ""
    policy: str = ""
    name: str = ""


def dmarc(domain: str, texts: Texts) -> Dmarc:
    """The policy for a domain: its own record, or that of the nearest domain above which has one."""
    labels = domain.split(".")
    for above in range(len(labels) - 1):
        place = ".".join(["_dmarc", *labels[above:]])
        records = [text for text in texts(place) if text.startswith("v=DMARC1")]
        if records:
            return _policy(place, records, inherited=above > 0)
    return Dmarc(f"_dmarc.{domain} has no DMARC record")


def _policy(place: str, records: Sequence[str], *, inherited: bool) -> Dmarc:
    if len(records) > 1:
        return Dmarc(f"{place} has {len(records)} DMARC records, which counts as none")
    tags = _tags(records[0])
    policy = (tags.get("sp") if inherited else None) or tags.get("p")
    if policy is None:
        return Dmarc(f"{place} states no policy (p=)")
    if policy.lower() not in ("none", "quarantine", "reject"):
        return Dmarc(f"{place} states the unknown policy {policy!r}")
    tried = ", only tried out (t=y)" if tags.get("t", "n").lower() == "y" else ""
    return Dmarc("", f"p={policy.lower()}{tried}", place)


def _tags(record: str) -> dict[str, str]:
    """A record's tags; of two with one name, the first."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, separator, value = part.partition("=")
        if separator:
            found.setdefault(name.strip(), value.strip())
    return found
