"""The keys that sign tokens and encrypt users' API keys."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from typing import Any

from runbooks.checks.declare import check
from runbooks.checks.peers import compared
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason
from runbooks.systems.secrets import fernet

JWT = "JWT_SECRET_KEY"
ENCRYPTION = "ENCRYPTION_KEY"
DEFAULT_JWT = "CHANGE_ME_IN_PRODUCTION_USE_RANDOM_STRING"
NEW_JWT = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
SHORTEST_JWT = 32
FEWEST_BITS = 128
LONGEST_ESTIMATED = 72
"""Characters; zxcvbn's own limit. More can only add to the estimate."""


@check(
    "secrets.jwt-key-strong",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def jwt_key_strong(subject: Subject) -> Finding:
    expected = f"{JWT} has at least {SHORTEST_JWT} characters and {FEWEST_BITS} bits of entropy"
    key = subject.variables.get(JWT)
    if not key:
        return failed(expected, f"{JWT} is not set", f"set it to the output of: {NEW_JWT}")
    length, bits = len(key.reveal()), entropy_bits(key.reveal())
    found = f"{JWT} has {length} characters, about {bits:.0f} bits"
    if length < SHORTEST_JWT or bits < FEWEST_BITS:
        return failed(expected, found, f"set it to the output of: {NEW_JWT}; everybody is logged out")
    return passed(expected, found)


@check(
    "secrets.jwt-key-not-default",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="source",
)
def jwt_key_not_default(subject: Subject) -> Finding:
    expected = f"{JWT} is neither the default nor any text in the release's source"
    key = subject.variables.get(JWT)
    if not key or key.reveal() == DEFAULT_JWT:
        found = f"{JWT} is {'the default that the source publishes' if key else 'not set, so the default is in use'}"
        return failed(expected, found, f"set it to the output of: {NEW_JWT}")
    place = subject.site.source.find(key.reveal())
    if place:
        return failed(expected, f"{JWT} stands in {place}", f"set it to the output of: {NEW_JWT}")
    return passed(expected, f"{JWT} is not the default and stands in no file of the checkout")


@check(
    "secrets.jwt-key-differs",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def jwt_key_differs(subject: Subject) -> Finding:
    return _differs(subject, JWT)


@check(
    "secrets.encryption-key-valid",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def encryption_key_valid(subject: Subject) -> Finding:
    expected = f"{ENCRYPTION} is exactly one Fernet key: 32 bytes, URL-safe base64"
    if not subject.site.flag("BYOK_ENABLED", default=True):
        return skipped(expected, "BYOK_ENABLED is false: no user's key is stored")
    key = subject.variables.get(ENCRYPTION)
    mend = f"a new installation: {fernet.NEW_KEY}; an old one: the key that its rows were encrypted with"
    if not key:
        return failed(expected, f"{ENCRYPTION} is not set", mend)
    problem = fernet.problem(key.reveal())
    return failed(expected, f"{ENCRYPTION} {problem}", mend) if problem else passed(expected, f"{ENCRYPTION} is one")


@check(
    "secrets.encryption-key-differs",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def encryption_key_differs(subject: Subject) -> Finding:
    return _differs(subject, ENCRYPTION)


def entropy_bits(value: str) -> float:
    """A lower estimate of a value's entropy in bits.

    Stretches that zxcvbn recognises (words, sequences, repeats, dates) count as few bits as it takes to guess them, the
    rest as if drawn from the classes of characters that occur.
    """
    from zxcvbn import zxcvbn  # its word lists take a while to load

    if not value:
        return 0.0
    pool = sum(len(group) for group in _classes(value))
    matches = zxcvbn(value[:LONGEST_ESTIMATED])["sequence"]
    return sum(_bits(dict(match), pool) for match in matches)


def _bits(match: Mapping[str, Any], pool: int) -> float:
    if match["pattern"] == "bruteforce":
        return len(match["token"]) * math.log2(pool)
    return math.log2(float(match["guesses"]))


def _classes(value: str) -> list[str]:
    if all(character in string.hexdigits for character in value):
        return ["0123456789abcdef"]
    groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    found = [group for group in groups if any(character in group for character in value)]
    others = {character for character in value if not any(character in group for group in groups)}
    return [*found, "".join(others)] if others else found


def _differs(subject: Subject, name: str) -> Finding:
    """Whether each other environment has another value, told by keyed hashes: no value is compared in clear."""
    peers = subject.environment.fingerprints.peers or ()
    expected = f"{name} differs from that of {', '.join(peers) or 'every other environment'}"
    if not peers:
        return skipped(expected, "the inventory holds no other environment")
    own = subject.variables.get(name)
    if not own:
        return failed(expected, f"{name} is not set", "set a value of its own in each environment")
    found = compared(subject, name, own)
    if found.same:
        mend = "give each environment a key of its own"
        return failed(expected, f"{name} is the same in {', '.join(found.same)}", mend)
    if found.unset:
        mend = "set it there, or leave the environment out of fingerprints.peers"
        return unknown(expected, f"{name} is not set in {', '.join(found.unset)}", mend, Reason.FAILED)
    return passed(expected, f"keyed fingerprints differ from {', '.join(peers)}")
