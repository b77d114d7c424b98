"""Asks squawk what a revision's SQL does, and sorts revisions by what that means for the release before.

squawk (https://squawkhq.com, on PyPI as ``squawk-cli``) parses PostgreSQL's SQL and knows what a statement locks,
rewrites or breaks. Its rules are sorted here; one that is not known yet counts as the worst. What it has no rule for,
statements that change rows, is seen in its own syntax tree. A revision whose statements can't be told
ahead is the worst.
"""

from __future__ import annotations

import enum
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.systems.lint.revisions import Revision

SECONDS = 30


class Effect(enum.StrEnum):
    """What a revision does to the release before it, mildest first."""

    ADDITIVE = "additive"
    """The release before runs on over the new schema."""
    REWRITING = "rewriting"
    """It changes rows or rewrites a table: going back needs the snapshot, and a large table is locked meanwhile."""
    CONTRACTING = "contracting"
    """It takes away, renames or requires something, so the release before breaks over the new schema."""


_HARMLESS = frozenset(
    {
        # How long a lock may be waited for is set by the deploy itself, for every statement.
        "require-lock-timeout",
        "require-statement-timeout",
        "require-timeout-settings",
        # Taste: they break nobody.
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        "prefer-text-field",
        "prefer-timestamp-tz",
        "prefer-robust-stmts",
        "prefer-repack",
        "ban-char-field",
        "identifier-too-long",
        "require-enum-value-ordering",
        "require-table-schema",
        # It locks a table while it works, and leaves it as it was.
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "require-concurrent-partition-attach",
        "require-concurrent-partition-detach",
        "require-concurrent-refresh-materialized-view",
        "require-concurrent-reindex",
        "ban-concurrent-index-creation-in-transaction",
        "transaction-nesting",
        "ban-uncommitted-transaction",
        "ban-alter-domain-with-add-constraint",
        "ban-drop-not-null",
    }
)
_REWRITES = frozenset({"adding-field-with-default", "adding-serial-primary-key-field"})
_JUDGED_BY_RULES = frozenset(
    {
        "CREATE_TABLE",
        "CREATE_INDEX",
        "CREATE_SEQUENCE",
        "CREATE_TYPE",
        "CREATE_VIEW",
        "CREATE_EXTENSION",
        "CREATE_SCHEMA",
    }
    | {"ALTER_TABLE", "ALTER_TYPE", "ALTER_INDEX", "ALTER_SEQUENCE", "DROP_INDEX", "COMMENT_ON", "SET", "GRANT"}
    | {"INSERT", "EMPTY_STMT"}
)
"""Statements that break nobody unless a rule says so."""

_CHANGES_ROWS = frozenset(
    {"UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY", "DO", "CALL", "SELECT", "SELECT_INTO", "VALUES"}
)
"""Those that change rows, or may."""


@dataclass(frozen=True)
class Finding:
    """What squawk says of a statement, and which rule says so. ``line`` counts from 1 in the revision's SQL."""

    rule: str
    line: int
    message: str


@dataclass(frozen=True)
class Linted:
    """A revision, and what it does."""

    revision: str
    effect: Effect
    findings: Sequence[Finding]
    statements: Sequence[str]

    @property
    def telling(self) -> Sequence[Finding]:
        """The findings that make it what it is."""
        return [finding for finding in self.findings if _of_rule(finding.rule) is not Effect.ADDITIVE]

    def __str__(self) -> str:
        rules = sorted({finding.rule for finding in self.telling})
        why = rules or [each for each in dict.fromkeys(self.statements) if _of_statement(each) is not Effect.ADDITIVE]
        return f"{self.revision}: {self.effect}" + (f" ({', '.join(why)})" if why else "")


def lint(revision: Revision, *, major: int) -> Linted:
    """What a revision does, on a server of this major version.

    Raises:
        InputError: squawk is not installed.
        SystemFault: it did not end in time, or its answer can't be read, or it can't parse the SQL.
    """
    if revision.problem:
        untold = Finding("can't be told ahead", 0, revision.problem)
        return Linted(revision.id, Effect.CONTRACTING, [untold], [])
    findings = [_finding(each, revision) for each in _json(revision, "--reporter", "json", major=major)]
    tree = _json(revision, "--debug", "ast", major=major) if revision.sql else {"stmts": []}
    statements = [str(each.get("type", "")).upper() for each in tree["stmts"]]
    effects = [*(_of_rule(each.rule) for each in findings), *(_of_statement(each) for each in statements)]
    worst = max(effects, key=list(Effect).index, default=Effect.ADDITIVE)
    return Linted(revision.id, worst, findings, statements)


def _of_rule(rule: str) -> Effect:
    if rule in _HARMLESS:
        return Effect.ADDITIVE
    return Effect.REWRITING if rule in _REWRITES else Effect.CONTRACTING


def _of_statement(kind: str) -> Effect:
    if kind in _JUDGED_BY_RULES:
        return Effect.ADDITIVE
    return Effect.REWRITING if kind in _CHANGES_ROWS else Effect.CONTRACTING


def _finding(data: Any, revision: Revision) -> Finding:
    if data["rule_name"] == "syntax-error":
        raise SystemFault(
            "a revision's SQL can't be parsed, so nobody knows what it does",
            reason=Reason.BAD_ANSWER,
            where=f"revision {revision.id}, line {data['line'] + 1}",
            found=data["message"],
            mend="read it with: alembic upgrade --sql",
        )
    return Finding(data["rule_name"], data["line"] + 1, data["message"])


def _json(revision: Revision, *options: str, major: int) -> Any:
    argv = [
        program(),
        "--no-error-on-unmatched-pattern",
        *options,
        "--assume-in-transaction",
        f"--pg-version={major}.0",
    ]
    try:
        done = subprocess.run(
            argv, input=revision.sql + "\n", capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise _fault(revision, Reason.TIMED_OUT, f"no answer within {SECONDS} s") from error
    except ValueError as error:
        raise _fault(revision, Reason.BAD_ANSWER, (done.stderr or done.stdout).strip()[-300:]) from error


def program() -> str:
    """Where squawk is: beside this interpreter, or on the PATH.

    Raises:
        InputError: nowhere.
    """
    beside = Path(sys.executable).parent / "squawk"
    found = str(beside) if beside.exists() else shutil.which("squawk")
    if not found:
        raise InputError(
            "squawk, which lints migrations, is not installed", mend="pip install -c constraints.txt squawk-cli"
        )
    return found


def _fault(revision: Revision, reason: Reason, found: str) -> SystemFault:
    return SystemFault("squawk did not lint a revision", reason=reason, where=f"revision {revision.id}", found=found)
