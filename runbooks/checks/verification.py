"""Gates over what this run has already asked."""

from __future__ import annotations

from runbooks.checks.gate import gate
from runbooks.engine.check import Phase, Severity

_ACCOUNTS = (
    "accounts.register",
    "accounts.login",
    "accounts.refresh",
    "accounts.protected-with-token",
    "accounts.protected-without-token",
)
_BYOK = ("byok.save", "byok.encrypted-at-rest", "byok.delete")

smoke = gate(
    "verification.smoke",
    over=_ACCOUNTS + _BYOK,
    numbers=range(64, 86),
    severity=Severity.CRITICAL,
    phase=Phase.AFTER,
)

authentication = gate(
    "verification.authentication",
    over=_ACCOUNTS,
    numbers=range(64, 71),
    severity=Severity.CRITICAL,
    phase=Phase.AFTER,
)
