"""Finds API keys in text by Kingfisher: in process, offline, redacted.

MongoDB's scanner has rules for the providers that PRAVIEL uses (OpenAI, Anthropic, Google, Resend, SendGrid …), and
wheels for x86_64 and arm64. The usual Python one, detect-secrets, has had no release since 2024, knows no Anthropic
key, and takes 250 times as long; gitleaks and trufflehog are programs that no wheel for both architectures brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault


@dataclass(frozen=True, slots=True)
class Sight:
    """Something in a file that looks like a key: which rule says so, and its line (from 1)."""

    rule: str
    line: int


class KeyScanner:
    """Kingfisher with its own rules; none of them is asked of a provider.

    Args:
        cache: A folder for the compiled rules: without one, each start costs three seconds.
    """

    def __init__(self, cache: Path) -> None:
        from kingfisher_sdk import Rules, Scanner

        cache.parent.mkdir(parents=True, exist_ok=True)
        self._scanner = Scanner(Rules(cache_dir=str(cache)), redact=True)

    def find(self, path: str, content: bytes) -> list[Sight]:
        """What looks like a key in the content of a file of this name.

        Raises:
            SystemFault: it takes more than 10 seconds.
        """
        from kingfisher_sdk import ScanInput

        try:
            findings = self._scanner.scan_input(ScanInput(path=path, data=content), timeout=10)
        except TimeoutError as error:
            raise SystemFault("looking for keys hangs", reason=Reason.TIMED_OUT, where=path) from error
        return [Sight(each.rule_id, int(each.location["line"])) for each in findings if each.visible]
