"""Copies of the variables, and a vault of secrets, that are of no use on the day."""

from __future__ import annotations

from runbooks.sandbox.faults import copies, vaulted
from runbooks.sandbox.faults.fault import Fault

FAULTS = (
    Fault(
        name="variables-copy-with-another-key",
        breaks="secrets.encryption-key-recoverable",
        shows="its ENCRYPTION_KEY does not open",
        also=("recovery.variables-backed-up",),
        means=copies.copied_with(copies.another_encryption_key),
    ),
    Fault(
        name="variables-copy-stale",
        breaks="recovery.variables-backed-up",
        shows="since then added: PROJECT_NAME",
        means=copies.not_copied(),
    ),
    Fault(
        name="variables-copy-gone",
        breaks="recovery.variables-backed-up",
        shows="there is no copy of the variables",
        also=("secrets.encryption-key-recoverable",),
        means=copies.copies_gone(),
    ),
    Fault(
        name="variables-copy-cut",
        breaks="recovery.variables-backed-up",
        shows="a copy of variables is damaged",
        also=("secrets.encryption-key-recoverable",),
        means=copies.copy_cut(),
    ),
    Fault(
        name="vault-has-another-value",
        breaks="recovery.secrets-in-vault",
        shows="it has other values of JWT_SECRET_KEY",
        means=vaulted.holds("JWT_SECRET_KEY", "the one before the last rotation"),
    ),
    Fault(
        name="vault-lacks-a-secret",
        breaks="recovery.secrets-in-vault",
        shows="it lacks RESEND_API_KEY",
        means=vaulted.holds("RESEND_API_KEY", ""),
    ),
    Fault(
        name="vault-gone",
        breaks="recovery.secrets-in-vault",
        shows="the secrets command failed",
        verdict="unknown",
        means=vaulted.gone(),
    ),
)
