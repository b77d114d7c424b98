"""The stand-in's files: what it accepts, how it behaves, what it saw."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Behaviour:
    """How one vendor answers for now.

    Args:
        status: Answer every request with this status and the vendor's own error body.
        code: The code in that error body, in place of the usual one.
        delay: Seconds to wait before any answer.
        text: Text of the language model's next answers, in place of a sensible one.
        headers: Headers that replace the usual ones, such as rate limits or ``retry-after``.
        lose_mails: Accept mails and deliver none.
        empty_audio: Answer speech with a file that holds no sound.
    """

    status: int | None = None
    delay: float = 0.0
    text: str | None = None
    headers: Mapping[str, str] | None = None
    code: str | None = None
    lose_mails: bool = False
    empty_audio: bool = False


class State:
    """One state folder. Nothing is cached: an edit counts from the next request on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def account(self, vendor: str) -> dict[str, Any]:
        """The vendor's part of ``accounts.json``; empty when there is none."""
        found: dict[str, Any] = self._read("accounts.json").get(vendor, {})
        return found

    def set_account(self, vendor: str, account: Mapping[str, Any]) -> None:
        """Change the vendor's part of ``accounts.json``."""
        changed = {**self._read("accounts.json"), vendor: account}
        draft = self.folder / "accounts.json.new"
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8"
        ) as file:
            file.write(json.dumps(changed, indent=1) + "\n")
        draft.replace(self.folder / "accounts.json")

    def add_key(self, vendor: str, key: str, entry: Mapping[str, Any]) -> None:
        """One that the vendor made by its API; it is kept when the sandbox writes its own anew."""
        account = self.account(vendor)
        self.set_account(vendor, {**account, "keys": {**account.get("keys", {}), key: {**entry, "made": True}}})

    def delete_keys(self, vendor: str, gone: Collection[str]) -> None:
        """Have these refused, also after the sandbox was set up anew."""
        account = self.account(vendor)
        kept = {key: each for key, each in account.get("keys", {}).items() if key not in gone}
        self.set_account(vendor, {**account, "keys": kept, "deleted": [*account.get("deleted", []), *sorted(gone)]})

    def behaviour(self, vendor: str) -> Behaviour:
        return Behaviour(**self._read("behaviour.json").get(vendor, {}))

    def note_mail(self, mail: dict[str, Any]) -> None:
        self._append("mails.jsonl", mail)

    def mails(self) -> list[dict[str, Any]]:
        path = self.folder / "mails.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def note_request(self, method: str, path: str, headers: dict[str, str], body: str) -> None:
        seen = {"at": datetime.now(UTC).isoformat(), "method": method, "path": path}
        self._append("requests.jsonl", {**seen, "headers": headers, "body": body})

    def requests(self, since: str) -> list[dict[str, Any]]:
        """What was asked since then (ISO 8601, UTC)."""
        path = self.folder / "requests.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["at"] >= since]

    def _read(self, name: str) -> dict[str, Any]:
        try:
            parsed: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return parsed

    def _append(self, name: str, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self.folder / name, flags, OWNER_ONLY)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line)
