"""Users' own API keys ("bring your own key"): kept secret, encrypted, and really deleted."""

from __future__ import annotations

from typing import LiteralString

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason
from runbooks.systems.http.client import Answer

KEYS = "/api/v1/api-keys/"
PROVIDER = "openai"
ROWS: LiteralString = "SELECT encrypted_api_key FROM user_api_config WHERE user_id = %s"
OFF = "BYOK_ENABLED is false"


@check(
    "byok.save",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.login",),
)
def save(subject: Subject) -> Finding:
    expected = "a saved key is accepted (201), listed, and never returned in clear"
    if not subject.site.flag("BYOK_ENABLED", default=True):
        return skipped(expected, OFF)
    key = subject.journey.own_key
    saved = subject.journey.ask("POST", KEYS, json={"provider": PROVIDER, "api_key": key.reveal()})
    if saved.status != 201:
        return failed(expected, f"saving: HTTP {saved.status}", "see the application's log")
    listed = subject.journey.ask("GET", KEYS)
    tested = subject.journey.ask("GET", f"{KEYS}{PROVIDER}/test")
    shown = [_request(answer) for answer in (saved, listed, tested) if key.reveal().encode() in answer.body]
    if shown:
        return failed(
            expected, f"the key is returned in clear by {', '.join(shown)}", "take the release out of service"
        )
    if not _lists(listed):
        return failed(expected, "the saved key is not listed", "see the application's log")
    if tested.status != 200:
        found = f"{_request(tested)} is HTTP {tested.status}: the application can't decrypt what it just saved"
        return failed(expected, found, "see ENCRYPTION_KEY, and restart the application")
    return passed(expected, "saved, listed, shown only masked")


@check(
    "byok.encrypted-at-rest",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="postgres",
    depends_on=("byok.save",),
)
def encrypted_at_rest(subject: Subject) -> Finding:
    expected = "the row in user_api_config does not contain the key, and ENCRYPTION_KEY decrypts it to the key"
    if not subject.site.flag("BYOK_ENABLED", default=True):
        return skipped(expected, OFF)
    rows = subject.site.database.rows(ROWS, [subject.journey.account()["id"]])
    if len(rows) != 1:
        return failed(expected, f"user_api_config holds {len(rows)} rows of the user", "see the application's log")
    stored, key = str(rows[0]["encrypted_api_key"]), subject.journey.own_key.reveal()
    if key in stored:
        return failed(expected, "the key is stored in clear", "take the release out of service; rotate users' keys")
    encryption_key = subject.variables.get("ENCRYPTION_KEY")
    if not encryption_key:
        return unknown(expected, "ENCRYPTION_KEY is not known here", "see [variables] in the inventory", Reason.FAILED)
    if _decrypted(stored, encryption_key.reveal()) != key:
        return failed(expected, "ENCRYPTION_KEY does not decrypt the row to the key", "see whether the key was changed")
    return passed(expected, "stored as a Fernet token that ENCRYPTION_KEY opens")


@check(
    "byok.delete",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    depends_on=("byok.save",),
    after=("byok.encrypted-at-rest", "byok.used"),
)
def delete(subject: Subject) -> Finding:
    expected = "a deleted key is gone from the list and from the database"
    if not subject.site.flag("BYOK_ENABLED", default=True):
        return skipped(expected, OFF)
    deleted = subject.journey.ask("DELETE", f"{KEYS}{PROVIDER}")
    if deleted.status != 204:
        return failed(expected, f"deleting: HTTP {deleted.status}", "see the application's log")
    if _lists(subject.journey.ask("GET", KEYS)):
        return failed(expected, "the key is still listed", "see the application's log")
    rows = subject.site.database.rows(ROWS, [subject.journey.account()["id"]])
    if rows:
        return failed(
            expected,
            "the row is still in user_api_config",
            "the release deletes softly: erase the row by hand",
        )
    return passed(expected, "204, not listed, no row")


def _lists(listed: Answer) -> bool:
    entries = listed.json()
    return isinstance(entries, list) and any(
        isinstance(entry, dict) and entry.get("provider") == PROVIDER and entry.get("configured", True)
        for entry in entries
    )


def _decrypted(token: str, key: str) -> str | None:
    from cryptography.fernet import Fernet, InvalidToken  # 50 ms that other runs need not pay

    try:
        return Fernet(key).decrypt(token.encode()).decode()
    except (InvalidToken, ValueError):
        return None


def _request(answer: Answer) -> str:
    return f"{answer.method} {answer.url.partition('/api/')[2]}"
