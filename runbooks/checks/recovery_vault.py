"""Secrets outlive the platform that they are set in: a vault has them, and the same ones."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, nothing_to_ask, passed, skipped
from runbooks.environment.sensitive import secret_names
from runbooks.environment.vault import values_in_vault, vault_of


@check(
    "recovery.secrets-in-vault",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    target="vault",
    attestable=True,
)
def secrets_in_vault(subject: Subject) -> Finding:
    expected = "every secret variable is in the declared vault, with the value that runs"
    names = secret_names(subject.variables)
    if not names:
        return skipped(expected, "no variable is a secret")
    vault = vault_of(subject.site)
    if vault is None:
        declare = 'declare [vault] (source = "command" reads any vault), or attest that a password manager has them'
        return nothing_to_ask(expected, f"the inventory declares no vault for {len(names)} secret variables", declare)
    held = values_in_vault(subject.site, names)
    absent = [name for name in names if name not in held]
    other = [name for name in names if name in held and held[name] != subject.variables[name]]
    wrong = "; ".join(_wrong(absent, other))
    if wrong:
        return failed(expected, f"{vault}: {wrong}", "put the values that run there, or deploy those that are there")
    return passed(expected, f"{vault} holds all {len(names)} with the values that run")


def _wrong(absent: list[str], other: list[str]) -> Iterator[str]:
    if absent:
        yield f"it lacks {', '.join(absent)}"
    if other:
        yield f"it has other values of {', '.join(other)}"
