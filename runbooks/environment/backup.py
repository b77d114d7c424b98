"""What an environment declares of its snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from runbooks.environment.problem import Problem
from runbooks.environment.value import Value
from runbooks.systems.snapshots.retention import Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """How the database is copied into the store, and restored from there.

    Attributes:
        database_url: A role that may read everything and create databases; None: the one of ``database.url``.
        bin: The folder of pg_dump and pg_restore of the server's major version; None: where they usually are.
        jobs: How many tables are dumped, fingerprinted and restored at the same time.
        compression: As pg_dump's option ``--compress``; None: fast zstd, or fast gzip before PostgreSQL 16.
        restore_memory_mb: The memory that one index may be built in during a restore, in MiB.
        work: A folder with room for a compressed dump; after loading absolute.
        recipients: Public age keys to which snapshots and copies of variables are encrypted; none: snapshots are not,
            and variables are not copied.
        identity: The private age key that reads them.
        rto_minutes: How long restoring may take, in minutes; None: no target.
        rpo_hours: How old the newest snapshot may be, in hours; None: no target.
        keep: What `backup.prune` leaves; None: every snapshot.
        login: The address or name of a user whom a drill finds in the restored database; None: nobody's login is tried.
        login_password: That user's password.
    """

    database_url: Value | None = None
    bin: Value | None = None
    jobs: int = 2
    compression: str | None = None
    restore_memory_mb: int = 256
    work: Path | None = None
    recipients: tuple[Value, ...] = ()
    identity: Value | None = None
    rto_minutes: int | None = None
    rpo_hours: int | None = None
    keep: Keep | None = None
    login: str | None = None
    login_password: Value | None = None


def problems(backup: Backup) -> Iterator[Problem]:
    """What no environment can have."""
    for key, least in (("jobs", 1), ("restore_memory_mb", 16), ("rto_minutes", 1), ("rpo_hours", 1)):
        number = getattr(backup, key)
        if number is not None and number < least:
            yield Problem(("backup", key), f"'backup.{key}' must be at least {least}", found=f"the number {number}")
    if backup.keep is not None:
        yield from _keep_problems(backup.keep)
    for key in ("identity", "database_url", "login_password"):
        if isinstance(getattr(backup, key), str):
            mend = f'move it to the [secrets] source and write {{ secret = "{key.upper()}" }} here'
            yield Problem(("backup", key), f"'backup.{key}' is a secret; secrets are only named here", mend=mend)
    yield from _login_problems(backup)
    for number, recipient in enumerate(backup.recipients):
        if not isinstance(recipient, str):
            continue
        if recipient.startswith("AGE-SECRET-KEY-"):
            yield Problem(
                ("backup", "recipients", number),
                "'backup.recipients' holds a private key; who has it can read every snapshot",
                mend="write its public key (age-keygen -y), and make a new pair if the file was shared",
            )
        elif not recipient.startswith(("age1", "ssh-ed25519 ", "ssh-rsa ")):
            yield Problem(
                ("backup", "recipients", number),
                "'backup.recipients' must be a list of public keys that begin with age1, ssh-ed25519 or ssh-rsa",
                found="another beginning",
            )


def _keep_problems(keep: Keep) -> Iterator[Problem]:
    counts = {field.name: getattr(keep, field.name) for field in fields(keep)}
    for name, count in counts.items():
        if count < 0:
            yield Problem(
                ("backup", "keep", name), f"'backup.keep.{name}' must be at least 0", found=f"the number {count}"
            )
    if not any(counts.values()):
        mend = f"write how many: {', '.join(counts)}; or remove the table, which keeps every snapshot"
        yield Problem(("backup", "keep"), "'backup.keep' keeps nothing", mend=mend)


def _login_problems(backup: Backup) -> Iterator[Problem]:
    if (backup.login is None) != (backup.login_password is None):
        missing = "login" if backup.login is None else "login_password"
        yield Problem(
            ("backup",), f"'backup.{missing}' is missing: the two belong together", mend=f"add backup.{missing}"
        )
