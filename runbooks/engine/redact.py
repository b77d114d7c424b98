"""Masks every known secret value in whatever is about to be written.

A value is masked raw and in the forms it takes on its way through other programs: URL-encoded, JSON-escaped, in
hexadecimal, and in base64 at each of the three alignments it can have inside a longer text.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.invisible import visible
from runbooks.engine.secret import Secret

SHORTEST = 8
"""Characters. Masking shorter values would shred every log, so a shorter secret is refused."""


@dataclass(frozen=True)
class _Known:
    """The forms looked for, as they were when somebody asked."""

    names: Mapping[str, str]
    pattern: re.Pattern[str]
    longest: int


class Redactor:
    """Knows secret values and removes them from text, from streams of chunks and from JSON-like data."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._names: dict[str, str] = {}
        self._known: _Known | None = None
        self._changing = threading.Lock()
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
        with self._changing:
            for secret in secrets:
                for form in forms(secret.reveal()):
                    self._names.setdefault(form, secret.name)
            self._known = None

    def text(self, text: str) -> str:
        """The text with each known value replaced by ``[NAME]``; values that overlap become one.

        A value with colours or control characters in it would be whole again where they are left out, so that text is
        given without any.
        """
        clean = self._masked(text)
        shown = visible(clean)
        return self._masked(shown) if shown != clean and next(self._spans(shown), None) else clean

    def _masked(self, text: str) -> str:
        clean, end = [], 0
        for start, stop, name in self._spans(text):
            clean += [text[end:start], f"[{name}]"]
            end = stop
        return "".join(clean) + text[end:] if end else text

    def data(self, value: Any) -> Any:
        """The same for a JSON-like value: strings, numbers and keys at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        if isinstance(value, int | float) and (masked := self.text(str(value))) != str(value):
            return masked
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
        known = self._compiled()
        cut = len(held) - (known.longest - 1 if known else 0)
        for start, stop, _ in self._spans(held):
            if start < cut < stop:
                return start
        return max(cut, 0)

    def _spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where known values stand, in order, and the name of the first in each place."""
        known = self._compiled()
        if known is None:
            return
        span: tuple[int, int, str] | None = None
        for match in known.pattern.finditer(text):
            start, stop = match.span(1)
            if span and start < span[1]:
                span = (span[0], max(span[1], stop), span[2])
                continue
            if span:
                yield span
            span = (start, stop, known.names[match[1]])
        if span:
            yield span

    def _compiled(self) -> _Known | None:
        with self._changing:
            if self._known is None and self._names:
                longest_first = sorted(self._names, key=len, reverse=True)
                # Looking ahead finds a value also where it begins inside another.
                pattern = re.compile(f"(?=({'|'.join(map(re.escape, longest_first))}))")
                self._known = _Known(dict(self._names), pattern, len(longest_first[0]))
            return self._known


def forms(value: str) -> set[str]:
    """Every written form of a value that is looked for."""
    raw = value.encode(errors="surrogateescape")
    found = {
        value,
        *_url_forms(raw),
        json.dumps(value)[1:-1],
        _upper_escapes(json.dumps(value)[1:-1]),
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr('"' + value)[2:-1],  # as it reads where the text around it makes repr escape a quote
        repr(raw)[2:-1],
        raw.hex(),
        raw.hex().upper(),
        *_base64_forms(raw),
        *(line for line in value.splitlines() if len(line.strip()) >= SHORTEST),
    }
    return {form for form in found if len(form) >= SHORTEST}


def _url_forms(raw: bytes) -> Iterator[str]:
    """Percent-encoded as servers, browsers and clients do it, which differ in what they leave as it is."""
    for safe in ("", "/", "!*'()", "!$&'()*+,;="):
        quoted = urllib.parse.quote(raw, safe=safe)
        for form in (quoted, quoted.replace("%20", "+")):
            yield form
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form)


def _upper_escapes(escaped: str) -> str:
    r"""JSON text with the digits of its ``\u00e9`` in upper case."""
    return re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda match: match[0].upper(), escaped)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The characters of base64 text that depend on this value alone, for each of its three alignments."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        first = -(-offset * 8 // 6)
        whole = (offset + len(raw)) * 8 // 6
        inner = encoded[first:whole]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
