"""Finds API keys in text by Kingfisher: in process, offline, redacted.

MongoDB's scanner has rules for the providers that PRAVIEL uses (OpenAI, Anthropic, Google, Resend, SendGrid …), and
wheels for x86_64 and arm64. The usual Python one, detect-secrets, has had no release since 2024, knows no Anthropic
key, and takes 250 times as long; gitleaks and trufflehog are programs that no wheel for both architectures brings.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import Reason, SystemFault


@dataclass(frozen=True, slots=True)
class Sight:
    """Something in a file that looks like a key: which rule says so, and its line (from 1)."""

    rule: str
    line: int


class KeyScanner:
    """Kingfisher with its own rules; none of them is asked of a provider.

    What a content came to is kept, by a hash of its path and bytes: a release and its history hardly change from run
    to run, and loading the rules alone takes a second of processor time. Close it to keep what was learnt.

    Args:
        cache: A folder for the compiled rules and for what contents came to; it may be deleted at any time.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._results = cache / f"contents-{version('kingfisher-secret-scanner')}.json"
        self._known = _read(self._results)
        self._learnt = False

    def find(self, path: str, content: bytes) -> list[Sight]:
        """What looks like a key in the content of a file of this name.

        Raises:
            SystemFault: it takes more than 10 seconds.
        """
        digest = hashlib.sha256(path.encode(errors="surrogateescape") + b"\0" + content).hexdigest()
        if digest not in self._known:
            self._known[digest] = [(sight.rule, sight.line) for sight in self._scan(path, content)]
            self._learnt = True
        return [Sight(rule, line) for rule, line in self._known[digest]]

    def close(self) -> None:
        """Keep what was learnt for the next run."""
        if self._learnt:
            write_atomically(self._results, json.dumps(self._known).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @cached_property
    def _scanner(self) -> Any:
        from kingfisher_sdk import Rules, Scanner

        self._cache.mkdir(parents=True, exist_ok=True)
        return Scanner(Rules(cache_dir=str(self._cache)), redact=True)

    def _scan(self, path: str, content: bytes) -> list[Sight]:
        from kingfisher_sdk import ScanInput

        try:
            findings = self._scanner.scan_input(ScanInput(path=path, data=content), timeout=10)
        except TimeoutError as error:
            raise SystemFault("looking for keys hangs", reason=Reason.TIMED_OUT, where=path) from error
        return [Sight(each.rule_id, int(each.location["line"])) for each in findings if each.visible]


def _read(file: Path) -> dict[str, list[tuple[str, int]]]:
    """What earlier runs learnt; nothing if it can't be read."""
    try:
        kept = json.loads(file.read_bytes())
        return {digest: [(str(rule), int(line)) for rule, line in sights] for digest, sights in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
