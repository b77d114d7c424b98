"""What should not stand in the source or its history."""

from __future__ import annotations

from runbooks.sandbox.faults.commits import committed, encoded, stray_key, variable_line
from runbooks.sandbox.faults.fault import Fault

FAULTS = (
    Fault(
        name="jwt-key-committed",
        breaks="secrets.jwt-key-not-in-code",
        shows="JWT_SECRET_KEY stands in production.env:2 in commit ",
        means=committed("production.env", variable_line("JWT_SECRET_KEY")),
    ),
    Fault(
        name="encryption-key-on-a-branch",
        breaks="secrets.jwt-key-not-in-code",
        shows="ENCRYPTION_KEY stands in secret.yaml:3 in commit ",
        also=("api-keys.not-in-code",),
        means=committed("secret.yaml", encoded("ENCRYPTION_KEY"), branch="try-a-cluster"),
    ),
    Fault(
        name="api-key-committed",
        breaks="api-keys.not-in-code",
        shows="the value of OPENAI_API_KEY in notes.txt:2 in commit ",
        means=committed("notes.txt", variable_line("OPENAI_API_KEY")),
    ),
    Fault(
        name="stray-api-key-on-a-branch",
        breaks="api-keys.not-in-code",
        shows="what looks like a key (betterleaks.anthropic-api-key) in try.py:3 in commit ",
        means=committed("try.py", stray_key, branch="try-a-model"),
    ),
)
