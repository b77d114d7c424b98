"""Masks every known secret value in whatever is about to be written.

A value is masked raw and in the forms it takes on its way through other programs: URL-encoded, JSON-escaped, in
hexadecimal, and in base64 at each of the three alignments it can have inside a longer text.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret

SHORTEST = 8
"""Characters. Masking shorter values would shred every log, so a shorter secret is refused."""


class Redactor:
    """Knows secret values and removes them from text, from streams of chunks and from JSON-like data."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: Secret) -> None:
        """Mask these from now on.

        Raises:
            InputError: a value is shorter than 8 characters; none of the values was added.
        """
        for secret in secrets:
            if len(secret.reveal()) < SHORTEST:
                raise InputError(
                    f"secret {secret.name} is shorter than {SHORTEST} characters, so it can't be masked",
                    where=secret.name,
                    mend="use a longer value",
                )
        for secret in secrets:
            for form in forms(secret.reveal()):
                self._names.setdefault(form, secret.name)
        self._pattern = None

    def text(self, text: str) -> str:
        """The text with each known value replaced by ``[NAME]``."""
        pattern = self._compiled()
        return pattern.sub(lambda match: f"[{self._names[match[0]]}]", text) if pattern else text

    def data(self, value: Any) -> Any:
        """The same for a JSON-like value: strings and keys at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value

    def stream(self, chunks: Iterable[str]) -> Iterator[str]:
        """The same for text that arrives in pieces: a value across a border is masked too.

        Holds back as many characters as the longest known form, less one, until more arrives.
        """
        held = ""
        for chunk in chunks:
            held += chunk
            safe = self._safe_length(held)
            if safe:
                yield self.text(held[:safe])
                held = held[safe:]
        if held:
            yield self.text(held)

    def _safe_length(self, held: str) -> int:
        longest = max(map(len, self._names), default=1)
        cut = len(held) - (longest - 1)
        pattern = self._compiled()
        if cut <= 0 or pattern is None:
            return max(cut, 0)
        for match in pattern.finditer(held):
            if match.start() < cut < match.end():
                return match.start()
        return cut

    def _compiled(self) -> re.Pattern[str] | None:
        if self._pattern is None and self._names:
            longest_first = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern


def forms(value: str) -> set[str]:
    """Every written form of a value that is looked for."""
    raw = value.encode()
    quoted = urllib.parse.quote(value, safe="")
    found = {
        value,
        quoted,
        re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted),
        urllib.parse.quote(value),
        urllib.parse.quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        raw.hex(),
        *_base64_forms(raw),
        *(line for line in value.splitlines() if len(line.strip()) >= SHORTEST),
    }
    return {form for form in found if len(form) >= SHORTEST}


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The characters of base64 text that depend on this value alone, for each of its three alignments."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        first = -(-offset * 8 // 6)
        whole = (offset + len(raw)) * 8 // 6
        inner = encoded[first:whole]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
