"""Every content of the release's source, now and ever: the checkout's files, then its history's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runbooks.checks.subject import Subject
from runbooks.engine.redact import forms

LARGEST = 5 * 1024 * 1024
"""Bytes. What is larger is data; it is counted and said, not looked at."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds or held. ``commit`` is empty for a file of the checkout."""

    path: str
    commit: str
    data: bytes

    def place(self, line: int) -> str:
        """Where it is found, as a person looks it up."""
        return f"{self.path}:{line}" + (f" in commit {self.commit[:12]}" if self.commit else " of the checkout")


@dataclass
class Contents:
    """Goes through all of it once; afterwards it knows how much that was."""

    subject: Subject
    seen: int = 0
    too_large: int = 0
    commits: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[Content]:
        for path, data in self.subject.site.source.contents():
            self.seen += 1
            yield Content(path, "", data)
        for blob, data in self.subject.site.history.blobs():
            self.commits.add(blob.commit)
            if len(data) > LARGEST:
                self.too_large += 1
                continue
            self.seen += 1
            yield Content(blob.path, blob.commit, data)

    @property
    def account(self) -> str:
        """How much was looked at."""
        rest = f"; {self.too_large} larger than 5 MiB not looked at" if self.too_large else ""
        return f"{self.seen} contents of the checkout and of {len(self.commits)} commits{rest}"


def shapes(value: str) -> tuple[bytes, ...]:
    """The value and what hides it from a plain search: escaped, URL-encoded, in hexadecimal or base64, or reversed."""
    return tuple(form.encode(errors="surrogateescape") for form in {*forms(value), value[::-1]})


def line_of(data: bytes, at: int) -> int:
    """The line, from 1, that the byte at this position is on."""
    return data.count(b"\n", 0, at) + 1
